"""What was measured: tallies by phase, the uploads, and a series by second. Adding two measurements is exact.

A worker's measurements between two reports are measurements too: the master adds them up, and a local run is simply
the sum of one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from upswarm.results.histogram import Histogram
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase
from upswarm.transfer.records import Attempt, End, Outcome

Document = dict[str, Any]


@dataclass(slots=True)
class PhaseTally:
    """All attempts of one phase. The times of failed attempts are kept apart: a fast refusal is no fast service.

    `stopped` attempts, under way when the run ended, are neither good nor failed and have no time.
    """

    attempts: int = 0
    failed: int = 0
    stopped: int = 0
    retries: int = 0
    bytes_sent: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    response_time: Histogram = field(default_factory=Histogram)
    service_time: Histogram = field(default_factory=Histogram)
    failed_response_time: Histogram = field(default_factory=Histogram)


@dataclass(slots=True)
class UploadTally:
    """All uploads that ended. `response_time` is that of the finished ones."""

    finished: int = 0
    failed: int = 0
    stopped: int = 0
    resumes: int = 0
    finished_bytes: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    response_time: Histogram = field(default_factory=Histogram)


@dataclass(slots=True)
class SecondTally:
    """What ended in one second of the run; `bytes_sent` counts every attempt, `finished_bytes` only whole files."""

    attempts: int = 0
    failed: int = 0
    bytes_sent: int = 0
    finished: int = 0
    finished_bytes: int = 0


class Measurements:
    """The sum of everything recorded."""

    def __init__(self) -> None:
        self.phases: dict[Phase, PhaseTally] = {phase: PhaseTally() for phase in Phase}
        self.uploads = UploadTally()
        self.seconds: dict[int, SecondTally] = {}

    @property
    def attempts(self) -> int:
        """How many requests were sent, in all phases."""
        return sum(tally.attempts for tally in self.phases.values())

    def record_attempt(self, attempt: Attempt, second: int) -> None:
        """Count one request; `second` is the second of the run in which it ended."""
        tally, at = self.phases[attempt.phase], self._second(second)
        tally.attempts += 1
        tally.retries += attempt.number > 1
        tally.bytes_sent += attempt.bytes_sent
        at.attempts += 1
        at.bytes_sent += attempt.bytes_sent
        if attempt.failure is None:
            tally.response_time.record(attempt.response_time_s)
            tally.service_time.record(attempt.service_time_s)
        elif attempt.failure is Failure.STOPPED:
            tally.stopped += 1
        else:
            tally.failed += 1
            tally.failures[_label(attempt.failure, attempt.status)] += 1
            tally.failed_response_time.record(attempt.response_time_s)
            at.failed += 1

    def record_outcome(self, outcome: Outcome, second: int) -> None:
        """Count one upload that has ended."""
        tally = self.uploads
        tally.resumes += outcome.resumes
        if outcome.end is End.FINISHED:
            tally.finished += 1
            tally.finished_bytes += outcome.size_bytes
            tally.response_time.record(outcome.response_time_s)
            at = self._second(second)
            at.finished += 1
            at.finished_bytes += outcome.size_bytes
        elif outcome.end is End.FAILED:
            tally.failed += 1
            tally.failures[outcome.failure or "unknown"] += 1
        else:
            tally.stopped += 1

    def add(self, other: Measurements) -> None:
        """Add another worker's, or another interval's, measurements to these."""
        for phase, tally in other.phases.items():
            _add(self.phases[phase], tally)
        _add(self.uploads, other.uploads)
        for second, at in other.seconds.items():
            _add(self._second(second), at)

    def to_document(self) -> Document:
        """As JSON (and msgpack) can carry it."""
        return {
            "phases": {phase.value: _to_document(tally) for phase, tally in self.phases.items() if tally.attempts},
            "uploads": _to_document(self.uploads),
            "seconds": [{"second": second, **_to_document(self.seconds[second])} for second in sorted(self.seconds)],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Measurements:
        """What `to_document` wrote."""
        measurements = cls()
        for phase, tally in document["phases"].items():
            _fill(measurements.phases[Phase(phase)], tally)
        _fill(measurements.uploads, document["uploads"])
        for at in document["seconds"]:
            _fill(measurements._second(at["second"]), at)
        return measurements

    def _second(self, second: int) -> SecondTally:
        return self.seconds.setdefault(second, SecondTally())


Tally = PhaseTally | UploadTally | SecondTally


def _label(failure: str, status: int | None) -> str:
    return failure if status is None else f"{failure} ({status})"


def _add(total: Tally, part: Tally) -> None:
    for name in total.__slots__:
        value, other = getattr(total, name), getattr(part, name)
        match value:
            case int():
                setattr(total, name, value + other)
            case Counter():
                value.update(other)
            case Histogram():
                value.add(other)


def _to_document(tally: Tally) -> Document:
    document: Document = {}
    for name in tally.__slots__:
        value = getattr(tally, name)
        match value:
            case Histogram():
                document[name] = value.encode() if value.count else ""
            case Counter():
                document[name] = dict(value)
            case _:
                document[name] = value
    return document


def _fill(tally: Tally, document: Mapping[str, Any]) -> None:
    for name in tally.__slots__:
        match getattr(tally, name):
            case Histogram():
                setattr(tally, name, Histogram.decode(document[name]))
            case Counter():
                setattr(tally, name, Counter(document[name]))
            case _:
                setattr(tally, name, document[name])
