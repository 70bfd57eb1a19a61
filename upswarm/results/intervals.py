"""A run in intervals of equal width, each with its own times: percentiles over time, and batches for a capacity.

There are never more than `MOST` intervals: where a run lasts longer, neighbours become one, and all widths double. So
every width is `FINEST_S` times a power of two, and whatever two workers have measured can be added exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from upswarm.results.sparse_times import SparseTimes
from upswarm.transfer.failures import NO_FAILURE
from upswarm.transfer.messages import Phase
from upswarm.transfer.records import Attempt, End, Outcome

FINEST_S = 0.25
MOST = 256

Document = dict[str, Any]


@dataclass(slots=True)
class PhaseInterval:
    """The attempts of one phase that ended in an interval; the times are those of the successful ones."""

    attempts: int = 0
    failed: int = 0
    retries: int = 0
    bytes_sent: int = 0
    response_time: SparseTimes = field(default_factory=SparseTimes)

    def add(self, other: PhaseInterval) -> None:
        """Add another's numbers."""
        self.attempts += other.attempts
        self.failed += other.failed
        self.retries += other.retries
        self.bytes_sent += other.bytes_sent
        self.response_time.add(other.response_time)


@dataclass(slots=True)
class UploadInterval:
    """The uploads that ended in an interval; the times are those of the finished ones."""

    finished: int = 0
    failed: int = 0
    resumes: int = 0
    finished_bytes: int = 0
    response_time: SparseTimes = field(default_factory=SparseTimes)

    def add(self, other: UploadInterval) -> None:
        """Add another's numbers."""
        self.finished += other.finished
        self.failed += other.failed
        self.resumes += other.resumes
        self.finished_bytes += other.finished_bytes
        self.response_time.add(other.response_time)


class Interval:
    """What ended between two moments."""

    __slots__ = ("phases", "uploads")

    def __init__(self) -> None:
        self.phases: dict[Phase, PhaseInterval] = {}
        self.uploads = UploadInterval()

    def phase(self, phase: Phase) -> PhaseInterval:
        """The tally of one phase, made where there is none yet."""
        tally = self.phases.get(phase)
        if tally is None:
            tally = self.phases[phase] = PhaseInterval()
        return tally

    def add(self, other: Interval) -> None:
        """Add another interval's numbers."""
        for phase, tally in other.phases.items():
            self.phase(phase).add(tally)
        self.uploads.add(other.uploads)


class Intervals:
    """The intervals of a run from its start on, by number; those in which nothing ended are not there."""

    def __init__(self) -> None:
        self.width_s = FINEST_S
        self._intervals: dict[int, Interval] = {}

    def __len__(self) -> int:
        """One more than the number of the last."""
        return max(self._intervals, default=-1) + 1

    def at(self, number: int) -> Interval:
        """What ended from `number * width_s` on, for `width_s` seconds; an empty one where nothing did."""
        return self._intervals.get(number) or Interval()

    def record_attempt(self, attempt: Attempt, at_s: float) -> None:
        """Count a request that ended so many seconds after the start of the run."""
        tally = self._covering(at_s).phase(attempt.phase)
        tally.attempts += 1
        tally.retries += attempt.number > 1
        tally.bytes_sent += attempt.bytes_sent
        if attempt.failure is None:
            tally.response_time.record(attempt.response_time_s)
        elif attempt.failure not in NO_FAILURE:
            tally.failed += 1

    def record_outcome(self, outcome: Outcome, at_s: float) -> None:
        """Count an upload that ended so many seconds after the start of the run.

        One that was stopped, or given up on purpose, is neither finished nor failed.
        """
        if outcome.end in {End.STOPPED, End.ABORTED}:
            return
        tally = self._covering(at_s).uploads
        tally.resumes += outcome.resumes
        if outcome.end is End.FINISHED:
            tally.finished += 1
            tally.finished_bytes += outcome.size_bytes
            tally.response_time.record(outcome.response_time_s)
        else:
            tally.failed += 1

    def add(self, other: Intervals) -> None:
        """Add another worker's, or a later part's, intervals: the result has the wider of the two widths, or more."""
        while self.width_s < other.width_s:
            self._widen()
        for number, interval in other._intervals.items():
            self._covering((number + 0.5) * other.width_s).add(interval)

    def to_document(self, brief: bool = False) -> Document:
        """As JSON (and msgpack) can carry it; `brief` costs less, for what workers send."""
        intervals = sorted(self._intervals.items())
        return {
            "width_s": self.width_s,
            "intervals": [{"number": at, **_interval_document(each, brief)} for at, each in intervals],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Intervals:
        """What `to_document` wrote."""
        intervals = cls()
        intervals.width_s = document["width_s"]
        for each in document["intervals"]:
            intervals._intervals[each["number"]] = interval = Interval()
            _fill(interval.uploads, each["uploads"])
            for phase, tally in each["phases"].items():
                _fill(interval.phase(Phase(phase)), tally)
        return intervals

    def _covering(self, at_s: float) -> Interval:
        number = int(at_s / self.width_s)
        interval = self._intervals.get(number)
        if interval is not None:
            return interval
        while number >= MOST:
            self._widen()
            number = int(at_s / self.width_s)
        return self._intervals.setdefault(number, Interval())

    def _widen(self) -> None:
        narrow, self._intervals = self._intervals, {}
        self.width_s *= 2
        for number, interval in narrow.items():
            wide = self._intervals.get(number // 2)
            if wide is None:
                self._intervals[number // 2] = interval
            else:
                wide.add(interval)


Tally = PhaseInterval | UploadInterval


def _interval_document(interval: Interval, brief: bool) -> Document:
    phases = {phase.value: _to_document(interval.phases[phase], brief) for phase in sorted(interval.phases)}
    return {"uploads": _to_document(interval.uploads, brief), "phases": phases}


def _to_document(tally: Tally, brief: bool) -> Document:
    """Only what is not nothing: most intervals of most runs have neither retries nor failures."""
    values = {name: getattr(tally, name) for name in tally.__slots__}
    values["response_time"] = tally.response_time.pairs() if brief else tally.response_time.encode()
    return {name: each for name, each in values.items() if each}


def _fill(tally: Tally, document: Mapping[str, Any]) -> None:
    for name, value in document.items():
        if name == "response_time":
            tally.response_time = SparseTimes.decode(value) if isinstance(value, str) else SparseTimes.of_pairs(value)
        else:
            setattr(tally, name, value)
