"""A run as two CSV files for spreadsheets: one row for each phase, and one for each second.

Units stand in the names of the columns. But for the names of the phases every cell is a number or empty, so nothing
that a scenario or a server says can become a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from upswarm.files import write_whole
from upswarm.results.histogram import Histogram
from upswarm.results.run_file import Run
from upswarm.results.tallies import PhaseTally, SecondTally, UploadTally

Cell = str | int | float | None

PHASES_FILE, SERIES_FILE = "phases.csv", "series.csv"

_PERCENTILES = (50, 90, 95, 99, 99.9)
_COUNTS = ("count", "succeeded", "failed", "stopped", "interrupted", "aborted", "retries", "bytes")
_TIMES = ("min_s", "mean_s", *(f"p{each}_s" for each in _PERCENTILES), "max_s")
_SECOND = ("second", "attempts", "failed_attempts", "sent_bytes", "finished_uploads", "finished_bytes", "worker_cpu_s")


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


CSV_FILES: dict[str, Callable[[Run], str]] = {PHASES_FILE: phases_csv, SERIES_FILE: series_csv}


def write_csv(run: Run, folder: Path) -> list[Path]:
    """Write both into the folder, each whole or not at all."""
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
    yield from (None if value_s is None else round(value_s, 6) for value_s in known)


def _second_row(second: int, tally: SecondTally) -> list[Cell]:
    counts: list[Cell] = [second, tally.attempts, tally.failed, tally.bytes_sent, tally.finished, tally.finished_bytes]
    return [*counts, tally.cpu_ms / 1000]


def _written(heads: list[str], rows: Iterable[list[Cell]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return text.getvalue()
