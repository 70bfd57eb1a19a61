"""A comparison as one HTML page that stands alone: what was not equal first, then a word for each figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from upswarm.errors import EXIT_GENERATOR
from upswarm.reports import pages
from upswarm.reports.comparison import charts
from upswarm.reports.comparison import rows as told
from upswarm.reports.comparison.rows import ChangeRow
from upswarm.results.comparison.comparison import Change, Word
from upswarm.results.comparison.gate import Judged
from upswarm.results.comparison.premises import circumstances, scenario_differences
from upswarm.results.comparison.sides import Side

PAGE = "compare.html"

_WIDEST_RATIO = 1.0
"""A change of more than 100 % ends at the bar's end."""
_LEAST_SPAN = 0.1


@dataclass(frozen=True, slots=True)
class Bar:
    """Where the interval of a change lies on its bar, from 0 to 100 with "no change" in the middle."""

    start: float
    length: float
    change: float


def comparison_page(all_judged: Sequence[Judged]) -> str:
    """The page's text."""
    sides = [all_judged[0].comparison.base, *(judged.comparison.other for judged in all_judged)]
    drawn = [chart for chart in (charts.distributions(sides), charts.goodput(sides)) if chart is not None]
    return pages.template(PAGE).render(
        heading=_heading(sides),
        sides=[(side, told.totals(side), told.verdicts(side), told.audits(side)) for side in sides],
        parts=[_part(judged) for judged in all_judged],
        charts=drawn,
    )


def _heading(sides: Sequence[Side]) -> str:
    """What was run, and the letters of the sides."""
    names = dict.fromkeys(str(run.scenario.get("name") or "unnamed") for side in sides for run in side.runs)
    letters = [side.letter for side in sides]
    return f"{', '.join(names)}: {', '.join(letters[:-1])} and {letters[-1]}"


def _part(judged: Judged) -> dict[str, Any]:
    comparison = judged.comparison
    shown = told.told(comparison)
    rest = [each for each in told.with_data(comparison) if each not in shown]
    return {
        "comparison": comparison,
        "tone": _tone(judged, shown),
        "headline": _headline(judged, shown),
        "tally": told.tally(shown),
        "doubts": [*comparison.base.doubts, *comparison.other.doubts],
        "gates": [(verdict, told.gate_line(verdict)) for verdict in judged.verdicts],
        "exit_code": judged.exit_code,
        "differences": [
            ("Scenario", scenario_differences(comparison.base, comparison.other)),
            ("Machine and run", circumstances(comparison.base, comparison.other)),
        ],
        "rows": _rows(shown),
        "rest": _rows(rest),
        "nothing": told.nothing(comparison),
        "errors": told.error_rows(comparison),
    }


def _rows(changes: Sequence[Change]) -> list[tuple[ChangeRow, Bar | None]]:
    """All bars of a table on one scale: the widest change on it, or 100 %."""
    spans = [abs(edge) for each in changes for edge in _ratios(each)[:2]]
    span = min(max([*spans, _LEAST_SPAN]), _WIDEST_RATIO)
    return [(told.row(each), _bar(each, span)) for each in changes]


def _bar(change: Change, span: float) -> Bar | None:
    ratios = _ratios(change)
    if not ratios:
        return None
    low, high, middle = (50 + 50 * min(max(ratio / span, -1.0), 1.0) for ratio in ratios)
    return Bar(round(low, 2), round(high - low, 2), round(middle, 2))


def _ratios(change: Change) -> tuple[float, ...]:
    """The interval and the change, as shares of the base; rates as they are. Nothing where they are not known."""
    base = 1.0 if change.aggregate == "rate" else change.base
    if change.low is None or change.high is None or change.difference is None or not base:
        return ()
    return change.low / base, change.high / base, change.difference / base


def _headline(judged: Judged, shown: Sequence[Change]) -> str:
    if judged.exit_code == EXIT_GENERATOR:
        return "invalid measurement"
    failing = sum(verdict.fails for verdict in judged.verdicts)
    if failing:
        return "1 gate fails" if failing == 1 else f"{failing} gates fail"
    words = {each.word for each in shown}
    if judged.comparison.identical:
        return "the same runs"
    if {Word.WORSE, Word.BETTER} <= words:
        return "better and worse"
    return next(
        (str(word) for word in (Word.WORSE, Word.BETTER, Word.DIFFERENT, Word.UNCLEAR) if word in words), "same"
    )


def _tone(judged: Judged, shown: Sequence[Change]) -> str:
    """A colour for the headline: bad where a gate fails or a figure is worse, good where one is better or all same."""
    if not (judged.comparison.base.is_valid and judged.comparison.other.is_valid):
        return "invalid"
    words = {each.word for each in shown}
    if judged.exit_code or Word.WORSE in words:
        return "bad"
    return "good" if Word.BETTER in words or words <= {Word.SAME} else "invalid"
