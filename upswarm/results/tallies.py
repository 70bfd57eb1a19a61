"""The tallies that measurements consist of, and how each of them is added, written and read.

A tally is a row of numbers, counters and histograms; whatever it holds, adding two of them is adding their fields.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from upswarm.results.generator import GeneratorTally
from upswarm.results.histogram import Histogram
from upswarm.transfer.messages import Timings

Document = dict[str, Any]


@dataclass(slots=True)
class PhaseTally:
    """All attempts of one phase. The times of failed attempts are kept apart: a fast refusal is no fast service.

    `stopped` attempts, under way when the run ended, are neither good nor failed and have no time; nor have those that
    the scenario `interrupted`. `unretried` ones failed, and were not tried again because the retry budget was spent.
    Where the transport tells: `connected` attempts needed a new connection and `reused` ones did not; of the successful
    ones, the times of connecting, of sending, and of waiting for the answer's first byte when all was sent.
    """

    attempts: int = 0
    failed: int = 0
    stopped: int = 0
    interrupted: int = 0
    unretried: int = 0
    retries: int = 0
    bytes_sent: int = 0
    connected: int = 0
    reused: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    response_time: Histogram = field(default_factory=Histogram)
    service_time: Histogram = field(default_factory=Histogram)
    connect_time: Histogram = field(default_factory=Histogram)
    send_time: Histogram = field(default_factory=Histogram)
    wait_time: Histogram = field(default_factory=Histogram)
    failed_response_time: Histogram = field(default_factory=Histogram)


@dataclass(slots=True)
class UploadTally:
    """All uploads that ended. `response_time` is that of the finished ones, as are the bytes.

    `resent_bytes` went out more than once; interruptions are those on purpose.
    """

    finished: int = 0
    failed: int = 0
    aborted: int = 0
    stopped: int = 0
    interruptions: int = 0
    resumes: int = 0
    restarts: int = 0
    finished_bytes: int = 0
    resent_bytes: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    response_time: Histogram = field(default_factory=Histogram)


@dataclass(slots=True)
class ArrivalsTally:
    """Arrivals of an open load that were due. The late ones have begun too; `lateness` is of all that have begun."""

    begun: int = 0
    late: int = 0
    dropped: int = 0
    lateness: Histogram = field(default_factory=Histogram)


@dataclass(slots=True)
class FilesTally:
    """The files that were made to be uploaded: their size for whoever reads them, and what they took on disk."""

    made: int = 0
    apparent_bytes: int = 0
    allocated_bytes: int = 0


@dataclass(slots=True)
class SecondTally:
    """What ended in one second of the run; `bytes_sent` counts every attempt, `finished_bytes` only whole files.

    `cpu_ms` is the CPU time of all workers. `in_flight` is the most uploads under way at a time, of each worker,
    added up; arrivals were `late`, or `dropped`.
    """

    attempts: int = 0
    failed: int = 0
    bytes_sent: int = 0
    finished: int = 0
    finished_bytes: int = 0
    cpu_ms: int = 0
    in_flight: int = 0
    late: int = 0
    dropped: int = 0


Tally = PhaseTally | UploadTally | ArrivalsTally | FilesTally | GeneratorTally | SecondTally


def record_timings(tally: PhaseTally, timings: Timings, *, good: bool) -> None:
    """Count where the time of an attempt went, as far as its transport knows."""
    tally.reused += timings.reused
    tally.connected += not timings.reused and timings.connect_s is not None
    if good and timings.connect_s is not None and not timings.reused:
        tally.connect_time.record(timings.connect_s)
    if good and timings.send_s is not None and timings.first_byte_s is not None:
        tally.send_time.record(timings.send_s)
        tally.wait_time.record(max(0.0, timings.first_byte_s - timings.send_s))


def label(failure: str, status: int | None) -> str:
    """A kind of failure, with the HTTP status where there was an answer: `server_error (503)`."""
    return failure if status is None else f"{failure} ({status})"


def add(total: Tally, part: Tally) -> None:
    """Add a part to a total."""
    for name in total.__slots__:
        value, other = getattr(total, name), getattr(part, name)
        match value:
            case int():
                if other:
                    setattr(total, name, value + other)
            case Counter():
                value.update(other)
            case Histogram():
                value.add(other)


def histograms(tally: Tally) -> list[Histogram]:
    """All that a tally has."""
    values = (getattr(tally, name) for name in tally.__slots__)
    return [value for value in values if isinstance(value, Histogram)]


def to_document(tally: Tally, brief: bool) -> Document:
    """As JSON can carry it; `brief` costs less."""
    document: Document = {}
    for name in tally.__slots__:
        value = getattr(tally, name)
        match value:
            case Histogram():
                document[name] = value.pairs() if brief else value.encode()
            case Counter():
                document[name] = dict(value)
            case _:
                document[name] = value
    return document


def fill(tally: Tally, document: Mapping[str, Any]) -> None:
    """What `to_document` wrote, into an empty tally; raises `KeyError`, `TypeError` or `ValueError` for the rest."""
    for name in tally.__slots__:
        match getattr(tally, name):
            case Histogram() if isinstance(document[name], list):
                setattr(tally, name, Histogram.of_pairs(document[name]))
            case Histogram():
                setattr(tally, name, Histogram.decode(document[name]))
            case Counter():
                setattr(tally, name, Counter(dict(document[name])))
            case _ if isinstance(document[name], int):
                setattr(tally, name, document[name])
            case _:
                raise TypeError(f"expected a whole number as {name}, found {str(document[name])[:20]!r}")
