"""What a chart draws, before it is drawn: the run in bins of seconds, and its intervals as wide as an eye needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from upswarm.reports.axes import clock_step
from upswarm.results.intervals import Interval, Intervals
from upswarm.results.measurements import Measurements
from upswarm.results.tallies import SecondTally

_MOST_SECONDS = 240
_MOST_INTERVALS = 120
_NARROWEST_S = 1.0


@dataclass(frozen=True, slots=True)
class SecondsBin:
    """What ended between two moments of the run, in bytes per second; the counts are of the whole bin.

    `in_flight` is the mean over its seconds.
    """

    start_s: float
    end_s: float
    sent_per_s: float
    finished_per_s: float
    failed: int
    in_flight: float
    dropped: int


def over_the_run(measurements: Measurements, elapsed_s: float) -> list[SecondsBin]:
    """The run in at most 240 bins of whole seconds, the empty ones too; the last ends with the run."""
    seconds = measurements.seconds
    if not seconds:
        return []
    last_s = max(elapsed_s, max(seconds) + 0.001)
    edges = [*range(0, math.ceil(last_s), clock_step(last_s, _MOST_SECONDS)), last_s]
    return [_seconds_bin(seconds, start_s, end_s) for start_s, end_s in pairwise(edges)]


def wide_intervals(intervals: Intervals) -> list[tuple[float, Interval]]:
    """At most 120 neighbouring intervals of a second or more, the empty ones too, each with its middle."""
    known = list(intervals.items())
    if not known:
        return []
    last_s = max(at for at, _ in known)
    width_s = max(intervals.width_s, _NARROWEST_S)
    while last_s / width_s >= _MOST_INTERVALS:
        width_s *= 2
    wide = [Interval() for _ in range(int(last_s / width_s) + 1)]
    for at, each in known:
        wide[int(at / width_s)].add(each)
    return [((number + 0.5) * width_s, each) for number, each in enumerate(wide)]


def _seconds_bin(seconds: dict[int, SecondTally], start_s: float, end_s: float) -> SecondsBin:
    """A bin shorter than a second is shown as it is, not blown up to a rate that never was."""
    within = [seconds[at] for at in range(int(start_s), math.ceil(end_s)) if at in seconds]
    length_s = max(1.0, end_s - start_s)
    return SecondsBin(
        start_s,
        end_s,
        sum(each.bytes_sent for each in within) / length_s,
        sum(each.finished_bytes for each in within) / length_s,
        sum(each.failed for each in within),
        sum(each.in_flight for each in within) / math.ceil(length_s),
        sum(each.dropped for each in within),
    )
