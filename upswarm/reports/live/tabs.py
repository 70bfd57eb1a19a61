"""A run that goes on as tables in Locust's own page. Its frontend shows one table for each tab, and sorts by `name`.

So `name` is the row's place, and what is to be read stands in the other columns. Where a column is of one kind its
cells are numbers, with the unit in the title, so that a click on the title sorts it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from upswarm.reports.live import rows as live_rows
from upswarm.reports.live.figures import NOW_S, figures
from upswarm.reports.live.live import Live
from upswarm.reports.rows import NONE
from upswarm.results.histogram import Histogram

Row = dict[str, Any]

_MIB = 1 << 20
_PERCENTILES = (50, 90, 95, 99)

TABS = {"uploads": "Uploads", "upload_phases": "Phases"}
"""What stands on the tabs. With those of Locust they fit into 1280 pixels, and a third would not."""
COLUMNS = {
    "uploads": {"what": "What", "now": f"Now (last {NOW_S} s)", "whole": "Whole run", "remark": "Remark"},
    "upload_phases": {
        "phase": "Phase", "count": "# Attempts", "failed": "# Failed", "retries": "# Retries",
        **{f"p{each}": f"p{each} (ms)" for each in _PERCENTILES}, "max": "Max (ms)", "sent": "Sent (MiB)",
    },
}  # fmt: skip
"""The columns of each tab's table: their keys, and what stands above them."""


def rows(live: Live) -> dict[str, list[Row]]:
    """The rows of each tab's table; where there is no run yet, one row that says so."""
    tables = {"uploads": _uploads(live), "upload_phases": _phases(live)}
    return {tab: [{"name": place, **row} for place, row in enumerate(table)] for tab, table in tables.items()}


def _uploads(live: Live) -> Iterator[Row]:
    for figure in figures(live):
        yield _line(figure.name, figure.whole, figure.detail, now=figure.now)
    for failure in live_rows.failures(live):
        yield _line(f"failed: {failure.name}, {failure.kind}", failure.count, failure.meaning)
    for threshold in live_rows.thresholds(live):
        yield _line(f"threshold: {threshold.threshold}", threshold.observed, threshold.standing)
    for worker in live_rows.workers(live):
        now = f"{worker.goodput}, {worker.in_flight} in flight"
        health = f"CPU {worker.cpu} of a core, lag p99 {worker.lag}"
        yield _line(f"worker: {worker.name}", health, worker.state, now=NONE if live.conclusion else now)
    if live.conclusion is not None:
        yield _line("verdict", live.conclusion.word, live.conclusion.sentence)


def _line(what: str, whole: str, remark: str = "", now: str = "") -> Row:
    return {"what": what, "now": now, "whole": whole, "remark": remark}


def _phases(live: Live) -> Iterator[Row]:
    measured, uploads = live.measurements, live.measurements.uploads
    for phase, tally in measured.phases.items():
        if tally.attempts:
            counts = {"count": tally.attempts, "failed": tally.failed, "retries": tally.retries}
            yield {"phase": phase.value, **counts, **_times(tally.response_time), "sent": _mib(tally.bytes_sent)}
    if measured.attempts:
        ended = uploads.finished + uploads.failed + uploads.aborted + uploads.stopped
        counts = {"count": ended, "failed": uploads.failed}
        finished = _mib(uploads.finished_bytes)
        yield {"phase": "upload", **counts, **_times(uploads.response_time), "sent": finished}
    else:
        yield {"phase": "no request has ended"}


def _times(times: Histogram) -> Row:
    return {**{f"p{each}": _ms(times.percentile_s(each)) for each in _PERCENTILES}, "max": _ms(times.max_s)}


def _ms(value_s: float | None) -> float | None:
    return None if value_s is None else float(f"{value_s * 1000:.4g}")


def _mib(value_bytes: int) -> float:
    return round(value_bytes / _MIB, 1)
