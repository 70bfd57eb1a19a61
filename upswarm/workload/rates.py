"""How often uploads arrive at each moment of a run: straight lines, and their integral in both directions.

`Rates.expected_by` says how many arrivals a rate brings until a moment; `Rates.time_of` turns that round, exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_ROUNDING = 1e-13  # what a few sums and products of floats may be off by, relatively


@dataclass(frozen=True, slots=True)
class Ramp:
    """From one rate to another, in a straight line, during `over_s` seconds; a hold has the same rate twice."""

    over_s: float
    first_per_s: float
    last_per_s: float

    @property
    def expected(self) -> float:
        """How many arrivals it brings: the area under the line."""
        return (self.first_per_s + self.last_per_s) / 2 * self.over_s

    def rate_at(self, elapsed_s: float) -> float:
        """Arrivals per second at this moment of the ramp; a ramp without length is at its end at once."""
        if elapsed_s >= self.over_s:
            return self.last_per_s
        return self.first_per_s + (self.last_per_s - self.first_per_s) * elapsed_s / self.over_s

    def expected_by(self, elapsed_s: float) -> float:
        """How many arrivals its first `elapsed_s` seconds bring."""
        return (self.first_per_s + self.rate_at(elapsed_s)) / 2 * elapsed_s

    def time_of(self, expected: float) -> float:
        """The seconds after which it has brought this many arrivals, of at most all of them.

        Counted from the slower end, where the root of a difference of nearly equal numbers would lose its digits.
        """
        slope = (self.last_per_s - self.first_per_s) / self.over_s
        if slope >= 0:
            return min(self.over_s, _climb_s(self.first_per_s, slope, expected))
        return max(0.0, self.over_s - _climb_s(self.last_per_s, -slope, self.expected - expected))


def _climb_s(rate_per_s: float, slope: float, expected: float) -> float:
    """When `rate_per_s * t + slope * t² / 2` is `expected`, for a rate and a slope that are not negative."""
    if expected <= 0:
        return 0.0
    return 2 * expected / (rate_per_s + math.sqrt(rate_per_s**2 + 2 * slope * expected))


@dataclass(frozen=True, slots=True)
class Rates:
    """The ramps of a run, one after the other. Between two of them the rate may jump."""

    ramps: tuple[Ramp, ...]

    @property
    def duration_s(self) -> float:
        """How long all ramps take together."""
        return sum(ramp.over_s for ramp in self.ramps)

    @property
    def peak_per_s(self) -> float:
        """The highest rate at any moment."""
        return max((max(ramp.first_per_s, ramp.last_per_s) for ramp in self.ramps if ramp.over_s > 0), default=0.0)

    @property
    def expected(self) -> float:
        """How many arrivals the whole run brings."""
        return self.expected_by(self.duration_s)

    def expected_by(self, elapsed_s: float) -> float:
        """How many arrivals come before this moment of the run."""
        total, start_s = 0.0, 0.0
        for ramp in self.ramps:
            if elapsed_s < start_s + ramp.over_s:
                return total + ramp.expected_by(max(0.0, elapsed_s - start_s))
            total, start_s = _settled(total + ramp.expected), start_s + ramp.over_s
        return total

    def time_of(self, expected: float) -> float:
        """The last moment before which no more than this many arrivals come; infinite where all of them are too few.

        The last, because in a pause no arrival is due: the next one is due when the pause ends.
        """
        total, start_s = 0.0, 0.0
        for ramp in self.ramps:
            following = _settled(total + ramp.expected)
            if expected < following:
                return start_s + ramp.time_of(expected - total)
            total, start_s = following, start_s + ramp.over_s
        return math.inf

    def lasting(self, duration_s: float) -> Rates:
        """These rates, cut after `duration_s`, or held at the last of them until then."""
        kept: list[Ramp] = []
        start_s, level_per_s = 0.0, 0.0
        for ramp in self.ramps:
            left_s = duration_s - start_s
            if ramp.over_s > left_s:
                return Rates((*kept, Ramp(left_s, ramp.first_per_s, ramp.rate_at(left_s))))
            kept.append(ramp)
            start_s, level_per_s = start_s + ramp.over_s, ramp.last_per_s
        held = (Ramp(duration_s - start_s, level_per_s, level_per_s),) if duration_s > start_s else ()
        return Rates((*kept, *held))


def _settled(expected: float) -> float:
    """A whole number where only rounding keeps it from one: 57/h for 1h are 57 arrivals and not a bit more."""
    return float(round(expected)) if math.isclose(expected, round(expected), rel_tol=_ROUNDING) else expected
