"""The text of a threshold, taken apart: `chunk.response_time{class=large} p99 over last 30s < baseline * 1.1`.

The grammar stands in docs/metrics.md. What is wrong is a `ThresholdError`: what was expected, and what was found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from upswarm import units
from upswarm.plugins import did_you_mean
from upswarm.results.metric import Unit
from upswarm.results.metrics import METRICS, Metric

EACH = "each"
BASELINE = "baseline"
EXAMPLE = "chunk.response_time p99 < 400ms"
SELECTORS = ("class", "worker")
LEAST_WINDOW_S = 1.0
"""Workers report once a second at most, and what has not been heard of yet can't be judged."""
_EXPRESSION = re.compile(
    r"(?P<metric>[^\s{}]+)\s*(?:\{(?P<selector>[^{}]*)\})?\s+(?P<aggregate>[^\s<>=!]+)"
    r"(?:\s+over\s+last\s+(?P<window>[^<>=!]+?))?\s*(?P<operator><=|>=|==|!=|<|>)\s*(?P<bound>.+)",
    re.DOTALL,
)
_OF_BASELINE = re.compile(rf"{BASELINE}(?:\s*(?P<sign>[*+-])\s*(?P<amount>.*))?", re.DOTALL)
_FACTOR = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_EQUALS = re.compile(r"[^<>=!]=(?![=<>])[^{}]*")
_SLIPS = {"=<": "<=", "=>": ">=", "≤": "<=", "≥": ">=", "≠": "!=", "<>": "!="}
_OTHER_WORDS = {"avg": "mean", "average": "mean", "median": "p50", "sum": "total", "share": "rate", "ratio": "rate"}


class ThresholdError(ValueError):
    """A text that is no threshold; `hint` may hold the nearest right word."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Selector:
    """`{class=large}` or `{worker=each}`: of which part of a run a metric is read."""

    by: str
    name: str

    @property
    def each(self) -> bool:
        """Whether every part has to hold by itself."""
        return self.name == EACH

    def __str__(self) -> str:
        return f"{{{self.by}={self.name}}}"

    @classmethod
    def parse(cls, text: str, metric: Metric) -> Selector:
        """Read what stands between the braces; raises `ThresholdError`, also where the metric has no such parts."""
        by, equals, name = (part.strip() for part in text.partition("="))
        if by not in SELECTORS or not equals or not name or not name.isprintable():
            raise ThresholdError(f"expected class=NAME or worker=NAME in the braces, found {text!r}",
                                 did_you_mean(by, list(SELECTORS)) if by not in SELECTORS else "")  # fmt: skip
        if not metric.by_part:
            raise ThresholdError(f"expected no {{{by}=…}} after {metric.name}, for it is kept of the whole run only",
                                 "metrics of phases and uploads are kept by class and worker")  # fmt: skip
        return cls(by, name)


@dataclass(frozen=True, slots=True)
class Bound:
    """What is compared with: `factor` times the baseline's own figure, and `value` more; the factor may be 0."""

    text: str
    value: float
    factor: float = 0.0

    @classmethod
    def parse(cls, text: str, unit: Unit) -> Bound:
        """Read a value in this unit, or one of a baseline; raises `ThresholdError`."""
        text = " ".join(text.split())
        found = _OF_BASELINE.fullmatch(text)
        try:
            if found is None:
                return cls(text, unit.parse(text))
            return cls._of_baseline(found["sign"] or "", (found["amount"] or "").strip(), unit)
        except units.UnitError as error:
            raise ThresholdError(str(error), _about_bound(text)) from None

    @classmethod
    def _of_baseline(cls, sign: str, amount: str, unit: Unit) -> Bound:
        text = f"{BASELINE} {sign} {amount}" if sign else BASELINE
        if not sign:
            return cls(text, 0.0, 1.0)
        change = 1 if sign == "+" else -1
        if sign == "*":
            factor = float(amount) if _FACTOR.fullmatch(amount) else 0.0
            expected = "a number above 0 such as 1.1"
        elif amount.endswith("%"):
            factor = 1 + change * units.parse_ratio(amount, most=float("inf"))
            expected = "less than 100%"
        else:
            return cls(text, change * unit.parse(amount), 1.0)
        if factor <= 0:
            raise ThresholdError(f"expected {expected} after `{BASELINE} {sign}`, found {amount!r}")
        return cls(text, 0.0, factor)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A threshold's parts; `text` is all of them in the usual spelling. `window_s` is None for the whole run."""

    metric: Metric
    selector: Selector | None
    aggregate: str
    window_s: float | None
    operator: str
    bound: Bound
    text: str


def read(text: str) -> Sentence:
    """Take a threshold apart; raises `ThresholdError`."""
    match = _EXPRESSION.fullmatch(text.strip())
    if match is None:
        expected = f"expected METRIC AGGREGATE OPERATOR VALUE such as {EXAMPLE!r}"
        raise ThresholdError(f"{expected}, found {text!r}", _about_order(text))
    metric = named_metric(match["metric"])
    aggregate = known_aggregate(metric, match["aggregate"])
    selector = None if match["selector"] is None else Selector.parse(match["selector"], metric)
    window = None if match["window"] is None else " ".join(match["window"].split())
    window_s = None if window is None else _window_s(metric, window)
    bound = Bound.parse(match["bound"], metric.unit(aggregate))
    over = "" if window is None else f" over last {window}"
    spelt = f"{metric.name}{selector or ''} {aggregate}{over} {match['operator']} {bound.text}"
    return Sentence(metric, selector, aggregate, window_s, match["operator"], bound, spelt)


def named_metric(name: str) -> Metric:
    """The metric of this name; raises `ThresholdError`."""
    metric = METRICS.get(name)
    if metric is None:
        raise ThresholdError(f"expected a metric of docs/metrics.md, found {name!r}", did_you_mean(name, list(METRICS)))
    return metric


def known_aggregate(metric: Metric, aggregate: str) -> str:
    """The aggregate, where this metric has it; else raises `ThresholdError`."""
    if not metric.kind.knows(aggregate):
        known = ", ".join(metric.kind.aggregates)
        raise ThresholdError(
            f"expected one of {known} after {metric.name}, found {aggregate!r}",
            _about_aggregate(metric, aggregate),
        )
    return aggregate


def _about_order(text: str) -> str:
    """What to do about a text whose parts could not be told from one another."""
    slip = next((slip for slip in _SLIPS if slip in text), None)
    if slip is not None:
        return f"it is written {_SLIPS[slip]}"
    if _EQUALS.search(re.sub(r"\{[^{}]*\}", "", text)):
        return "equality is =="
    if " over" in text:
        return "a window is written `over last 30s`, after the aggregate"
    metric = METRICS.get(re.split(r"[\s{}<>=!]", text.strip(), maxsplit=1)[0])
    if metric is not None and not any(map(metric.kind.knows, re.split(r"[\s{}<>=!]+", text))):
        return f"say which figure of {metric.name}: {', '.join(metric.kind.aggregates)}"
    return ""


def _about_aggregate(metric: Metric, aggregate: str) -> str:
    meant = _OTHER_WORDS.get(aggregate.lower(), aggregate.lower())
    if metric.kind.knows(meant):
        return f'did you mean "{meant}"?'
    return did_you_mean(aggregate, list(metric.kind.aggregates))


def _about_bound(text: str) -> str:
    """What to do about a limit that is no value."""
    if " over" in text:
        return "`over last 30s` stands before the operator, after the aggregate"
    if re.search(r"\s(and|or)\s", text):
        return "write two thresholds"
    if BASELINE in text:
        return f"the baseline comes first: `{BASELINE} * 1.1`, `{BASELINE} + 10%`, `{BASELINE} - 20ms`"
    return did_you_mean(re.split(r"[\s*+-]", text, maxsplit=1)[0], [BASELINE])


def _window_s(metric: Metric, window: str) -> float:
    if not metric.by_interval:
        kept = [each.name for each in METRICS.values() if each.by_interval and each.kind is metric.kind]
        raise ThresholdError(
            f"expected no `over last {window}` after {metric.name}, for it is not kept by interval",
            did_you_mean(metric.name, kept) or "docs/metrics.md says which metrics are",
        )
    try:
        window_s = units.parse_duration(window)
    except units.UnitError as error:
        raise ThresholdError(f"over last: {error}") from None
    if window_s < LEAST_WINDOW_S:
        raise ThresholdError(f"over last: expected at least {LEAST_WINDOW_S:g}s, found {window!r}")
    return window_s
