"""Whether all uploads that a run had to make were somebody's: what its workers tell of, held against what was planned.

A schedule has so many arrivals, and iterations are so many uploads, on any number of workers. What is missing in the
end was nobody's, and a rate that was not on the wire is in no percentile: so it has to be said.
"""

from __future__ import annotations

from collections.abc import Collection

from upswarm.results.measurements import Measurements
from upswarm.workload.kinds import FixedLoad, OpenLoad, Workload


def imbalance(workload: Workload, measured: Measurements, following: Collection[int], *, complete: bool) -> str:
    """What does not add up, in a sentence; empty where all does, or where nobody can say how many there should be.

    `following` are the slots of those who stayed until the end, each as the number that would have come next.
    """
    match workload:
        case OpenLoad(schedule, slots) if complete or following:
            tally, count = measured.arrivals, schedule.count
            told = f"{tally.begun:,} begun, {tally.dropped:,} dropped"
            spared = 0
            if not complete:
                spared = _cut_off(count, slots, following)
                told += f", {spared:,} cut off by the early end"
            return _sentence(count - tally.begun - tally.dropped - spared, f"{count:,} arrivals", told)
        case FixedLoad(iterations) if complete:
            made = measured.files.made
            return _sentence(iterations.count - made, f"{iterations.count:,} uploads", f"{made:,} begun")
    return ""


def _cut_off(count: int, slots: int, following: Collection[int]) -> int:
    """How many of so many arrivals were still to come when a run ended early.

    Of a slot that nobody had in the end, those after the last one that anybody took.
    """
    next_due = max(following) - slots + 1
    found = {number % slots: number for number in following}
    firsts = (found.get(slot, next_due + (slot - next_due) % slots) for slot in range(slots))
    return sum(len(range(first, count, slots)) for first in firsts)


def _sentence(left: int, planned: str, told: str) -> str:
    if left > 0:
        return (
            f"{left:,} of the run's {planned} were nobody's ({told}): so many fewer were sent than had been asked for, "
            "or nothing is known of them"
        )
    if left < 0:
        return f"{-left:,} of the run's {planned} were begun twice ({told}), for whoever had them first was lost"
    return ""
