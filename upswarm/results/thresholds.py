"""Thresholds: `chunk.response_time p99 < 400ms`. A threshold without data does not hold."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from upswarm.results.evidence import Evidence
from upswarm.results.metrics import Metric, Summary
from upswarm.results.threshold_grammar import EXAMPLE, Selector, ThresholdError, read

__all__ = ["EXAMPLE", "NO_DATA", "Needs", "Threshold", "ThresholdError", "Verdict"]

_OPERATORS = {
    "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
NO_DATA = "no data"
NO_BASELINE = "no data in the baseline"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a threshold: `observed` is a text for people, which begins with `NO_DATA` where there is none.

    `part` is the class or the worker that it is about, where one was selected: the worst of all. `value` and `limit`
    are what was compared, in the metric's own unit, and None where there was no data.
    """

    threshold: str
    holds: bool
    observed: str
    part: str = ""
    value: float | None = None
    limit: float | None = None

    @property
    def has_data(self) -> bool:
        """Whether there was anything to compare; older run files have it in words only."""
        return not self.observed.startswith(NO_DATA)

    def to_document(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A metric's aggregate, compared with a limit in the metric's unit: `value`, and `factor` times a baseline's.

    It is read of the whole run, or of what the `selector` names, and of the last `window_s` seconds where that is said.
    """

    text: str
    metric: Metric
    aggregate: str
    operator: str
    value: float
    factor: float = 0.0
    selector: Selector | None = None
    window_s: float | None = None

    def __str__(self) -> str:
        return self.text

    @classmethod
    def parse(cls, text: str) -> Threshold:
        """Read a threshold in the grammar of docs/metrics.md; raises `ThresholdError`."""
        said = read(text)
        bound = said.bound
        return cls(
            said.text, said.metric, said.aggregate, said.operator, bound.value, bound.factor, said.selector,
            said.window_s,
        )  # fmt: skip

    @property
    def plain(self) -> bool:
        """Whether the figures of one run as a whole are all that it is about."""
        return self.selector is None and self.window_s is None and not self.factor

    def judge(self, seen: Evidence | Summary) -> Verdict:
        """Whether it holds, for every part that is selected; without data it does not. The worst part is named."""
        evidence = Evidence(seen) if isinstance(seen, Summary) else seen
        found = [self._judge(name, part, evidence) for name, part in evidence.parts(self.selector, self.window_s)]
        return max(found, key=self._badness, default=Verdict(self.text, False, NO_DATA))

    def _judge(self, name: str, part: Summary, evidence: Evidence) -> Verdict:
        value, limit, about = self.metric.read(part, self.aggregate), self.value, [name] if name else []
        if value is None:
            return Verdict(self.text, False, _told(NO_DATA, about), name)
        unit = self.metric.unit(self.aggregate)
        if self.factor:
            before = evidence.in_baseline(self.selector, name)
            base = None if before is None else self.metric.read(before, self.aggregate)
            if base is None:
                return Verdict(self.text, False, _told(NO_BASELINE, about), name, value)
            limit += self.factor * base
            about.append(f"baseline {unit.format(base)}")
        holds = bool(_OPERATORS[self.operator](value, limit))
        return Verdict(self.text, holds, _told(unit.format(value), about), name, value, limit)

    def _badness(self, verdict: Verdict) -> tuple[int, float]:
        """What is broken is worse than what is not known, and that is worse than what holds; then the figure counts."""
        if verdict.value is None or verdict.limit is None:
            return 1, 0.0
        over = verdict.value - verdict.limit
        if self.operator in {">", ">="}:
            over = -over
        return (0 if verdict.holds else 2), abs(over) if self.operator in {"==", "!="} else over


def _told(observed: str, about: list[str]) -> str:
    return f"{observed} ({', '.join(about)})" if about else observed


@dataclass(frozen=True, slots=True)
class Needs:
    """What has to be kept of a run for its thresholds, beside the whole; most need nothing of this."""

    window_s: float = 0.0
    workers: bool = False
    recent_classes: bool = False
    baseline: bool = False

    @classmethod
    def of(cls, thresholds: Iterable[Threshold]) -> Needs:
        """The needs of all of them; a window as long as the longest, 0 without one."""
        all_of_them = list(thresholds)
        selected = [(each.selector.by, each.window_s) for each in all_of_them if each.selector is not None]
        return cls(
            window_s=max((each.window_s or 0.0 for each in all_of_them), default=0.0),
            workers=any(by == "worker" for by, _ in selected),
            recent_classes=any(by == "class" and window_s is not None for by, window_s in selected),
            baseline=any(each.factor for each in all_of_them),
        )
