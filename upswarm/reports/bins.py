"""What a chart draws, before it is drawn: the run in bins of seconds, and times in bins of a logarithmic axis."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from upswarm import units
from upswarm.reports.axes import clock_step
from upswarm.results.histogram import Histogram
from upswarm.results.measurements import Measurements
from upswarm.results.tallies import SecondTally

_MOST_SECONDS = 180
_PER_DECADE = 18


@dataclass(frozen=True, slots=True)
class SecondsBin:
    """What ended between two moments of the run, in bytes per second; `failed` counts attempts."""

    start_s: float
    end_s: float
    sent_per_s: float
    finished_per_s: float
    failed: int

    def __str__(self) -> str:
        sent, finished = units.format_bandwidth(self.sent_per_s), units.format_bandwidth(self.finished_per_s)
        return f"{self.start_s:g} s to {self.end_s:.6g} s: sent {sent}, finished {finished}, failed {self.failed:,}"


@dataclass(frozen=True, slots=True)
class TimesBin:
    """How many times lay between two."""

    start_s: float
    end_s: float
    count: int

    def __str__(self) -> str:
        return f"{units.format_duration(self.start_s)} to {units.format_duration(self.end_s)}: {self.count:,}"


def over_the_run(measurements: Measurements, elapsed_s: float) -> list[SecondsBin]:
    """The run in at most 180 bins of whole seconds, the empty ones too; the last ends with the run."""
    seconds = measurements.seconds
    if not seconds:
        return []
    last_s = max(elapsed_s, max(seconds) + 0.001)
    edges = [*range(0, math.ceil(last_s), clock_step(last_s, _MOST_SECONDS)), last_s]
    return [_seconds_bin(seconds, start_s, end_s) for start_s, end_s in pairwise(edges)]


def over_the_times(times: Histogram) -> Iterator[TimesBin]:
    """Bins that look equally wide on a logarithmic axis, without the empty ones."""
    counts: Counter[int] = Counter()
    for value_s, count in times.counts():
        counts[math.floor(math.log10(value_s) * _PER_DECADE)] += count
    for at in sorted(counts):
        yield TimesBin(10 ** (at / _PER_DECADE), 10 ** ((at + 1) / _PER_DECADE), counts[at])


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
    )
