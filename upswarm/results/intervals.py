"""A run in intervals of equal width, each with its own times: percentiles over time, and batches for a capacity.

From the first to the last there are never more than `MOST` intervals: where more is measured, neighbours become one,
and all widths double. So every width is `FINEST_S` times a power of two, and whatever two workers have measured can be
added exactly. What a report holds of a few seconds is fine, however late in the run they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
        self._first = self._last = 0  # numbers; of no account while there is nothing

    def __len__(self) -> int:
        """One more than the number of the last."""
        return self._last + 1 if self._intervals else 0

    def at(self, number: int) -> Interval:
        """What ended from `number * width_s` on, for `width_s` seconds; an empty one where nothing did."""
        return self._intervals.get(number) or Interval()

    def items(self) -> Iterator[tuple[float, Interval]]:
        """Those in which anything ended: the middle of each, in seconds after the run's start, and the interval."""
        for number, interval in self._intervals.items():
            yield (number + 0.5) * self.width_s, interval

    def from_start(self) -> Intervals:
        """The same, wide enough for there to be no more than `MOST` from the start of the run on; perhaps these."""
        if len(self) <= MOST:
            return self
        wide = Intervals()
        wide._covering(0.0)
        wide.add(self)
        return wide

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
        for middle_s, interval in other.items():
            self._covering(middle_s).add(interval)

    def all_times(self) -> list[SparseTimes]:
        """Those of all phases and uploads."""
        each = self._intervals.values()
        of_phases = [tally.response_time for interval in each for tally in interval.phases.values()]
        return [*of_phases, *(interval.uploads.response_time for interval in each)]

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
            intervals._note(each["number"])
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
        while self._intervals and max(number, self._last) - min(number, self._first) >= MOST:
            self._widen()
            number = int(at_s / self.width_s)
        self._note(number)
        return self._intervals.setdefault(number, Interval())

    def _note(self, number: int) -> None:
        """There is going to be one of this number."""
        self._first = min(self._first, number) if self._intervals else number
        self._last = max(self._last, number) if self._intervals else number

    def _widen(self) -> None:
        narrow, self._intervals = self._intervals, {}
        self.width_s *= 2
        self._first, self._last = self._first // 2, self._last // 2
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
