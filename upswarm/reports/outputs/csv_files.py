"""A run as CSV files for spreadsheets: one row for each phase, second, worker and kind of failure.

Units stand in the names of the columns. Words that somebody else chose, such as a worker's name or what a server said,
never begin as a formula would.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from upswarm.files import write_whole
from upswarm.reports.failures import FailureRow, failure_rows
from upswarm.results.histogram import Histogram
from upswarm.results.run_file import Run, WorkerRecord
from upswarm.results.tallies import PhaseTally, SecondTally, UploadTally

Cell = str | int | float | None

PHASES_FILE, SERIES_FILE, WORKERS_FILE, ERRORS_FILE = "phases.csv", "series.csv", "workers.csv", "errors.csv"

_PERCENTILES = (50, 90, 95, 99, 99.9)
_COUNTS = ("count", "succeeded", "failed", "stopped", "interrupted", "aborted", "retries", "bytes")
_TIMES = ("min_s", "mean_s", *(f"p{each}_s" for each in _PERCENTILES), "max_s")
_SECOND = (
    "second", "attempts", "failed_attempts", "sent_bytes", "finished_uploads", "finished_bytes", "worker_cpu_s",
    "in_flight_uploads", "late_arrivals", "dropped_arrivals",
)  # fmt: skip
_WORKER = (
    "worker", "host", "lost", "finished_uploads", "finished_bytes", "cpu_mean_ratio", "cpu_max_ratio", "busy_ratio",
    "lag_p99_s", "lag_max_s", "peak_rss_bytes", "usable_cpus", "throttled_ratio", "memory_limit_bytes",
    "memory_used_ratio",
)  # fmt: skip
_ERROR = ("phase", "kind", "count", "meaning", "first_example")
_FORMULA = tuple("=+-@\t\r")


def phases_csv(run: Run) -> str:
    """The phases that had attempts, then `upload`, whose bytes are those of finished files."""
    heads = [
        "phase",
        *_COUNTS,
        *(f"response_time_{each}" for each in _TIMES),
        *(f"service_time_{each}" for each in _TIMES),
    ]
    measured = run.measurements
    rows = [[phase.value, *_phase_row(tally)] for phase, tally in measured.phases.items() if tally.attempts]
    return _written(heads, [*rows, ["upload", *_upload_row(measured.uploads)]])


def series_csv(run: Run) -> str:
    """Every second from the first to the last in which something ended, also those in which nothing did."""
    seconds = run.measurements.seconds
    rows = (_second_row(at, seconds.get(at, SecondTally())) for at in range(max(seconds, default=-1) + 1))
    return _written(list(_SECOND), rows)


def workers_csv(run: Run) -> str:
    """Every process that uploaded; `lost` is 1 where not everything that it measured arrived."""
    return _written(list(_WORKER), map(_worker_row, run.workers))


def errors_csv(run: Run) -> str:
    """Each way in which a phase or an upload failed, in the order of the phases, the most frequent first."""
    return _written(list(_ERROR), map(_error_row, failure_rows(run)))


CSV_FILES: dict[str, Callable[[Run], str]] = {
    PHASES_FILE: phases_csv, SERIES_FILE: series_csv, WORKERS_FILE: workers_csv, ERRORS_FILE: errors_csv,
}  # fmt: skip


def write_csv(run: Run, folder: Path) -> list[Path]:
    """Write all of them into the folder, each whole or not at all."""
    for name, written in CSV_FILES.items():
        write_whole(folder / name, written(run))
    return [folder / name for name in CSV_FILES]


def _phase_row(tally: PhaseTally) -> Iterator[Cell]:
    succeeded = tally.attempts - tally.failed - tally.stopped - tally.interrupted
    yield from (tally.attempts, succeeded, tally.failed, tally.stopped, tally.interrupted, 0)
    yield from (tally.retries, tally.bytes_sent)
    yield from _times(tally.response_time)
    yield from _times(tally.service_time)


def _upload_row(tally: UploadTally) -> Iterator[Cell]:
    yield tally.finished + tally.failed + tally.stopped + tally.aborted
    yield from (tally.finished, tally.failed, tally.stopped, tally.interruptions, tally.aborted)
    yield from (None, tally.finished_bytes)
    yield from _times(tally.response_time)
    yield from [None] * len(_TIMES)


def _times(times: Histogram) -> Iterator[Cell]:
    known = (times.min_s, times.mean_s, *map(times.percentile_s, _PERCENTILES), times.max_s)
    yield from _rounded(known)


def _second_row(second: int, tally: SecondTally) -> list[Cell]:
    counts: list[Cell] = [second, tally.attempts, tally.failed, tally.bytes_sent, tally.finished, tally.finished_bytes]
    return [*counts, tally.cpu_ms / 1000, tally.in_flight, tally.late, tally.dropped]


def _worker_row(worker: WorkerRecord) -> list[Cell]:
    health = worker.health
    known: list[Cell] = [worker.worker_id, worker.host, int(worker.lost), worker.finished, worker.finished_bytes]
    times = (health.cpu_mean_ratio, health.cpu_max_ratio, health.busy_ratio, health.lag_p99_s, health.lag_max_s)
    limits = (health.usable_cpus, health.throttled_ratio, health.memory_limit_bytes, health.memory_used_ratio)
    return [*known, *_rounded(times), health.peak_rss_bytes or None, *_rounded(limits)]


def _rounded(values: Iterable[float | None]) -> Iterator[Cell]:
    yield from (None if each is None else round(each, 6) for each in values)


def _error_row(row: FailureRow) -> list[Cell]:
    words = [word for each in row.examples[:1] for word in (each.message, each.where, each.asked, each.said) if word]
    return [row.name, row.kind, row.count, row.meaning, " · ".join(words)]


def _written(heads: list[str], rows: Iterable[list[Cell]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def _harmless(cell: Cell) -> Cell:
    """A spreadsheet takes what begins so for a formula; an apostrophe before it says that it is text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
