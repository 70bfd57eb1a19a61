"""Before a drill: a scenario that has one, and whether everything is there that it will break."""

from __future__ import annotations

from typing import Any

from upswarm.errors import UsageError
from upswarm.scenario.audit import AuditRoom
from upswarm.scenario.base import Mistake
from upswarm.scenario.drill import DrillRoom, RandomRoom, needs_embedded
from upswarm.scenario.model import Scenario
from upswarm.scenario.urls import EMBEDDED
from upswarm.swarm.wishes import Wishes
from upswarm.workload.drill import Act, ActKind
from upswarm.workload.kinds import Workload


def prepared(scenario: Scenario, workload: Workload, wishes: Wishes, options: Any) -> tuple[Scenario, tuple[Act, ...]]:
    """The scenario as its drill needs it, and what will be broken; raises `UsageError` where that can't be.

    `options` are Locust's.
    """
    if wishes.drill:
        scenario = with_drill(scenario)
    acts = acts_of(scenario, workload, scenario.target.url)
    _check_workers(_kills(acts), options.processes or 0)
    return (with_audit(allowing_losses(scenario, acts)) if acts else scenario), acts


def with_drill(scenario: Scenario) -> Scenario:
    """A scenario without a drill gets one by chance: that is what `upswarm drill` is for."""
    if scenario.drill is not None:
        return scenario
    return scenario.model_copy(update={"drill": DrillRoom(random=RandomRoom())})


def acts_of(scenario: Scenario, workload: Workload, url: str) -> tuple[Act, ...]:
    """What will be broken in a run of this workload; raises `UsageError` where that can't be."""
    if scenario.drill is None:
        return ()
    if url != EMBEDDED:
        raise UsageError(f"target: {needs_embedded(url)}", hint="leave --target out")
    try:
        return scenario.drill.fit(scenario.seed, workload.planned_s)
    except Mistake as mistake:
        raise UsageError(f"drill: {mistake}") from mistake


def _check_workers(kills: int, processes: int) -> None:
    if kills and kills >= processes:
        raise UsageError(
            f"drill: expected more than {kills} worker process{'es' * (kills > 1)} of this run, for kill_worker kills "
            f"{kills}, found {processes or 'none'}",
            hint=f"give --processes {kills + 1} or more, or take kill_worker out of a copy of the scenario",
        )


def allowing_losses(scenario: Scenario, acts: tuple[Act, ...]) -> Scenario:
    """Workers that the drill kills are no fault of the generator's."""
    kills = _kills(acts)
    if not kills:
        return scenario
    allowed = scenario.workload.allowed_lost_workers + kills
    return scenario.model_copy(
        update={"workload": scenario.workload.model_copy(update={"allowed_lost_workers": allowed})}
    )


def with_audit(scenario: Scenario) -> Scenario:
    """A drill asks afterwards what is left of every file, unless the scenario says something else about it."""
    said = "audit" in scenario.model_fields_set
    return scenario if said else scenario.model_copy(update={"audit": AuditRoom()})


def _kills(acts: tuple[Act, ...]) -> int:
    return sum(act.kind is ActKind.KILL_WORKER for act in acts)
