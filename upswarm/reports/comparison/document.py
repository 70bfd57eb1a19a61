"""A comparison as JSON, for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from upswarm.reports.comparison import rows as told
from upswarm.results.comparison.comparison import Change
from upswarm.results.comparison.gate import GateVerdict, Judged
from upswarm.results.comparison.premises import circumstances, scenario_differences
from upswarm.results.comparison.sides import Side

SCHEMA_VERSION = 1


def comparison_document(all_judged: Sequence[Judged], exit_code: int) -> dict[str, Any]:
    """Figures are in the metric's own unit: seconds, bytes per second, or a ratio from 0 to 1."""
    return {
        "schema_version": SCHEMA_VERSION,
        "exit_code": exit_code,
        "base": _side(all_judged[0].comparison.base),
        "comparisons": [_comparison(judged) for judged in all_judged],
    }


def _comparison(judged: Judged) -> dict[str, Any]:
    comparison = judged.comparison
    return {
        "other": _side(comparison.other),
        "identical": comparison.identical,
        "scenario": [asdict(each) for each in scenario_differences(comparison.base, comparison.other)],
        "circumstances": [asdict(each) for each in circumstances(comparison.base, comparison.other)],
        "changes": [_change(each) for each in comparison.changes if _has_data(each)],
        "errors": [asdict(each) for each in told.error_rows(comparison)],
        "gates": [_gate(each) for each in judged.verdicts],
    }


def _side(side: Side) -> dict[str, Any]:
    runs = [
        {
            "run_id": run.run_id,
            "exit_code": run.exit_code,
            "verdicts": [verdict.to_document() for verdict in run.verdicts],
            "audit": None if run.audit is None else run.audit.to_document(),
        }
        for run in side.runs
    ]
    return {"letter": side.letter, "runs": runs, "doubts": side.doubts}


def _change(change: Change) -> dict[str, Any]:
    return {
        "metric": change.metric.name,
        "aggregate": change.aggregate,
        "unit": change.metric.unit(change.aggregate).name,
        "base": change.base,
        "other": change.other,
        "difference": change.difference,
        "low": change.low,
        "high": change.high,
        "word": change.word.value,
        "reason": change.reason,
    }


def _has_data(change: Change) -> bool:
    return change.base is not None or change.other is not None


def _gate(verdict: GateVerdict) -> dict[str, Any]:
    return {
        "gate": verdict.gate.text,
        "fails": verdict.fails,
        "applies": verdict.applies,
        "note": verdict.note,
        **_change(verdict.change),
    }
