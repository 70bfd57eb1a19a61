"""A run as one HTML page that stands alone: it opens offline, and fetches nothing from anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upswarm.files import write_whole
from upswarm.reports import charts, facts, pages, rows, server_side, story, workers
from upswarm.reports.classes import class_rows
from upswarm.reports.conclusion import INVALID, PASSED, Conclusion
from upswarm.reports.drawing import Chart
from upswarm.reports.failures import failure_rows
from upswarm.reports.marks import mark_rows
from upswarm.reports.outline import outline
from upswarm.reports.verdicts import verdict_rows
from upswarm.reports.worker_charts import worker_chart
from upswarm.results.audit_record import BROKEN_PROMISES
from upswarm.results.metrics import METRICS
from upswarm.results.run_file import Run
from upswarm.results.thresholds import NO_DATA

REPORT_FILE = "report.html"

_KEY_FIGURES = (
    ("goodput", "mean"),
    ("goodput", "total"),
    ("sent", "mean"),
    ("upload.finished", "count"),
    ("upload.failed", "count"),
    ("upload.resumes", "count"),
    ("upload.response_time", "p95"),
    ("chunk.response_time", "p99"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, with what it is."""

    metric: str
    aggregate: str
    value: str
    definition: str


def write_report(run: Run, folder: Path) -> Path:
    """Write `report.html` into the folder, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / REPORT_FILE
    write_whole(path, pages.template(REPORT_FILE).render(_context(run)))
    return path


def _context(run: Run) -> dict[str, Any]:
    conclusion = Conclusion.of(run)
    return {
        "run": run,
        "name": facts.name(run),
        "about": run.scenario.get("about") or "",
        "conclusion": conclusion,
        "tone": {PASSED: "good", INVALID: "invalid"}.get(conclusion.word, "bad"),
        "judging": list(facts.judging(run)),
        "verdicts": verdict_rows(run),
        "story": story.told(run),
        "no_data": NO_DATA,
        "figures": [_figure(run, *each) for each in _KEY_FIGURES],
        "load": rows.load(run),
        "lasted": rows.lasted(run),
        "marks": mark_rows(run),
        "times": rows.time_rows(run),
        "classes": class_rows(run),
        "stopped": rows.stopped_attempts(run),
        "remarks": list(rows.remarks(run)),
        "failures": failure_rows(run),
        "resumed": story.resumed(run),
        "warnings": workers.warnings(run),
        "workers": workers.worker_rows(run),
        "parts": workers.part_rows(run),
        "audit": story.audited(run),
        "broken_promises": BROKEN_PROMISES,
        "both": server_side.both_rows(run),
        "said": server_side.said(run),
        "warm_up": story.warm_up(run),
        "definitions": METRICS,
        "scenario": outline(run.scenario),
        "charts": _charts(run),
    }


def _charts(run: Run) -> dict[str, Chart]:
    """By their names; what there is no data for is not there."""
    drawn = (
        charts.throughput(run), charts.over_time(run), charts.distribution(run), charts.percentiles(run),
        worker_chart(run),
    )  # fmt: skip
    return {each.name: each for each in drawn if each is not None}


def _figure(run: Run, metric: str, aggregate: str) -> Figure:
    return Figure(metric, aggregate, rows.figure(run.summary, metric, aggregate), METRICS[metric].definition)
