"""The open workload: uploads arrive when they arrive, however busy the target is.

The time of the n-th arrival follows from the rates, the spacing, the seed and n alone, so it does not matter who asks
and in which order: one worker and ten have the same schedule.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, replace
from enum import StrEnum

from upswarm.workload.poisson import event_at
from upswarm.workload.rates import Rates


class Spacing(StrEnum):
    """How arrivals lie around their rate: evenly, or as independent people come."""

    CONSTANT = "constant"
    POISSON = "poisson"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The arrivals of a run. File n of the mix belongs to arrival n.

    With constant spacing arrival n is due as soon as the rates have brought n arrivals: the first at once, and
    exactly as many as the rates integrate to. With Poisson spacing that is the mean number; a rate that changes
    stretches and squeezes a Poisson process of rate 1, which is again one.
    """

    rates: Rates
    spacing: Spacing = Spacing.CONSTANT
    seed: int = 0

    @property
    def duration_s(self) -> float:
        """How long arrivals may come."""
        return self.rates.duration_s

    @property
    def count(self) -> int:
        """How many there are."""
        expected = self.rates.expected
        if self.spacing is Spacing.CONSTANT:
            return math.ceil(expected)
        beyond = 1
        while event_at(self.seed, beyond) < expected:
            beyond *= 2
        return bisect_left(range(beyond), expected, key=lambda number: event_at(self.seed, number))

    def lasting(self, duration_s: float) -> Arrivals:
        """These arrivals, cut after `duration_s`, or going on at the last rate until then."""
        return replace(self, rates=self.rates.lasting(duration_s))

    def due_s(self, number: int) -> float | None:
        """Seconds from the start of the run to the arrival with this number, from 0 on; None after the last one."""
        place = event_at(self.seed, number) if self.spacing is Spacing.POISSON else float(number)
        due_s = self.rates.time_of(place)
        return due_s if math.isfinite(due_s) else None
