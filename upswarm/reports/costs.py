"""What a fault, or anything else that a run marks, cost those who uploaded. Pure arithmetic on a run's intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

from upswarm import units
from upswarm.reports import rows
from upswarm.results.marks import Mark, MarkKind
from upswarm.results.run_file import Run
from upswarm.results.stretches import Stretches

WINDOW_S = 10.0
"""So long before and after it, goodput is looked at."""
_SHORTEST_S = 1.0
"""Of less time than that, goodput is chance: it counts a file when it is finished."""
_AT_ONCE_S = 1.0
"""What succeeds so soon after a server has been killed had been on its way."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What happened from a mark on until chunks arrived again, or until it was over if that was later: at `until_s`.

    `longest_gap_s` is the longest time without a chunk that succeeded. `first_success_s` is when that gap was over,
    counted from the mark's beginning, and `recovered_s` the same from its end, 0 where it was over before; None where
    nothing succeeded any more, or where the end is not known. Moments may be off by `resolution_s`. Goodput is in bytes
    per second, None where the run has no such time, or less than a second of it.
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
        return f"{self.attempts()}; {self.silence()}; {self.goodput()}."

    def goodput(self) -> str:
        """Before it, meanwhile, and afterwards."""
        goodput = " → ".join(
            rows.NONE if each is None else units.format_bandwidth(each)
            for each in (self.goodput_before, self.goodput_during, self.goodput_after)
        )
        return f"goodput before, during and after: {goodput}"

    def attempts(self) -> str:
        """Those that failed, and those that were made once more."""
        retries = "1 retry" if self.retries == 1 else f"{self.retries:,} retries"
        return f"{rows.counted(self.failed, 'failed attempt')}, {retries}"

    def silence(self) -> str:
        """For how long no chunk arrived, and since when they did again."""
        gap = units.format_duration(self.longest_gap_s)
        if self.first_success_s is None:
            return f"no chunk arrived any more, for {gap}"
        if self.longest_gap_s < 2 * self.resolution_s:
            return f"never more than {gap} without a chunk" if self.longest_gap_s else "chunks arrived all the time"
        after = f", {units.format_duration(self.recovered_s)} after it ended" if self.recovered_s else ""
        began = units.format_duration(self.first_success_s)
        return f"no chunk arrived for {gap}, and the next one {began} after it began{after}"


def cost_of(run: Run, mark: Mark) -> Cost:
    """What the mark cost, as far as the run's intervals tell; where others came soon after, they share it."""
    stretches = Stretches.of(run.measurements)
    width_s, arrived = stretches.width_s, [each for each in stretches.all if each.arrived]
    ended_s = mark.at_s if mark.until_s is None else min(mark.until_s, run.elapsed_s)
    looked_until_s = max(ended_s, min(mark.at_s + _AT_ONCE_S, _next_fault_s(run, mark) - width_s))
    gaps = stretches.gaps(arrived, run.elapsed_s, reach_s=0.0)
    near = [each for each in gaps if each[1] > mark.at_s and each[0] < looked_until_s]
    start, again_s = max(near, key=lambda each: each[1] - each[0], default=(mark.at_s, mark.at_s))
    over = again_s < run.elapsed_s
    until_s = max(ended_s, again_s)

    def goodput(start_s: float, end_s: float) -> float | None:
        """None of times too short to tell; of a stretch that lies within in part, the part counts."""
        if end_s - start_s < max(_SHORTEST_S, width_s):
            return None
        total = sum(each.finished_bytes * share for each, share in stretches.within(start_s, end_s))
        return total / (end_s - start_s)

    return Cost(
        until_s=until_s,
        failed=stretches.failed(mark.at_s, until_s),
        retries=_retries(run, mark.at_s, until_s),
        longest_gap_s=again_s - start,
        first_success_s=max(0.0, again_s - mark.at_s) if over else None,
        recovered_s=max(0.0, again_s - ended_s) if over and mark.until_s is not None else None,
        resolution_s=width_s,
        goodput_before=goodput(max(0.0, mark.at_s - WINDOW_S), mark.at_s),
        goodput_during=goodput(mark.at_s, until_s),
        goodput_after=goodput(until_s, min(until_s + WINDOW_S, run.elapsed_s)),
    )


def _next_fault_s(run: Run, mark: Mark) -> float:
    """When the next thing was broken: what comes then is not this one's."""
    later = (each.at_s for each in run.marks if each.kind is MarkKind.FAULT and each.at_s > mark.at_s)
    return min(later, default=math.inf)


def _retries(run: Run, start_s: float, end_s: float) -> int:
    intervals = run.measurements.intervals
    half_s = intervals.width_s / 2
    within = (each for at, each in intervals.items() if start_s < at + half_s and at - half_s < end_s)
    return sum(tally.retries for each in within for tally in each.phases.values())
