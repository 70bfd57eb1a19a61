"""Two sides of runs compared: each metric with its change, how sure that is, and a word.

A word needs evidence. Better and worse need a change that noise does not explain and that is large enough to matter;
"same" needs a change that can't be large; what is neither is unclear.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from upswarm.results.batches import student_t
from upswarm.results.comparison.noise import Noise
from upswarm.results.comparison.sides import Figure, Side
from upswarm.results.metrics import METRICS, Kind, Metric

DEFAULT_BAND_RATIO = 0.05
SHARE_BAND = 0.01
"""What is the same among rates of events, which are often 0: a hundredth of the attempts, or uploads."""
SHARE_FLOOR = 0.001
"""A change of a rate that is smaller is no better and no worse."""
_T_995 = (
    63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169, 3.106, 3.055, 3.012, 2.977, 2.947,
    2.921, 2.898, 2.878, 2.861, 2.845, 2.831, 2.819, 2.807, 2.797, 2.787, 2.779, 2.771, 2.763, 2.756, 2.750,
)  # fmt: skip
_AGGREGATES = {Kind.TIME: ("p50", "p95", "p99"), Kind.EVENTS: ("rate",), Kind.VOLUME: ("mean",), Kind.USE: ("mean",)}
_MORE_IS_BETTER = ("goodput", "upload.finished", "connections.reused")
_NEITHER = ("sent", "upload.aborted", "upload.interruptions", "generator.cpu")


class Word(StrEnum):
    """What can be said of a change. `different` is for what is neither good nor bad, such as bytes that were sent."""

    BETTER = "better"
    WORSE = "worse"
    DIFFERENT = "different"
    SAME = "same"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Change:
    """A figure of the base and of the other side; from where to where their difference may lie, where that is known.

    All are in the metric's own unit. `reason` says why a word is unclear.
    """

    metric: Metric
    aggregate: str
    base: float | None
    other: float | None
    low: float | None
    high: float | None
    word: Word
    reason: str = ""

    @property
    def difference(self) -> float | None:
        """By how much the other is more than the base."""
        return None if self.base is None or self.other is None else self.other - self.base

    @property
    def is_significant(self) -> bool:
        """Whether noise alone does not explain the difference."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The other side as it is beside the base; `identical` sides are the same runs."""

    base: Side
    other: Side
    identical: bool
    changes: tuple[Change, ...]


def compare(base: Side, other: Side, band_ratio: float = DEFAULT_BAND_RATIO) -> Comparison:
    """Every metric in the aggregates that are worth a row; figures within the band are the same."""
    identical = base.measures_the_same_as(other)
    changes = tuple(
        change_of(base, other, metric, aggregate, band_ratio, identical=identical) for metric, aggregate in standard()
    )
    return Comparison(base, other, identical, changes)


def standard() -> Iterator[tuple[Metric, str]]:
    """What a comparison looks at unless it is asked for more: no attempts' rates, which only mirror one another."""
    for metric in METRICS.values():
        if not metric.name.endswith(".attempts"):
            yield from ((metric, aggregate) for aggregate in _AGGREGATES[metric.kind])


def change_of(base: Side, other: Side, metric: Metric, aggregate: str, band_ratio: float, *, identical: bool) -> Change:
    """One figure's change from the base to the other side. Runs compared with themselves are the same, without dice."""
    one = base.figure(metric, aggregate)
    if identical:
        zero = None if one.value is None else 0.0
        return Change(metric, aggregate, one.value, one.value, zero, zero, Word.SAME, "the same runs")
    two = other.figure(metric, aggregate)
    if one.value is None or two.value is None or one.noise is None or two.noise is None:
        reason = _why_not(one, two)
        return Change(metric, aggregate, one.value, two.value, None, None, Word.UNCLEAR, reason)
    error, freedom = _error((one.noise, two.noise))
    difference, half_width = two.value - one.value, _t_995(freedom) * error
    low, high = difference - half_width, difference + half_width
    word = _word(metric, (low, high), band_ratio * one.value, abs(difference) + student_t(freedom) * error)
    reason = "" if word is not Word.UNCLEAR else _doubt(low, high)
    return Change(metric, aggregate, one.value, two.value, low, high, word, reason)


def _why_not(one: Figure, two: Figure) -> str:
    if one.value is None and two.value is None:
        return "no data"
    missing = next((each for each in (one, two) if each.value is None), None)
    return missing.why_not if missing else one.why_not or two.why_not


def _error(noises: Sequence[Noise]) -> tuple[float, int]:
    """The standard error of a difference, and Welch's degrees of freedom for it."""
    variances = [noise.error**2 for noise in noises]
    total = math.fsum(variances)
    if total == 0:
        return 0.0, 1  # whatever it is multiplied with
    spread = math.fsum(variance**2 / noise.freedom for variance, noise in zip(variances, noises, strict=True))
    return math.sqrt(total), max(1, math.floor(total**2 / spread + 1e-9))


def _t_995(freedom: int) -> float:
    return _T_995[min(freedom, len(_T_995)) - 1]


def _word(metric: Metric, interval: tuple[float, float], band: float, largest: float) -> Word:
    """`largest` is how large the difference may be, in either direction, with a confidence of 95 %."""
    low, high = interval
    is_rate = metric.kind is Kind.EVENTS
    floor, band = (SHARE_FLOOR, SHARE_BAND) if is_rate else (band, band)
    if (low > 0 or high < 0) and abs(low + high) / 2 > floor:
        return _direction(metric, is_more=low > 0)
    return Word.SAME if largest <= band else Word.UNCLEAR


def _direction(metric: Metric, *, is_more: bool) -> Word:
    if metric.name in _NEITHER:
        return Word.DIFFERENT
    return Word.BETTER if is_more == (metric.name in _MORE_IS_BETTER) else Word.WORSE


def _doubt(low: float, high: float) -> str:
    return "too much noise" if low <= 0 <= high else "a small change, or a large one"
