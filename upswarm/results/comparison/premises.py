"""What two sides of a comparison were not equal in: scenario, machine, versions, target, duration, workers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from upswarm import units
from upswarm.results.comparison.sides import Side
from upswarm.results.run_file import Run

ABSENT = "–"
_ALIKE_RATIO = 0.02
"""Two runs of 30 s never take exactly the same time."""


def _target(run: Run) -> str:
    """Its URL; a server that was started for the run alone is another one each time, at another port."""
    said = (run.scenario.get("target") or {}).get("url")
    return run.target if said is None or "://" in said else str(said)


_TARGET_KEY = "target.url"
_CIRCUMSTANCES: dict[str, Callable[[Run], str]] = {
    "target": _target,
    "workload": lambda run: run.workload,
    "peak users": lambda run: str(run.peak_users),
    "planned": lambda run: ABSENT if run.planned_s is None else units.format_duration(run.planned_s),
    "warm-up": lambda run: units.format_duration(run.warm_up_s),
    "workers": lambda run: str(len(run.workers)),
    "ended early by": lambda run: run.aborted_by or ABSENT,
    "host": lambda run: run.machine.host,
    "system": lambda run: run.machine.system,
    "CPUs": lambda run: run.machine.cpus_story,
    "Python": lambda run: run.machine.python,
    "upswarm": lambda run: run.machine.upswarm,
    "Locust": lambda run: run.machine.locust,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A key of the scenario, such as `transfer.retry.attempts`, or a circumstance, and what it is on either side.

    A side whose runs differ among themselves has all their values.
    """

    key: str
    base: str
    other: str


def scenario_differences(base: Side, other: Side) -> list[Difference]:
    """Key by key, in the order in which the keys stand in the scenario; the target is a circumstance."""
    one, two = ([dict(_leaves(run.scenario)) for run in side.runs] for side in (base, other))
    keys = dict.fromkeys(key for run in (*one, *two) for key in run)
    keys.pop(_TARGET_KEY, None)
    in_order = sorted(keys, key=_rooms([*base.runs, *other.runs]))
    return _differing(
        (key, _values(each.get(key) for each in one), _values(each.get(key) for each in two)) for key in in_order
    )


def circumstances(base: Side, other: Side) -> list[Difference]:
    """What the runs themselves differ in; how long they took, where that is more than a little."""
    found = _differing(
        (name, _values(map(read, base.runs)), _values(map(read, other.runs))) for name, read in _CIRCUMSTANCES.items()
    )
    lengths = [run.elapsed_s for run in (*base.runs, *other.runs)]
    if max(lengths) - min(lengths) > _ALIKE_RATIO * max(lengths):
        found.append(Difference("took", _lengths(base), _lengths(other)))
    return found


def _lengths(side: Side) -> str:
    return ", ".join(_values(units.format_duration(run.elapsed_s) for run in side.runs))


def _differing(rows: Iterable[tuple[str, tuple[str, ...], tuple[str, ...]]]) -> list[Difference]:
    """What is not one and the same value on both sides."""
    return [
        Difference(key, ", ".join(base), ", ".join(other))
        for key, base, other in rows
        if base != other or len(base) > 1
    ]


def _values(found: Iterable[str | None]) -> tuple[str, ...]:
    """Each value once, in the runs' order."""
    return tuple(dict.fromkeys(ABSENT if each is None else each for each in found))


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case Mapping() if value:
            for name, item in value.items():
                yield from _leaves(item, f"{key}.{name}" if key else str(name))
        case list() if value:
            for at, item in enumerate(value):
                yield from _leaves(item, f"{key}[{at}]")
        case str():
            yield key, value
        case _:
            yield key, json.dumps(value)


def _rooms(runs: Sequence[Run]) -> Callable[[str], int]:
    """A sort key that keeps what belongs to one room of the YAML together, whichever side has it."""
    rooms = list(dict.fromkeys(str(room) for run in runs for room in run.scenario))
    return lambda key: rooms.index(key.split(".", 1)[0].split("[", 1)[0])
