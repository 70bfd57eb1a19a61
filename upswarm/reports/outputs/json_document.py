"""A run as one short JSON document for scripts (`upswarm report RUN --json`): the verdict, every metric as a number.

`run.json` holds everything that was measured, histograms in their coded form; here stands what one would ask of them.
Units stand in the names, as in `metrics["chunk.response_time"].p99_s`. docs/ci.md describes each field.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from upswarm.reports import facts, workers
from upswarm.reports.conclusion import Conclusion
from upswarm.reports.failures import failure_rows
from upswarm.reports.outages import unexplained
from upswarm.results.measurements import Measurements
from upswarm.results.metrics import METRICS, Kind, Metric, Summary
from upswarm.results.run_file import Run
from upswarm.results.slices import Slice

SCHEMA_VERSION = 1

Document = dict[str, Any]

_SPREAD = ("p50", "p90", "p95", "p99", "p99.9", "mean", "min", "max")
_AGGREGATES: dict[Kind, dict[str, str]] = {
    Kind.TIME: {f"{each}_s": each for each in _SPREAD},
    Kind.USE: {f"{each}_ratio": each for each in _SPREAD},
    Kind.EVENTS: {"count": "count", "rate_ratio": "rate"},
    Kind.VOLUME: {"mean_bytes_per_s": "mean", "total_bytes": "total"},
}


def json_text(run: Run) -> str:
    """The document as text."""
    return json.dumps(document(run), indent=1)


def document(run: Run) -> Document:
    """The fields in the order in which one asks; what was not measured is null."""
    conclusion = Conclusion.of(run)
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": run.run_id,
        "scenario": facts.name(run),
        "target": run.target,
        "verdict": conclusion.word,
        "reason": conclusion.sentence,
        "exit_code": run.exit_code,
        "thresholds": [verdict.to_document() for verdict in run.verdicts],
        "audit": _audit(run),
        "aborted_by": run.aborted_by or None,
        "complete": run.complete,
        "generator_faults": list(run.generator_faults),
        "warnings": workers.warnings(run),
        "notes": list(run.notes),
        "started_at": run.started_at,
        "elapsed_s": run.elapsed_s,
        "planned_s": run.planned_s,
        "warm_up_s": run.warm_up_s,
        "workload": run.workload,
        "workers": len(run.workers),
        "metrics": _metrics(run.summary, METRICS.values()),
        "judged_metrics": None if run.settled is None else _metrics(run.judged, METRICS.values()),
        "file_classes": {name: _of_class(run, part) for name, part in run.measurements.classes.items()},
        "failures": [{"phase": row.name, "kind": row.kind, "count": row.count} for row in failure_rows(run)],
        "marks": [mark.to_document() for mark in run.marks],
        "outages": [{"start_s": each.start_s, "end_s": each.end_s, "failed": each.failed} for each in unexplained(run)],
        "server": dict(run.server),
    }


def _of_class(run: Run, part: Slice) -> Document:
    """The metrics that are kept by class of files."""
    kept = [metric for metric in METRICS.values() if metric.by_part]
    return _metrics(Summary(Measurements.of_slice(part), run.elapsed_s), kept)


def _metrics(summary: Summary, metrics: Iterable[Metric]) -> Document:
    return {metric.name: dict(_aggregates(metric, summary)) for metric in metrics}


def _aggregates(metric: Metric, summary: Summary) -> Iterator[tuple[str, float | None]]:
    for key, aggregate in _AGGREGATES[metric.kind].items():
        value = metric.read(summary, aggregate)
        yield key, int(value) if value is not None and aggregate in {"count", "total"} else value


def _audit(run: Run) -> Document | None:
    record = run.audit
    if record is None:
        return None
    counts = {fate.value: count for fate, count in record.counts.items()}
    return {"holds": record.holds, "promised": record.promised, "asked": record.asked, "files": counts}
