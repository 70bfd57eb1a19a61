"""What is asked of a run, on the command line or in the web form."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from upswarm.errors import UsageError
from upswarm.scenario.overrides import Overrides
from upswarm.units import UnitError, parse_rate
from upswarm.workload.kinds import Override

_MOST_PER_S = 100_000


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for, on the command line or in the web form; None leaves it to the scenario."""

    scenario: str
    reports: Path
    target: str | None = None
    users: int | None = None
    spawn_rate_per_s: float | None = None
    duration_s: float | None = None
    rate: str = ""
    overrides: Overrides = field(default=Overrides())
    drill: bool = False
    baseline: str = ""

    def override(self) -> Override:
        """What is wished of the workload; raises `UsageError`."""
        try:
            rate_per_s = parse_rate(self.rate) if self.rate else None
        except UnitError as error:
            raise UsageError(f"--rate: {error}") from error
        if rate_per_s is not None and rate_per_s > _MOST_PER_S:
            raise UsageError(f"--rate: expected at most {_MOST_PER_S}/s, found {self.rate}")
        return Override(self.users, self.spawn_rate_per_s, self.duration_s, rate_per_s)
