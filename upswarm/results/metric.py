"""What a metric is: a name, what is divided by what, a unit, and how it is read from the measurements of a run."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from upswarm import units
from upswarm.results.histogram import Histogram
from upswarm.results.measurements import Measurements

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")


@dataclass(frozen=True, slots=True)
class Summary:
    """What a metric is read from: the measurements, and the seconds that the run took."""

    measurements: Measurements
    elapsed_s: float


class Kind(StrEnum):
    """What can be asked of a metric, and in which unit the answer is."""

    TIME = "time"
    EVENTS = "events"
    VOLUME = "volume"
    USE = "use"

    @property
    def aggregates(self) -> tuple[str, ...]:
        """The aggregates as people write them."""
        return {
            Kind.TIME: ("p50 … p99.9", "mean", "min", "max"),
            Kind.EVENTS: ("count", "rate"),
            Kind.VOLUME: ("mean", "total"),
            Kind.USE: ("p50 … p99.9", "mean", "min", "max"),
        }[self]

    def knows(self, aggregate: str) -> bool:
        """Whether this kind has the aggregate."""
        spread = self in {Kind.TIME, Kind.USE}
        return aggregate in self.aggregates or (spread and percentile_of(aggregate) is not None)


def percentile_of(aggregate: str) -> float | None:
    """Which percentile an aggregate asks for, such as 99 for `p99`; None where it asks for something else."""
    match = _PERCENTILE.fullmatch(aggregate)
    return float(match[1]) if match else None


@dataclass(frozen=True, slots=True)
class Unit:
    """How a value is written: `parse` raises `units.UnitError`, `format` gives a text for people."""

    name: str
    parse: Callable[[object], float]
    format: Callable[[float], str]


def _count(text: object) -> float:
    if not re.fullmatch(r"\d+", str(text).strip()):
        raise units.UnitError("a whole number", text)
    return float(str(text))


_DURATION = Unit("seconds", units.parse_duration, units.format_duration)
_COUNT = Unit("a count", _count, lambda value: f"{value:,.0f}")
_SHARE = Unit("a share", units.parse_ratio, units.format_ratio)
_RATIO = Unit("a ratio", partial(units.parse_ratio, most=math.inf), units.format_ratio)
_SIZE = Unit("bytes", units.parse_size, units.format_size)
_BANDWIDTH = Unit("bytes/s", units.parse_bandwidth, units.format_bandwidth)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `parts` reads a histogram, (events, of how many), or bytes; which one, `kind` says.

    The events are a part of what they are divided by, unless `share` is false: an upload may resume more than once.
    A metric that is kept `by_part` can be read of one class of files, or one worker; one that is kept `by_interval` of
    the last seconds too.
    """

    name: str
    kind: Kind
    definition: str
    parts: Callable[[Measurements], Histogram | tuple[int, int] | int]
    share: bool = True
    by_part: bool = False
    by_interval: bool = False

    def unit(self, aggregate: str) -> Unit:
        """The unit of this aggregate."""
        if self.kind is Kind.TIME:
            return _DURATION
        if self.kind is Kind.USE:
            return _RATIO
        return {"count": _COUNT, "rate": _SHARE if self.share else _RATIO, "mean": _BANDWIDTH, "total": _SIZE}[
            aggregate
        ]

    def read(self, summary: Summary, aggregate: str) -> float | None:
        """The value in seconds, events, a ratio, bytes or bytes per second; None where there is no data."""
        match self.parts(summary.measurements):
            case Histogram() as times:
                return _read_times(times, aggregate)
            case (events, base):
                return None if base == 0 else events / base if aggregate == "rate" else float(events)
            case int() as total_bytes:
                if summary.measurements.attempts == 0 or summary.elapsed_s <= 0:
                    return None
                return total_bytes / summary.elapsed_s if aggregate == "mean" else float(total_bytes)


def _read_times(times: Histogram, aggregate: str) -> float | None:
    percentile = percentile_of(aggregate)
    if percentile is not None:
        return times.percentile_s(percentile)
    return {"mean": times.mean_s, "min": times.min_s, "max": times.max_s}[aggregate]
