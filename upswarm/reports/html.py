"""A run as one HTML page that stands alone: no script, and nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from upswarm.files import write_whole
from upswarm.reports import charts, rows, workers
from upswarm.reports.conclusion import INVALID, PASSED, Conclusion
from upswarm.reports.failures import failure_rows
from upswarm.reports.outline import outline
from upswarm.results.metrics import METRICS
from upswarm.results.run_file import Run
from upswarm.results.thresholds import NO_DATA
from upswarm.transfer.messages import Phase

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
WIDTHS = {"desk": 880, "phone": 350}


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
    write_whole(path, template(REPORT_FILE).render(_context(run)))
    return path


def template(name: str) -> Template:
    """A page's template. Strict: a page with a hole in it is worse than an error."""
    environment = Environment(
        loader=PackageLoader("upswarm.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def _context(run: Run) -> dict[str, Any]:
    conclusion = Conclusion.of(run)
    return {
        "run": run,
        "name": run.scenario.get("name") or "unnamed",
        "about": run.scenario.get("about") or "",
        "conclusion": conclusion,
        "tone": {PASSED: "good", INVALID: "invalid"}.get(conclusion.word, "bad"),
        "story": _story(run),
        "note": rows.note,
        "duration": rows.duration,
        "no_data": NO_DATA,
        "figures": [_figure(run, *each) for each in _KEY_FIGURES],
        "load": rows.load(run),
        "lasted": rows.lasted(run),
        "times": rows.time_rows(run),
        "stopped": rows.stopped_attempts(run),
        "remarks": list(rows.remarks(run)),
        "failures": failure_rows(run),
        "warnings": workers.warnings(run),
        "workers": workers.worker_rows(run),
        "parts": workers.part_rows(run),
        "files": workers.files(run),
        "definitions": METRICS,
        "scenario": outline(run.scenario),
        **_charts(run),
    }


def _figure(run: Run, metric: str, aggregate: str) -> Figure:
    return Figure(metric, aggregate, rows.figure(run.summary, metric, aggregate), METRICS[metric].definition)


def _story(run: Run) -> str:
    """What happened, for someone who was not there."""
    measured, uploads = run.measurements, run.measurements.uploads
    if not measured.attempts:
        return "Not a single request was sent."
    failed = sum(tally.failed for tally in measured.phases.values())
    retries = sum(tally.retries for tally in measured.phases.values())
    ended = uploads.finished + uploads.failed + uploads.aborted + uploads.stopped
    aborted = f"{uploads.aborted:,} were given up on purpose, " if uploads.aborted else ""
    return (
        f"{rows.counted(ended, 'upload')} ended: {uploads.finished:,} "
        f"finished ({rows.figure(run.summary, 'goodput', 'total')}), {uploads.failed:,} failed after all retries, "
        f"{aborted}and {uploads.stopped:,} had to stop because the run was over. "
        f"{rows.counted(measured.attempts, 'request')} went over the wire: {retries:,} of them repeated another, "
        f"and {failed:,} failed{_when_failed(run)}.{_arrived(run)}"
    )


def _arrived(run: Run) -> str:
    """What became of an open load; for other loads nothing."""
    tally = run.measurements.arrivals
    due = tally.begun + tally.dropped
    if due == 0:
        return ""
    return (
        f" {rows.counted(due, 'arrival')} came due: {tally.begun:,} began, {tally.late:,} of them late "
        f"(more than 10 ms), and {tally.dropped:,} found all slots taken, were dropped and never sent."
    )


def _when_failed(run: Run) -> str:
    seconds = [second for second, tally in run.measurements.seconds.items() if tally.failed]
    if not seconds:
        return ""
    first, last = min(seconds), max(seconds)
    return (
        f", all in second {first}" if first == last else f", the first in second {first} and the last in second {last}"
    )


def _charts(run: Run) -> dict[str, dict[str, str]]:
    """Every chart in every width; the page shows the one that fits."""
    measured = run.measurements
    rows_of_times = [(phase.value, tally.response_time) for phase, tally in measured.phases.items()]
    rows_of_times.append(("upload", measured.uploads.response_time))
    draw: dict[str, Callable[[int], str]] = {
        "throughput": lambda width: charts.throughput(measured, run.elapsed_s, width),
        "distribution": lambda width: charts.distribution(measured.phases[Phase.CHUNK].response_time, width),
        "percentiles": lambda width: charts.percentiles(rows_of_times, width),
    }
    return {name: {kind: chart(width) for kind, width in WIDTHS.items()} for name, chart in draw.items()}
