"""What a fault, or anything else that a run marks, cost those who uploaded. Pure arithmetic on a run's seconds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from upswarm import units
from upswarm.reports import rows
from upswarm.results.marks import Mark
from upswarm.results.run_file import Run
from upswarm.transfer.messages import Phase

WINDOW_S = 10.0
"""So long before and after it, goodput is looked at."""
_AT_ONCE_S = 1.0
"""What succeeds so soon after a server has been killed had been on its way."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What happened from a mark on until chunks arrived again, or until it was over if that was later: at `until_s`.

    `longest_gap_s` is the longest time without a chunk that succeeded. `first_success_s` is when that gap was over,
    counted from the mark's beginning, and `recovered_s` the same from its end, 0 where it was over before; None where
    nothing succeeded any more, or where the end is not known. Moments are as fine as `resolution_s`. Goodput is in
    bytes per second, None where the run has no such time.
    """

    until_s: float
    failed: int
    retries: int
    longest_gap_s: float
    first_success_s: float | None
    recovered_s: float | None
    resolution_s: float
    goodput_before: float | None
    goodput_during: float | None
    goodput_after: float | None

    def sentence(self) -> str:
        """For people."""
        goodput = " → ".join(
            rows.NONE if each is None else units.format_bandwidth(each)
            for each in (self.goodput_before, self.goodput_during, self.goodput_after)
        )
        failed = rows.counted(self.failed, "failed attempt")
        retries = "1 retry" if self.retries == 1 else f"{self.retries:,} retries"
        return f"{failed}, {retries}; {self._silence()}; goodput before, during and after: {goodput}."

    def _silence(self) -> str:
        gap = units.format_duration(self.longest_gap_s)
        if self.first_success_s is None:
            return f"no chunk arrived any more, for {gap}"
        if self.longest_gap_s < max(1.0, 2 * self.resolution_s):
            return "chunks arrived all the time"
        after = f", {units.format_duration(self.recovered_s)} after it ended" if self.recovered_s else ""
        began = units.format_duration(self.first_success_s)
        return f"no chunk arrived for {gap}, and the next one {began} after it began{after}"


def cost_of(run: Run, mark: Mark) -> Cost:
    """What the mark cost, as far as the run's seconds tell; where others came soon after, they share it."""
    width_s, moments = _successes(run)
    ended_s = mark.at_s if mark.until_s is None else min(mark.until_s, run.elapsed_s)
    looked_until_s = max(ended_s, mark.at_s + _AT_ONCE_S)
    gaps = [each for each in _gaps(moments, width_s, run.elapsed_s) if each[1] > mark.at_s and each[0] < looked_until_s]
    start, again_s = max(gaps, key=lambda each: each[1] - each[0], default=(mark.at_s, mark.at_s))
    over = again_s < run.elapsed_s
    until_s = max(ended_s, again_s)
    return Cost(
        until_s=until_s,
        failed=_failed(run, mark.at_s, until_s),
        retries=_retries(run, mark.at_s, until_s),
        longest_gap_s=again_s - start,
        first_success_s=max(0.0, again_s - mark.at_s) if over else None,
        recovered_s=max(0.0, again_s - ended_s) if over and mark.until_s is not None else None,
        resolution_s=width_s,
        goodput_before=_goodput(run, max(0.0, mark.at_s - WINDOW_S), mark.at_s),
        goodput_during=_goodput(run, mark.at_s, until_s),
        goodput_after=_goodput(run, until_s, min(until_s + WINDOW_S, run.elapsed_s)),
    )


def _successes(run: Run) -> tuple[float, list[float]]:
    """The beginnings of the stretches in which a chunk arrived, and their width: the finest that is known.

    Of single seconds of a long run it is only known whether any request succeeded.
    """
    intervals, seconds = run.measurements.intervals, run.measurements.seconds
    if intervals.width_s <= 1:
        chunks = ((at, each.phases.get(Phase.CHUNK)) for at, each in intervals.items())
        return intervals.width_s, sorted(
            at - intervals.width_s / 2 for at, tally in chunks if tally is not None and tally.response_time.count
        )
    return 1.0, [float(at) for at in sorted(seconds) if seconds[at].attempts > seconds[at].failed]


def _gaps(moments: list[float], width_s: float, elapsed_s: float) -> Iterator[tuple[float, float]]:
    """From where to where nothing succeeded: before, between and after the stretches in which something did."""
    ends = [0.0, *(at + width_s for at in moments)]
    yield from ((end, after) for end, after in zip(ends, [*moments, elapsed_s], strict=True) if after - end > 1e-9)


def _failed(run: Run, start_s: float, end_s: float) -> int:
    return sum(each.failed for at, each in run.measurements.seconds.items() if int(start_s) <= at < end_s)


def _retries(run: Run, start_s: float, end_s: float) -> int:
    intervals = run.measurements.intervals
    within = (each for at, each in intervals.items() if start_s <= at + intervals.width_s / 2 and at < end_s)
    return sum(tally.retries for each in within for tally in each.phases.values())


def _goodput(run: Run, start_s: float, end_s: float) -> float | None:
    """Of seconds that lie within only in part, the part counts."""
    if end_s - start_s < 0.1:
        return None
    seconds = run.measurements.seconds
    total = 0.0
    for at in range(int(start_s), math.ceil(end_s)):
        if at in seconds:
            total += seconds[at].finished_bytes * (min(at + 1, end_s) - max(at, start_s))
    return total / (end_s - start_s)
