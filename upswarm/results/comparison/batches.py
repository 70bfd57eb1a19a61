"""A run in batches, for its noise: what is kept by interval, without the warm-up, in up to twenty pieces."""

from __future__ import annotations

import math

from upswarm.results.batches import merged
from upswarm.results.metrics import Summary
from upswarm.results.run_file import Run

MOST_BATCHES = 20
"""Few and long: what follows on one another within a batch may depend on one another as it likes."""


def batches(run: Run) -> list[Summary]:
    """The judged part of a run, from its beginning to its end; one piece, the whole, where it has no intervals."""
    intervals = run.measurements.intervals
    if not len(intervals):
        return [run.judged]
    width_s = intervals.width_s
    first = 0 if run.settled is None else math.ceil(run.warm_up_s / width_s - 1e-9)
    numbers = range(first, max(math.ceil(run.elapsed_s / width_s - 1e-9), len(intervals)))
    count = min(MOST_BATCHES, len(numbers))
    groups = (numbers[len(numbers) * at // count : len(numbers) * (at + 1) // count] for at in range(count))
    return [Summary(merged(map(intervals.at, group)), _seconds(group, width_s, run.elapsed_s)) for group in groups] or [
        run.judged
    ]


def _seconds(numbers: range, width_s: float, elapsed_s: float) -> float:
    """How much of the run these intervals cover: the last may reach beyond its end."""
    return max(0.0, min(numbers.stop * width_s, elapsed_s) - numbers.start * width_s)
