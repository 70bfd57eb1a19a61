"""What a search for a capacity is asked, by the command line and the scenario; what is no question is refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from upswarm import units
from upswarm.errors import UsageError
from upswarm.results import objectives
from upswarm.results.steps import By
from upswarm.results.thresholds import Threshold, ThresholdError
from upswarm.scenario import library, loader
from upswarm.scenario.model import Scenario
from upswarm.scenario.overrides import Overrides
from upswarm.swarm.target import chosen
from upswarm.workload.kinds import OpenLoad, Override
from upswarm.workload.search import Bounds

START_S = 2.0
"""About what a run needs beside its duration: to start, to drain, to write its report."""
_SHORTEST_S = 2.0
_USUAL_BOUNDS = {By.USERS: ("1", "10000"), By.ARRIVALS: ("1/s", "10000/s")}


@dataclass(frozen=True, slots=True)
class Question:
    """Which load of this scenario holds these objectives? `options` are further ones of `upswarm run`."""

    scenario: str
    name: str
    target: str
    by: By
    objectives: tuple[Threshold, ...]
    bounds: Bounds
    step_s: float
    budget_s: float
    reports: Path
    options: tuple[str, ...] = ()


def ask(
    scenario: str,
    *,
    until: Sequence[str],
    by: str | None,
    least: str | None,
    most: str | None,
    precision_ratio: float,
    step_s: float,
    budget_s: float,
    target: str | None,
    processes: int | None,
    reports: Path,
    **overrides: str | None,
) -> Question:
    """The question; raises `UpswarmError` with what was expected. Without `until` it is the scenario's thresholds.

    `overrides` are the fields of `Overrides`.
    """
    loaded = Overrides(**overrides).applied_to(loader.load(library.find(scenario)), target)
    if loaded.drill is not None:
        raise UsageError("expected a scenario without a drill, for a search asks what the target can do undisturbed",
                         hint="take drill out of a copy of the scenario")  # fmt: skip
    counted = By(by) if by else _usual(loaded)
    bounds = _bounds(counted, least, most, _precision(precision_ratio))
    loaded.build_workload().overridden(_override(counted, bounds.least, step_s))
    if step_s < _SHORTEST_S:
        raise UsageError(f"expected steps of at least {_SHORTEST_S:g}s, found {units.format_duration(step_s)}",
                         hint="in less time nothing settles")  # fmt: skip
    if budget_s < step_s + START_S:
        need, found = units.format_duration(step_s + START_S), units.format_duration(budget_s)
        raise UsageError(f"expected a budget in which a step fits, about {need}, found {found}",
                         hint="give a larger --budget or a shorter --step")  # fmt: skip
    options = (*(("--target", target) if target else ()), *(("--processes", f"{processes}") if processes else ()))
    changes = (f"--{name.replace('_', '-')}={value}" for name, value in overrides.items() if value is not None)
    return Question(
        scenario=scenario,
        name=loaded.name,
        target=chosen(target, loaded),
        by=counted,
        objectives=_objectives(until, loaded),
        bounds=bounds,
        step_s=float(math.ceil(step_s)),
        budget_s=budget_s,
        reports=reports,
        options=(*options, *changes),
    )


def _usual(scenario: Scenario) -> By:
    return By.ARRIVALS if isinstance(scenario.build_workload(), OpenLoad) else By.USERS


def _objectives(until: Sequence[str], scenario: Scenario) -> tuple[Threshold, ...]:
    try:
        return tuple(map(objectives.parse, until or scenario.threshold_lines))
    except ThresholdError as error:
        if until:
            raise UsageError(f"--until: {error}", hint=error.hint) from error
        raise UsageError(f"the scenario's thresholds: {error}", hint="say with --until what must hold") from error


def _bounds(by: By, least: str | None, most: str | None, precision_ratio: float) -> Bounds:
    read = _count if by is By.USERS else units.parse_rate
    usual = _USUAL_BOUNDS[by]
    try:
        low, high = read(least or usual[0]), read(most or usual[1])
        return Bounds(low, high, precision_ratio, whole=by is By.USERS)
    except ValueError as error:
        raise UsageError(f"--min, --max: {error}", hint=f"loads are counted by {by} here, see --by") from error


def _precision(ratio: float) -> float:
    if ratio <= 0:
        raise UsageError(f"expected a --precision above 0, found {ratio:g}", hint="5% is usual")
    return ratio


def _count(text: object) -> float:
    if not str(text).isdecimal():
        raise units.UnitError("a whole number of users", text)
    return float(str(text))


def _override(by: By, load: float, step_s: float) -> Override:
    """What the first step is asked for, so that a scenario which can't do it says so at once."""
    if by is By.USERS:
        return Override(users=round(load), duration_s=step_s)
    return Override(rate_per_s=load, duration_s=step_s)
