"""Gates: `chunk.response_time p99 > +10% and > +5ms` fails a comparison. A gate without data fails too."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from upswarm import units
from upswarm.errors import EXIT_GENERATOR, EXIT_OK, EXIT_THRESHOLD
from upswarm.results.comparison.comparison import DEFAULT_BAND_RATIO, Change, Comparison, change_of
from upswarm.results.comparison.sides import has_noise
from upswarm.results.histogram import Histogram
from upswarm.results.measurements import Measurements
from upswarm.results.metrics import Kind, Metric
from upswarm.results.slices import Slice
from upswarm.results.threshold_grammar import Selector, ThresholdError, known_aggregate, named_metric

EXAMPLE = "chunk.response_time p99 > +10% and > +5ms"
_GATE = re.compile(
    r"(?P<metric>[^\s{}]+)\s*(?:\{(?P<selector>[^{}]*)\})?\s+(?P<aggregate>[^\s<>]+)\s*(?P<conditions>[<>].*)"
)
_CONDITION = re.compile(r"(?P<operator><=|>=|<|>)\s*(?P<sign>[+-])\s*(?P<amount>\S.*)")
_OPERATORS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}
_POINTS = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*pp")


@dataclass(frozen=True, slots=True)
class Condition:
    """A change as a share of the base's figure (`is_ratio`), or in the metric's unit."""

    operator: str
    amount: float
    is_ratio: bool

    def applies(self, base: float, other: float) -> bool:
        """Whether the change is so large, or so small. From nothing to something is beyond any ratio."""
        change = other - base
        if self.is_ratio and change:
            change = change / base if base else math.copysign(math.inf, change)
        return bool(_OPERATORS[self.operator](change, self.amount))


@dataclass(frozen=True, slots=True)
class Gate:
    """What may not become of a figure: it fails where all its conditions apply."""

    text: str
    metric: Metric
    aggregate: str
    conditions: tuple[Condition, ...]

    @classmethod
    def parse(cls, text: str) -> Gate:
        """Read `METRIC AGGREGATE CONDITION [and CONDITION]…`; raises `ThresholdError`."""
        match = _GATE.fullmatch(text.strip())
        if match is None:
            raise ThresholdError(f"expected METRIC AGGREGATE CHANGE such as {EXAMPLE!r}, found {text!r}")
        metric = named_metric(match["metric"])
        aggregate = known_aggregate(metric, match["aggregate"])
        texts = re.split(r"\s+and\s+", match["conditions"].strip())
        conditions = tuple(_condition(each, metric, aggregate) for each in texts)
        chosen = metric if match["selector"] is None else _of_class(metric, Selector.parse(match["selector"], metric))
        return cls(text.strip(), chosen, aggregate, conditions)

    @property
    def can_be_sure(self) -> bool:
        """Whether the noise of its figure is ever known."""
        return has_noise(self.aggregate)

    def judge(self, comparison: Comparison, *, sure: bool = False) -> GateVerdict:
        """Whether it fails; where it has to be `sure`, only beyond the noise."""
        change = change_of(
            comparison.base,
            comparison.other,
            self.metric,
            self.aggregate,
            DEFAULT_BAND_RATIO,
            identical=comparison.identical,
        )
        if change.base is None or change.other is None:
            return GateVerdict(self, change, applies=False, fails=True)
        applies = all(each.applies(change.base, change.other) for each in self.conditions)
        return GateVerdict(self, change, applies, fails=applies and (change.is_significant or not sure))


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """What became of a gate."""

    gate: Gate
    change: Change
    applies: bool
    fails: bool

    @property
    def note(self) -> str:
        """Why it fails or passes, where the numbers alone do not tell."""
        if self.change.difference is None:
            return self.change.reason
        if not self.applies or self.change.is_significant:
            return ""
        return "within the noise" if self.change.low is not None else f"noise not known: {self.change.reason}"


@dataclass(frozen=True, slots=True)
class Judged:
    """A comparison, and what became of each gate."""

    comparison: Comparison
    verdicts: tuple[GateVerdict, ...] = ()

    @property
    def exit_code(self) -> int:
        """5 a run that gates were judged by is no measurement, 3 a gate fails, else 0."""
        if self.verdicts and not (self.comparison.base.is_valid and self.comparison.other.is_valid):
            return EXIT_GENERATOR
        return EXIT_THRESHOLD if any(verdict.fails for verdict in self.verdicts) else EXIT_OK


def judge(comparison: Comparison, gates: Sequence[Gate], *, sure: bool = False) -> Judged:
    """Judge all gates by a comparison."""
    return Judged(comparison, tuple(gate.judge(comparison, sure=sure) for gate in gates))


def _of_class(metric: Metric, selector: Selector) -> Metric:
    """The same metric of one class of files, which is kept for whole runs. Workers have no namesakes in other runs."""
    if selector.by != "class" or selector.each:
        raise ThresholdError(f"expected one class of files such as {{class=large}} in a gate, found {selector}")

    def parts(measured: Measurements) -> Histogram | tuple[int, int] | int:
        return metric.parts(Measurements.of_slice(measured.classes.get(selector.name, Slice())))

    return replace(metric, name=f"{metric.name}{selector}", parts=parts)


def _condition(text: str, metric: Metric, aggregate: str) -> Condition:
    match = _CONDITION.fullmatch(text.strip())
    if match is None:
        raise ThresholdError(f"expected a change with its sign, such as > +10% or < -5ms, found {text.strip()!r}")
    amount, sign = match["amount"].strip(), -1 if match["sign"] == "-" else 1
    try:
        if amount.endswith("%"):
            return Condition(match["operator"], sign * units.parse_ratio(amount, most=math.inf), is_ratio=True)
        return Condition(match["operator"], sign * _absolute(amount, metric, aggregate), is_ratio=False)
    except units.UnitError as error:
        raise ThresholdError(f"{error}, in {text.strip()!r}") from None


def _absolute(amount: str, metric: Metric, aggregate: str) -> float:
    """In the metric's unit; shares in points, `0.5pp`, for a per cent sign stands for a share of the base."""
    if metric.kind is Kind.USE or (metric.kind is Kind.EVENTS and aggregate == "rate"):
        points = _POINTS.fullmatch(amount)
        if points is None:
            raise units.UnitError("a share of the base such as 10%, or percentage points such as 0.5pp", amount)
        return float(points["number"]) / 100
    return metric.unit(aggregate).parse(amount)
