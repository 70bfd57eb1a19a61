"""Every attempt and every upload by itself, for those who want raw data: rows that are written as they come.

A run file has sums and histograms, whatever it sends. This grows with each request, so it is kept only where somebody
asks for it. No row holds an address, a header or anything that a server said: there are no secrets in them.
"""

from __future__ import annotations

import csv
from itertools import count
from pathlib import Path
from typing import NamedTuple, Protocol

from upswarm.errors import UsageError
from upswarm.transfer.messages import Timings
from upswarm.transfer.records import Attempt, End, Outcome

UPLOAD = "upload"
"""Stands for the phase in the row of a whole upload."""
FLUSH_S = 1.0


class Event(NamedTuple):
    """One request, or (with the phase `upload`) one upload. All moments are seconds of the run; None is not known.

    `number` counts the tries of a request from 1; an upload's is that of its file in the run. `bytes_sent` of an upload
    is the size of its file. `failure` is None where all went well. From `connect_s` on they are the transport's
    durations.
    """

    run_id: str
    worker: str
    file: str
    file_class: str
    phase: str
    number: int | None
    due_s: float
    sent_s: float | None
    ended_s: float
    bytes_sent: int
    status: int | None = None
    failure: str | None = None
    connect_s: float | None = None
    send_s: float | None = None
    first_byte_s: float | None = None
    reused: bool | None = None

    @classmethod
    def of_attempt(cls, attempt: Attempt, run_id: str, worker: str, started_s: float) -> Event:
        """A request of a run that started at this moment of the clock that stamped it."""
        timings = attempt.timings or Timings()
        return cls(
            run_id, worker, attempt.file_name, attempt.file_class, attempt.phase.value, attempt.number,
            _since(attempt.due_s, started_s), _since(attempt.sent_s, started_s), _since(attempt.ended_s, started_s),
            attempt.bytes_sent, attempt.status, None if attempt.failure is None else attempt.failure.value,
            _rounded(timings.connect_s), _rounded(timings.send_s), _rounded(timings.first_byte_s),
            None if attempt.timings is None else timings.reused,
        )  # fmt: skip

    @classmethod
    def of_outcome(cls, outcome: Outcome, run_id: str, worker: str, started_s: float) -> Event:
        """An upload's end; one that neither finished nor failed has its end for a failure."""
        good = outcome.end is End.FINISHED
        return cls(
            run_id, worker, outcome.file_name, outcome.file_class, UPLOAD, outcome.number,
            _since(outcome.due_s, started_s), None, _since(outcome.ended_s, started_s), outcome.size_bytes,
            failure=None if good else str(outcome.failure or outcome.end),
        )  # fmt: skip


class EventSink(Protocol):
    """Takes events to a file. Both raise `OSError` where the disk does not want them."""

    def add(self, event: Event) -> None:
        """Write it, now or soon."""

    def close(self) -> None:
        """Nothing comes any more."""


class CsvSink:
    """A line for each event. Whoever is killed loses the last second's."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("x", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(Event._fields)
        self._flushed_s = 0.0

    def add(self, event: Event) -> None:
        """Write a line; None is an empty cell."""
        self._writer.writerow(event)
        if event.ended_s - self._flushed_s >= FLUSH_S:
            self._flushed_s = event.ended_s
            self._file.flush()

    def close(self) -> None:
        """Write what is left."""
        self._file.close()


def open_sink(path: Path) -> EventSink:
    """A new file of the kind that its name ends in, beside what is there; raises `UsageError` and `OSError`."""
    if path.suffix == ".csv":
        return CsvSink(free(path))
    if path.suffix == ".parquet":
        from upswarm.results.events_parquet import ParquetSink  # noqa: PLC0415 (not everybody has pyarrow)

        return ParquetSink(path)
    raise UsageError(f"expected a file for events that ends in .csv or .parquet, found {path}")


def check_path(path: Path) -> None:
    """Raises `UsageError` where this can't be a file for events, or what writes it is not installed."""
    if path.suffix == ".parquet":
        from upswarm.results import events_parquet  # noqa: F401, PLC0415 (it says so when it is imported)
    elif path.suffix != ".csv":
        raise UsageError(f"expected a file for events that ends in .csv or .parquet, found {path}")


def free(path: Path) -> Path:
    """This path, or where there is a file already the first of `out-2.csv`, `out-3.csv` … that is not there."""
    names = (path if number == 1 else path.with_stem(f"{path.stem}-{number}") for number in count(1))
    return next(each for each in names if not each.exists())


def _since(moment_s: float, started_s: float) -> float:
    return round(moment_s - started_s, 6)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
