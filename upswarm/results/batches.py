"""How sure a figure of a run is: what was measured is cut into batches, after its beginning has been left out.

The method and its sources stand in docs/design/capacity.md: MSER for where a run has settled, sectioning for the
interval around a figure, with Student's t.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from upswarm.results.intervals import Interval, Intervals, PhaseInterval, UploadInterval
from upswarm.results.measurements import Measurements
from upswarm.results.metrics import Kind, Metric, Summary
from upswarm.transfer.messages import Phase

MOST_BATCHES, FEWEST_BATCHES = 10, 5
_T_975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, and the interval in which it lies with a confidence of 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a run that counts: as a whole, and in batches of equal length, in their order.

    It is what has settled; where nothing has, it is the second half, and `is_settled` is false.
    """

    whole: Summary
    batches: tuple[Summary, ...]
    is_settled: bool


def student_t(freedom: int) -> float:
    """The 97.5th percentile of Student's t; from 30 degrees of freedom on that of 30, which is on the safe side."""
    return _T_975[min(freedom, len(_T_975)) - 1]


def sectioned(whole: float, parts: Sequence[float]) -> Estimate:
    """A figure of the whole, as sure as the same figure of its parts agrees with it. Needs two parts."""
    variance = sum((part - whole) ** 2 for part in parts) / (len(parts) - 1)
    half_width = student_t(len(parts) - 1) * math.sqrt(variance / len(parts))
    return Estimate(whole, whole - half_width, whole + half_width)


def estimate(part: Part, metric: Metric, aggregate: str) -> Estimate | None:
    """A metric's aggregate in this part; None where too few of its batches have data."""
    whole = metric.read(part.whole, aggregate)
    read = (metric.read(batch, aggregate) for batch in part.batches)
    known = [value for value in read if value is not None]
    return sectioned(whole, known) if whole is not None and len(known) >= FEWEST_BATCHES else None


def truncation(series: Sequence[float]) -> int | None:
    """How many values at the beginning are warm-up, by MSER; None where the series has not settled by its middle.

    That is the number d which makes the squared error of the mean of the values after it least, as it is estimated
    from these values: their variance, divided by how many they are.
    """
    most = len(series) // 2
    if len(series) < FEWEST_BATCHES:
        return None
    errors = [_squared_error(series[at:]) for at in range(most + 1)]
    best = errors.index(min(errors))
    return best if best < most else None


def settle(intervals: Intervals, length_s: float, metrics: Sequence[Metric]) -> Part | None:
    """The part of a run of this length in which all these metrics have settled; None where it is too short for any.

    The first interval never counts, for in it the users begin, nor does what ended after the run's length.
    """
    intervals = intervals.from_start()
    width_s = intervals.width_s
    inside = [intervals.at(number) for number in range(1, math.floor(length_s / width_s + 1e-9))]
    starts = [_start(inside, metric) for metric in metrics]
    known = [start for start in starts if start is not None]
    is_settled = len(known) == len(starts)
    rest = inside[max(known, default=0) if is_settled else len(inside) // 2 :]
    return _cut(rest, width_s, is_settled=is_settled) if len(rest) >= FEWEST_BATCHES else None


def _cut(rest: Sequence[Interval], width_s: float, *, is_settled: bool) -> Part:
    """Batches of as many intervals as are needed to have no more than ten; what is left over was warm-up too."""
    size = math.ceil(len(rest) / MOST_BATCHES)
    used = rest[len(rest) % size :]
    batches = tuple(_summary(used[at : at + size], width_s) for at in range(0, len(used), size))
    return Part(_summary(used, width_s), batches, is_settled)


def merged(group: Iterable[Interval]) -> Measurements:
    """What these intervals hold together, as measurements; of what is not kept by interval there is nothing in it."""
    total = Interval()
    for each in group:
        total.add(each)
    measurements = Measurements()
    for phase, tally in total.phases.items():
        _carry(tally, measurements.phases[phase])
    _carry(total.uploads, measurements.uploads)
    return measurements


def _summary(group: Sequence[Interval], width_s: float) -> Summary:
    return Summary(merged(group), len(group) * width_s)


def _carry(part: PhaseInterval | UploadInterval, whole: object) -> None:
    for name in part.__slots__:
        if name == "response_time":
            part.response_time.add_to(whole.response_time)  # type: ignore[attr-defined]
        else:
            setattr(whole, name, getattr(part, name))


def _start(intervals: Sequence[Interval], metric: Metric) -> int | None:
    """From which interval on a metric has settled; one without data tells nothing."""
    levels = [(at, level) for at, each in enumerate(intervals) if (level := _level(each, metric)) is not None]
    start = truncation([level for _, level in levels])
    return None if start is None else levels[start][0]


def _level(interval: Interval, metric: Metric) -> float | None:
    """The mean of a metric of times; for the others, which are about how much happens, the bytes that were sent."""
    if metric.kind is not Kind.TIME:
        return float(sum(tally.bytes_sent for tally in interval.phases.values()))
    name = metric.name.partition(".")[0]
    return (interval.uploads if name == "upload" else interval.phase(Phase(name))).response_time.mean_s


def _squared_error(values: Sequence[float]) -> float:
    """Of their mean. What is below the rounding of floats is nothing: a series of equal values is settled."""
    mean = sum(values) / len(values)
    squared = sum((value - mean) ** 2 for value in values) / len(values) ** 2
    return squared if squared > (1e-9 * mean) ** 2 else 0.0
