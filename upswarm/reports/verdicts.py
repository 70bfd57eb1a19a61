"""Thresholds as rows of text: what was wanted, what was observed, and how far apart the two are."""

from __future__ import annotations

from dataclasses import dataclass

from upswarm import units
from upswarm.reports import rows
from upswarm.results.run_file import Run
from upswarm.results.thresholds import Threshold, ThresholdError, Verdict


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """One threshold; `margin` is "" where there was nothing to compare, or where the run file does not tell."""

    threshold: str
    observed: str
    margin: str
    outcome: str
    holds: bool


def verdict_rows(run: Run) -> list[VerdictRow]:
    """In the order of the scenario."""
    return [
        VerdictRow(each.threshold, each.observed, margin(each), rows.note(each) or "held", each.holds)
        for each in run.verdicts
    ]


def margin(verdict: Verdict) -> str:
    """How far what was observed is from the limit: as a share of it where it is not 0, and else as what it is.

    What is twice the limit, or more, is said to be so many times the limit.
    """
    if verdict.value is None or verdict.limit is None:
        return ""
    apart = verdict.value - verdict.limit
    if not apart:
        return "at the limit"
    side = "below" if apart < 0 else "above"
    if verdict.limit and apart / verdict.limit >= 1:
        return f"{verdict.value / verdict.limit:.3g} times the limit"
    if verdict.limit:
        return f"{units.format_ratio(abs(apart / verdict.limit))} {side}"
    try:
        threshold = Threshold.parse(verdict.threshold)
    except ThresholdError:  # another version of upswarm knows other metrics
        return side
    return f"{threshold.metric.unit(threshold.aggregate).format(abs(apart))} {side}"
