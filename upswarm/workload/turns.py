"""The moments at which the planned load of a run turns: where a ramp begins, or where it has reached its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from upswarm.workload.arrivals import Arrivals
from upswarm.workload.kinds import ClosedLoad, OpenLoad, Workload
from upswarm.workload.led import LedLoad

Turn = tuple[float, str]
"""Seconds after the start, and what the load does from then on, in words."""


def turns(workload: Workload) -> list[Turn]:
    """Every turn after the start of the run, in order; a recorded schedule, or a leader, turns nobody knows when."""
    match workload:
        case LedLoad():
            return []
        case ClosedLoad(stages):
            level, lines = 0, []
            for stage in stages.steps:
                to = level if stage.to is None else stage.to
                lines.append((stage.over_s, float(level), float(to)))
                level = to
            return list(_turns(lines, "the users", "", "user"))
        case OpenLoad(Arrivals(rates)):
            ramps = ((ramp.over_s, ramp.first_per_s, ramp.last_per_s) for ramp in rates.ramps)
            return list(_turns(ramps, "the load", "/s", ""))
    return []


def _turns(lines: Iterable[tuple[float, float, float]], subject: str, unit: str, noun: str) -> Iterator[Turn]:
    """A line is how long it lasts, and its level at both ends; one without length is only where the next begins."""
    at_s, held = 0.0, None
    for over_s, first, last in lines:
        if over_s <= 0:
            continue
        if first != last or held != first:
            if at_s > 0:
                yield at_s, _sentence(first, last, subject, unit, noun)
            held = last if first == last else None
        at_s += over_s


def _sentence(first: float, last: float, subject: str, unit: str, noun: str) -> str:
    if first == last:
        amount = f"{_number(first)}{unit}"
        return f"{amount} {noun}{'' if first == 1 else 's'}, held" if noun else f"{subject} is held at {amount}"
    verb = ("rise" if last > first else "fall") + ("" if noun else "s")
    return f"{subject} {verb} to {_number(last)}{unit}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
