"""An objective is a threshold that is judged with the doubts of a measurement: it holds, is broken, or is unclear."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from upswarm.plugins import did_you_mean
from upswarm.results.batches import Estimate, Part, estimate
from upswarm.results.metrics import KEPT, Kind
from upswarm.results.thresholds import Threshold, ThresholdError

__all__ = ["KEPT", "Finding", "Judgement", "judge", "parse"]

_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_AT_ONCE = ("count", "total", "min", "max")


class Judgement(StrEnum):
    """What can be said of an objective."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of an objective at one load. Figures are in the metric's own unit; None where there are too few."""

    objective: str
    judgement: Judgement
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def observed(self) -> str:
        """The figure for people, or what is missing."""
        threshold = Threshold.parse(self.objective)
        return (
            "too little data" if self.value is None else threshold.metric.unit(threshold.aggregate).format(self.value)
        )

    @property
    def range(self) -> str:
        """From where to where the figure may lie, for people; "" where it is exact or not known."""
        if self.low is None or self.high is None or self.low == self.high:
            return ""
        threshold = Threshold.parse(self.objective)
        unit = threshold.metric.unit(threshold.aggregate)
        return f"{unit.format(max(self.low, 0.0))} to {unit.format(self.high)}"

    def is_broken_beyond(self, lag_s: float) -> bool:
        """Whether it is broken even if times are too long by so much."""
        threshold = Threshold.parse(self.objective)
        if self.judgement is not Judgement.BROKEN or threshold.metric.kind is not Kind.TIME or self.low is None:
            return self.judgement is Judgement.BROKEN
        return threshold.operator not in {"<", "<="} or self.low - lag_s > threshold.value

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> Finding:
        """What `dataclasses.asdict` made of a finding, after it went through JSON."""
        return cls(**{**document, "judgement": Judgement(document["judgement"])})


def parse(text: str) -> Threshold:
    """An objective in the grammar of thresholds; raises `ThresholdError`, also where it can't be judged by interval."""
    threshold = Threshold.parse(text)
    if not threshold.plain:
        raise ThresholdError(
            f"expected an objective without selector, window and baseline, found {text!r}",
            "a step of a search is judged as a whole, by itself",
        )
    if threshold.metric.name not in KEPT:
        raise ThresholdError(
            f"expected a metric that is kept by interval, found {threshold.metric.name} in {text!r}",
            did_you_mean(threshold.metric.name, list(KEPT)) or f"these are {', '.join(KEPT)}",
        )
    return threshold


def judge(objective: Threshold, part: Part | None) -> Finding:
    """Whether it holds at the load that was measured. What has not settled can break, and can't hold."""
    if part is None:
        return Finding(objective.text, Judgement.UNCLEAR)
    at_once = objective.aggregate in _AT_ONCE or objective.operator not in _ORDERS
    found = _at_once(objective, part) if at_once else _by_batch(objective, part)
    if part.is_settled or (found.judgement is Judgement.BROKEN and not objective.judge(part.batches[-1]).holds):
        return found
    return replace(found, judgement=Judgement.UNCLEAR)


def _by_batch(objective: Threshold, part: Part) -> Finding:
    figure = estimate(part, objective.metric, objective.aggregate)
    if figure is None:
        return Finding(objective.text, Judgement.UNCLEAR)
    return Finding(objective.text, _judgement(objective, figure), figure.value, figure.low, figure.high)


def _at_once(objective: Threshold, part: Part) -> Finding:
    """A count or an extreme is not nearer the truth in ten batches than in one."""
    value = objective.metric.read(part.whole, objective.aggregate)
    if value is None:
        return Finding(objective.text, Judgement.UNCLEAR)
    holds = objective.judge(part.whole).holds
    return Finding(objective.text, Judgement.HOLDS if holds else Judgement.BROKEN, value, value, value)


def _judgement(objective: Threshold, figure: Estimate) -> Judgement:
    best, worst = (figure.low, figure.high) if objective.operator in {"<", "<="} else (figure.high, figure.low)
    if _ORDERS[objective.operator](worst, objective.value):
        return Judgement.HOLDS
    return Judgement.UNCLEAR if _ORDERS[objective.operator](best, objective.value) else Judgement.BROKEN
