"""Every metric in one table: its name, what is divided by what, its unit, and how it is read.

`docs/metrics.md` is written from this table (`python -m upswarm.results.metrics`); thresholds may name nothing else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from upswarm import units
from upswarm.results.histogram import Histogram
from upswarm.results.measurements import Measurements
from upswarm.transfer.messages import Phase

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

    @property
    def aggregates(self) -> tuple[str, ...]:
        """The aggregates as people write them."""
        return {
            Kind.TIME: ("p50 … p99.9", "mean", "min", "max"),
            Kind.EVENTS: ("count", "rate"),
            Kind.VOLUME: ("mean", "total"),
        }[self]

    def knows(self, aggregate: str) -> bool:
        """Whether this kind has the aggregate."""
        return aggregate in self.aggregates or (self is Kind.TIME and _PERCENTILE.fullmatch(aggregate) is not None)


@dataclass(frozen=True, slots=True)
class Unit:
    """How a value is written: `parse` raises `units.UnitError`, `format` gives a text for people."""

    parse: Callable[[object], float]
    format: Callable[[float], str]


def _count(text: object) -> float:
    if not re.fullmatch(r"\d+", str(text).strip()):
        raise units.UnitError("a whole number", text)
    return float(str(text))


_DURATION = Unit(units.parse_duration, units.format_duration)
_COUNT = Unit(_count, lambda value: f"{value:,.0f}")
_SHARE = Unit(units.parse_ratio, units.format_ratio)
_RATIO = Unit(partial(units.parse_ratio, most=math.inf), units.format_ratio)
_SIZE = Unit(units.parse_size, units.format_size)
_BANDWIDTH = Unit(units.parse_bandwidth, units.format_bandwidth)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `parts` reads a histogram, (events, of how many), or bytes; which one, `kind` says.

    The events are a part of what they are divided by, unless `share` is false: an upload may resume more than once.
    """

    name: str
    kind: Kind
    definition: str
    parts: Callable[[Measurements], Histogram | tuple[int, int] | int]
    share: bool = True

    def unit(self, aggregate: str) -> Unit:
        """The unit of this aggregate."""
        if self.kind is Kind.TIME:
            return _DURATION
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
    percentile = _PERCENTILE.fullmatch(aggregate)
    if percentile:
        return times.percentile_s(float(percentile[1]))
    return {"mean": times.mean_s, "min": times.min_s, "max": times.max_s}[aggregate]


def _of_phase(phase: Phase) -> Iterator[Metric]:
    yield Metric(
        f"{phase}.response_time", Kind.TIME,
        "from when the request was due to the end of its answer; successful attempts",
        lambda measured: measured.phases[phase].response_time,
    )  # fmt: skip
    yield Metric(
        f"{phase}.service_time", Kind.TIME,
        "from when the request was sent to the end of its answer; successful attempts",
        lambda measured: measured.phases[phase].service_time,
    )  # fmt: skip
    yield Metric(
        f"{phase}.attempts", Kind.EVENTS,
        "requests sent, retries included; rate: of the attempts of all phases",
        lambda measured: (measured.phases[phase].attempts, measured.attempts),
    )  # fmt: skip
    yield Metric(
        f"{phase}.failed", Kind.EVENTS,
        "attempts that failed, also where a retry then succeeded; rate: of this phase's attempts",
        lambda measured: (measured.phases[phase].failed, measured.phases[phase].attempts),
    )  # fmt: skip
    yield Metric(
        f"{phase}.retries", Kind.EVENTS,
        "attempts that repeat a request; rate: of this phase's attempts",
        lambda measured: (measured.phases[phase].retries, measured.phases[phase].attempts),
    )  # fmt: skip


def _of_uploads() -> Iterator[Metric]:
    def ended(measured: Measurements) -> int:
        return measured.uploads.finished + measured.uploads.failed

    yield Metric(
        "upload.response_time", Kind.TIME,
        "from when an upload was due to its receipt, with all retries, pauses and resumes; finished uploads",
        lambda measured: measured.uploads.response_time,
    )  # fmt: skip
    yield Metric(
        "upload.finished", Kind.EVENTS,
        "uploads whose file the server has acknowledged; rate: of the uploads that finished or failed",
        lambda measured: (measured.uploads.finished, ended(measured)),
    )  # fmt: skip
    yield Metric(
        "upload.failed", Kind.EVENTS,
        "uploads given up after all retries; rate: of the uploads that finished or failed",
        lambda measured: (measured.uploads.failed, ended(measured)),
    )  # fmt: skip
    yield Metric(
        "upload.resumes", Kind.EVENTS,
        "times that an upload asked what the server holds and went on; rate: per upload that finished or failed",
        lambda measured: (measured.uploads.resumes, ended(measured)),
        share=False,
    )  # fmt: skip


def _of_volumes() -> Iterator[Metric]:
    yield Metric(
        "goodput", Kind.VOLUME,
        "bytes of finished files; mean: divided by the seconds of the run",
        lambda measured: measured.uploads.finished_bytes,
    )  # fmt: skip
    yield Metric(
        "sent", Kind.VOLUME,
        "body bytes of all attempts, failed ones and retries included; mean: divided by the seconds of the run",
        lambda measured: sum(tally.bytes_sent for tally in measured.phases.values()),
    )  # fmt: skip


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (*_of_volumes(), *_of_uploads(), *(metric for phase in Phase for metric in _of_phase(phase)))
}


def markdown() -> str:
    """The table as `docs/metrics.md` holds it."""
    rows = [
        f"| `{metric.name}` | {metric.definition} | {', '.join(metric.kind.aggregates)} |"
        for metric in METRICS.values()
    ]
    return "\n".join(["| metric | what it is | aggregates |", "|---|---|---|", *rows])


if __name__ == "__main__":
    print(markdown())
