"""One side of a comparison: some runs of the same thing, pooled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from upswarm.results import generator
from upswarm.results.comparison.batches import batches
from upswarm.results.comparison.noise import Noise, Resampled
from upswarm.results.histogram import Histogram
from upswarm.results.measurements import Measurements
from upswarm.results.metric import percentile_of
from upswarm.results.metrics import KEPT, Kind, Metric, Summary
from upswarm.results.run_file import Run

FEWEST_TIMES = 10
"""So many times must lie on either side of a percentile; for a mean there must be twice as many in all."""
_RESOLUTION_RATIO = 0.004 / math.sqrt(3)
"""The times of intervals lie within 0.4 %, anywhere there."""
_OF_A_RUN = ("count", "total")
_NOISELESS = (*_OF_A_RUN, "min", "max")


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric's aggregate on one side: None where there is no data. Where its noise is not known, `why_not` says why.

    Counts and totals are those of one run: the mean, where the side has several.
    """

    value: float | None
    noise: Noise | None = None
    why_not: str = ""


def has_noise(aggregate: str) -> bool:
    """Whether noise is known of it: a count grows with the run's length, and an extreme with the number of requests."""
    return aggregate not in _NOISELESS


class Side:
    """Runs of the same thing, with a letter to call them by."""

    def __init__(self, letter: str, runs: Sequence[Run]) -> None:
        self.letter = letter
        self.runs = tuple(runs)

    @property
    def name(self) -> str:
        """The runs' names."""
        return ", ".join(run.run_id for run in self.runs)

    @cached_property
    def summary(self) -> Summary:
        """The judged parts of all runs, added up: histograms are pooled, and bytes divided by all seconds."""
        if len(self.runs) == 1:
            return self.runs[0].judged
        total = Measurements()
        for run in self.runs:
            total.add(run.judged.measurements)
        return Summary(total, math.fsum(run.judged.elapsed_s for run in self.runs))

    @property
    def doubts(self) -> list[str]:
        """What makes these numbers doubtful, in sentences: a generator that failed, was saturated or was late."""
        return [doubt for run in self.runs for doubt in _doubts(run)]

    @property
    def is_valid(self) -> bool:
        """Whether no run's generator failed."""
        return not any(run.generator_faults for run in self.runs)

    def measures_the_same_as(self, other: Side) -> bool:
        """Whether both sides are the same runs; then there is nothing to compare."""
        return self._fingerprints == other._fingerprints

    def shares_runs_with(self, other: Side) -> bool:
        """Whether any run stands on both sides."""
        return bool(set(self._fingerprints) & set(other._fingerprints))

    @cached_property
    def _fingerprints(self) -> list[tuple[str, str, str]]:
        """Of each run: a name is not enough, for two machines may give the same."""
        return sorted((run.run_id, run.started_at, repr(run.measurements.to_document(brief=True))) for run in self.runs)

    def figure(self, metric: Metric, aggregate: str) -> Figure:
        """A figure of the pooled runs, and its noise."""
        value = metric.read(self.summary, aggregate)
        if value is None:
            return Figure(None, why_not=f"no data in {self.letter}")
        if not has_noise(aggregate):
            shared = value / len(self.runs) if aggregate in _OF_A_RUN else value
            return Figure(shared, why_not="counts, totals and extremes depend on the length of a run")
        if self._is_sparse(metric, aggregate):
            return Figure(value, why_not=f"too few times in {self.letter} for {aggregate}")
        resampled = self._in_batches if metric.name in KEPT and len(self.runs) == 1 else self._by_run
        noise = resampled.noise(metric, aggregate)
        if isinstance(noise, str):
            return Figure(value, why_not=noise if noise.startswith("not kept") else f"{noise}, in {self.letter}")
        return Figure(value, Noise(max(noise.error, self._least_error(metric, value)), noise.freedom))

    @cached_property
    def _in_batches(self) -> Resampled:
        return Resampled(batches(self.runs[0]), in_time=True)

    @cached_property
    def _by_run(self) -> Resampled:
        return Resampled([run.judged for run in self.runs], in_time=False)

    def _is_sparse(self, metric: Metric, aggregate: str) -> bool:
        times = metric.parts(self.summary.measurements)
        if not isinstance(times, Histogram):
            return False
        percentile = percentile_of(aggregate)
        share = 0.5 if percentile is None else min(percentile, 100 - percentile) / 100
        return times.count * share < FEWEST_TIMES

    def _least_error(self, metric: Metric, value: float) -> float:
        """That of independent events: where none of a hundred failed, the next may. Of times, their rounding."""
        if metric.kind is Kind.TIME:
            return value * _RESOLUTION_RATIO
        parts = metric.parts(self.summary.measurements)
        if metric.kind is not Kind.EVENTS or not isinstance(parts, tuple):
            return 0.0
        events, base = parts
        rate = (events + 0.5) / (base + 1)
        return math.sqrt(rate * (1 - rate if metric.share else 1.0) / base)


def _doubts(run: Run) -> list[str]:
    healths = ((worker.worker_id, worker.health) for worker in run.workers)
    return [f"{run.run_id}: {sentence}" for sentence in (*run.generator_faults, *generator.warnings(healths))]
