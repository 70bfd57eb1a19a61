"""A run that goes on as tables in Locust's own page. Its frontend shows one table for each tab, and sorts by `name`.

So `name` is the row's place, and what is to be read stands in the other columns. Where a column is of one kind its
cells are numbers, with the unit in the title, so that a click on the title sorts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from upswarm.reports import live_rows
from upswarm.reports.live import Live
from upswarm.results.histogram import Histogram

Row = dict[str, Any]

_MIB = 1 << 20
_PERCENTILES = (50, 90, 95, 99)

TABS = {"uploads": "Uploads", "upload_phases": "Upload phases", "upload_workers": "Upload workers"}
"""What stands on the tabs."""
COLUMNS = {
    "uploads": {"what": "What", "now": f"Now (last {live_rows.NOW_S} s)", "whole": "Whole run", "remark": "Remark"},
    "upload_phases": {
        "phase": "Phase", "count": "# Attempts", "failed": "# Failed", "retries": "# Retries",
        **{f"p{each}": f"p{each} (ms)" for each in _PERCENTILES}, "max": "Max (ms)", "sent": "Sent (MiB)",
    },
    "upload_workers": {
        "worker": "Worker", "host": "Host", "state": "State", "in_flight": "In flight", "goodput": "Goodput (MiB/s)",
        "cpu": "CPU (% of a core)", "lag": "Lag p99 (ms)", "memory": "Peak memory (MiB)", "reports": "# Reports",
        "age": "Last report (s ago)",
    },
}  # fmt: skip
"""The columns of each tab's table: their keys, and what stands above them."""


def rows(live: Live) -> dict[str, list[Row]]:
    """The rows of each tab's table; where there is no run yet, one row that says so."""
    tables = {"uploads": _uploads(live), "upload_phases": _phases(live), "upload_workers": _workers(live)}
    return {tab: [{"name": place, **row} for place, row in enumerate(table)] for tab, table in tables.items()}


def _uploads(live: Live) -> Iterator[Row]:
    for figure in live_rows.figures(live):
        yield _line(figure.name, figure.whole, figure.detail, now=figure.now)
    for failure in live_rows.failures(live):
        yield _line(f"failed: {failure.name}, {failure.kind}", failure.count, failure.meaning)
    for threshold in live_rows.thresholds(live):
        yield _line(f"threshold: {threshold.threshold}", threshold.observed, threshold.standing)
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
        yield {"phase": "no request has ended yet"}


def _workers(live: Live) -> Iterable[Row]:
    for worker in live.workers:
        health = worker.health
        yield {
            "worker": worker.worker_id,
            "host": worker.host,
            "state": live_rows.standing(worker),
            "in_flight": worker.in_flight,
            "goodput": _mib(worker.goodput_per_s),
            "cpu": None if health.cpu_mean_ratio is None else round(health.cpu_mean_ratio * 100),
            "lag": _ms(health.lag_p99_s),
            "memory": _mib(health.peak_rss_bytes),
            "reports": worker.reports,
            "age": None if worker.age_s is None else round(worker.age_s),
        }


def _times(times: Histogram) -> Row:
    return {**{f"p{each}": _ms(times.percentile_s(each)) for each in _PERCENTILES}, "max": _ms(times.max_s)}


def _ms(value_s: float | None) -> float | None:
    return None if value_s is None else float(f"{value_s * 1000:.4g}")


def _mib(value_bytes: float | None) -> float | None:
    return None if value_bytes is None else round(value_bytes / _MIB, 1)
