"""How far a figure would move if the runs, or the batches of the only run, had come out otherwise: a bootstrap.

Where a side has several runs these are drawn with replacement, else the batches of the only one. What was weighed
stands in docs/design/comparison.md. The dice have a fixed seed, so that the same files always give the same words.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import mul

from upswarm.results.histogram import Histogram
from upswarm.results.metric import percentile_of
from upswarm.results.metrics import Kind, Metric, Summary

RESAMPLES = 1000
FEWEST_BATCHES = 8
"""Of one run, with data in them."""
_SEED = 20_250_314
_MOST_ALIKE = 0.8

Weights = Sequence[int]
Figure = Callable[[Weights], float | None]


@dataclass(frozen=True, slots=True)
class Noise:
    """The standard error of a figure in its own unit, and by how many degrees of freedom it is known."""

    error: float
    freedom: float


class Resampled:
    """Pieces of a side, and a thousand ways in which as many could have been drawn from them.

    The pieces are whole runs or, `in_time`, the batches of the only run, each of which may resemble the one before.
    """

    def __init__(self, pieces: Sequence[Summary], *, in_time: bool) -> None:
        self._pieces = pieces
        self._in_time = in_time
        dice = random.Random(_SEED)
        self._weights = [_drawn(len(pieces), dice) for _ in range(RESAMPLES)]

    def noise(self, metric: Metric, aggregate: str) -> Noise | str:
        """The noise of a percentile, a mean or a rate, or a few words on why it can't be told."""
        if len(self._pieces) == 1:
            return "not kept by interval: take several runs"
        known = sum(_has_data(metric, piece) for piece in self._pieces)
        if self._in_time and known < FEWEST_BATCHES:
            return f"data in {known} batches only, {FEWEST_BATCHES} are needed"
        if known == 1:
            return "data in one run only"
        independent = known / self._dependence(metric) if self._in_time else known
        variance = self._variance(metric, aggregate) * known / (known - 1)
        return Noise(math.sqrt(variance * known / independent), max(1.0, independent - 1))

    def _variance(self, metric: Metric, aggregate: str) -> float:
        """That of the figure, over all draws."""
        parts = [metric.parts(piece.measurements) for piece in self._pieces]
        figure = _figure(parts, [piece.elapsed_s for piece in self._pieces], aggregate)
        values = [value for weights in self._weights if (value := figure(weights)) is not None]
        mean = math.fsum(values) / len(values)
        return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)

    def _dependence(self, metric: Metric) -> float:
        """How many neighbouring batches tell as much as one that stands alone; 1, where they do not depend.

        Their correlation comes out too small from a short series, and is corrected for that (Kendall 1954).
        """
        aggregate = "rate" if metric.kind is Kind.EVENTS else "mean"
        levels = [metric.read(piece, aggregate) or 0.0 for piece in self._pieces if _has_data(metric, piece)]
        count, mean = len(levels), math.fsum(levels) / len(levels)
        squares = math.fsum((level - mean) ** 2 for level in levels)
        if squares <= (1e-9 * mean) ** 2:
            return 1.0
        found = math.fsum((one - mean) * (two - mean) for one, two in pairwise(levels)) / squares
        likeness = min(max((found + 1 / count) / (1 - 3 / count), 0.0), _MOST_ALIKE)
        return (1 + likeness) / (1 - likeness)


def _has_data(metric: Metric, batch: Summary) -> bool:
    match metric.parts(batch.measurements):
        case Histogram() as times:
            return times.count > 0
        case (_, base):
            return base > 0
    return batch.elapsed_s > 0


def _drawn(count: int, dice: random.Random) -> list[int]:
    """How often each piece was drawn: as many as there are, with replacement."""
    weights = [0] * count
    for piece in dice.choices(range(count), k=count):
        weights[piece] += 1
    return weights


def _figure(parts: Sequence[Histogram | tuple[int, int] | int], lengths_s: Sequence[float], aggregate: str) -> Figure:
    """A function that reads the aggregate of batches which were drawn so and so often."""
    times = [part for part in parts if isinstance(part, Histogram)]
    if times:
        percentile = percentile_of(aggregate)
        return _mean(times) if percentile is None else _percentile(times, percentile)
    pairs = [part if isinstance(part, tuple) else (part, length_s)
             for part, length_s in zip(parts, lengths_s, strict=True) if not isinstance(part, Histogram)]  # fmt: skip
    return _ratio([above for above, _ in pairs], [below for _, below in pairs])


def _ratio(above: Sequence[float], below: Sequence[float]) -> Figure:
    def figure(weights: Weights) -> float | None:
        base = sum(map(mul, weights, below))
        return sum(map(mul, weights, above)) / base if base else None

    return figure


def _mean(times: Sequence[Histogram]) -> Figure:
    counts = [each.count for each in times]
    return _ratio([(each.mean_s or 0.0) * count for each, count in zip(times, counts, strict=True)], counts)


def _percentile(times: Sequence[Histogram], percentile: float) -> Figure:
    """A row for each time that was seen: how many of each batch were no longer. The search reads a dozen of them."""
    each = [dict(histogram.counts()) for histogram in times]
    seen = sorted(set().union(*each))
    ranks = list(zip(*([*accumulate(counts.get(time_s, 0) for time_s in seen)] for counts in each), strict=True))

    def figure(weights: Weights) -> float | None:
        def up_to(row: Sequence[int]) -> int:
            return sum(map(mul, weights, row))

        rank = math.ceil(round(percentile * up_to(ranks[-1]) / 100, 6))
        return seen[bisect_left(ranks, max(rank, 1), key=up_to)] if up_to(ranks[-1]) else None

    return figure
