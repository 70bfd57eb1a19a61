"""Users and shapes of people's own, beside ours in one locustfile: how they go together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gevent
from locust import User
from locust.env import Environment
from locust.runners import Runner

from upswarm.errors import UsageError
from upswarm.workload.kinds import ClosedLoad, Workload
from upswarm.workload.led import LedLoad


def added_users(classes: Iterable[type[User]]) -> int:
    """How many users come in addition to the scenario's: those of classes with a `fixed_count`."""
    return sum(each.fixed_count for each in classes)


def agreed(workload: Workload, environment: Environment, limit_s: float | None) -> Workload:
    """The workload as the locustfile's classes and shape will have it; `limit_s` is the run time that was wished.

    Raises `UsageError` where the locustfile would not have as many users as the workload says. Where users are slots,
    each of them has to be one that uploads.
    """
    from upswarm.swarm.shape import StagesShape  # noqa: PLC0415 (it knows the session, which asks here)

    shape = environment.shape_class
    leader = type(shape).__name__ if shape is not None else ""
    if not isinstance(workload, ClosedLoad):
        if not isinstance(shape, StagesShape):
            raise _no_stages(workload, leader)
        _check_weights(workload, environment.user_classes)
    elif shape is None:
        return LedLoad(workload.stages, workload.think_time_s, "Locust's options", limit_s)
    elif not isinstance(shape, StagesShape):
        return LedLoad(workload.stages, workload.think_time_s, leader)
    elif all(each.fixed_count for each in environment.user_classes):
        raise _no_weight("a class of users", workload)
    return workload


def at_its_end(workload: Workload, environment: Environment) -> bool:
    """Whether it is the end of the run that whoever leads it ends it here and now.

    That is when the shape itself does so; and always, where nobody has planned an end.
    """
    runner: Any = environment.runner
    if environment.shape_class is None:
        return isinstance(workload, LedLoad) and workload.planned_s is None
    return gevent.getcurrent() is runner.shape_greenlet


def _no_stages(workload: Workload, leader: str) -> UsageError:
    return UsageError(
        f"expected StagesShape as the shape of a run of {workload}, found {leader or 'no shape'}",
        hint="import it into the locustfile (from upswarm.swarm.shape import StagesShape), "
        "or take a scenario with users",
    )


def _check_weights(workload: Workload, classes: Iterable[type[User]]) -> None:
    from upswarm.swarm.users import UploadUser  # noqa: PLC0415 (it knows the session, which asks here)

    weighted = [each for each in classes if not each.fixed_count]
    others = [each.__name__ for each in weighted if not issubclass(each, UploadUser)]
    if others:
        raise UsageError(
            f"expected fixed_count for {', '.join(others)}, found weight: all users of a run of {workload} are "
            "needed for uploads, and none can be shared among other classes",
            hint="give such a class a fixed_count; its users come in addition",
        )
    if not weighted:
        raise _no_weight("an UploadUser", workload)


def _no_weight(whom: str, workload: Workload) -> UsageError:
    return UsageError(
        f"expected {whom} without fixed_count for a run of {workload}, found none",
        hint="the scenario says how many there are; those of a fixed_count come in addition",
    )


def failures(runner: Runner) -> list[str]:
    """A sentence for each kind of exception that ended a task, ours or somebody else's: what, where, and how often."""
    return [
        f"the generator failed{_times(each['count'])}: {each['msg']}{_place(each['traceback'])}"
        for each in runner.exceptions.values()
    ]


def _times(count: int) -> str:
    return "" if count == 1 else f" {count} times"


def _place(traceback: str) -> str:
    """The last line that is neither Locust's nor another library's."""
    frames = re.findall(r'File "([^"]+)", line (\d+), in (\w+)', traceback)
    own = [frame for frame in frames if not re.search(r"/(site-packages|lib/python[\d.]+)/", frame[0])]
    return "".join(f" ({Path(path).name}, line {line}, in {name})" for path, line, name in own[-1:])
