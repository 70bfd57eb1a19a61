"""Thresholds: `chunk.response_time p99 < 400ms`. A threshold without data does not hold."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import Any

from upswarm.plugins import did_you_mean
from upswarm.results.metrics import METRICS, Metric, Summary
from upswarm.units import UnitError

_OPERATORS = {
    "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
_EXPRESSION = re.compile(r"(?P<metric>\S+)\s+(?P<aggregate>\S+)\s*(?P<operator><=|>=|==|!=|<|>)\s*(?P<value>.+)")
NO_DATA = "no data"
EXAMPLE = "chunk.response_time p99 < 400ms"


class ThresholdError(ValueError):
    """A text that is no threshold; `hint` may hold the nearest right word."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a threshold: `observed` is a text for people, or `NO_DATA`."""

    threshold: str
    holds: bool
    observed: str

    def to_document(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return {"threshold": self.threshold, "holds": self.holds, "observed": self.observed}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A metric's aggregate, compared with a value in the metric's unit."""

    text: str
    metric: Metric
    aggregate: str
    operator: str
    value: float

    @classmethod
    def parse(cls, text: str) -> Threshold:
        """Read `METRIC AGGREGATE OPERATOR VALUE`; raises `ThresholdError`."""
        match = _EXPRESSION.fullmatch(text.strip())
        if match is None:
            raise ThresholdError(f"expected METRIC AGGREGATE OPERATOR VALUE such as {EXAMPLE!r}, found {text!r}")
        metric = METRICS.get(match["metric"])
        if metric is None:
            raise ThresholdError(
                f"expected a metric of docs/metrics.md, found {match['metric']!r}",
                did_you_mean(match["metric"], list(METRICS)),
            )
        if not metric.kind.knows(match["aggregate"]):
            known = ", ".join(metric.kind.aggregates)
            raise ThresholdError(
                f"expected one of {known} after {metric.name}, found {match['aggregate']!r}",
                did_you_mean(match["aggregate"], list(metric.kind.aggregates)),
            )
        try:
            value = metric.unit(match["aggregate"]).parse(match["value"])
        except UnitError as error:
            raise ThresholdError(str(error)) from None
        return cls(text.strip(), metric, match["aggregate"], match["operator"], value)

    def judge(self, summary: Summary) -> Verdict:
        """Whether it holds; without data it does not."""
        observed = self.metric.read(summary, self.aggregate)
        if observed is None:
            return Verdict(self.text, False, NO_DATA)
        holds = bool(_OPERATORS[self.operator](observed, self.value))
        return Verdict(self.text, holds, self.metric.unit(self.aggregate).format(observed))
