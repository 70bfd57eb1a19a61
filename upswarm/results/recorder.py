"""Where a worker's measurements come together, and from where they are taken away bit by bit."""

from __future__ import annotations

from dataclasses import dataclass, field

from upswarm.content.base import File
from upswarm.results.intervals import Intervals
from upswarm.results.measurements import Measurements
from upswarm.transfer.records import Attempt, Outcome
from upswarm.workload.pacing import Arrival


@dataclass(frozen=True, slots=True)
class Taken:
    """What was recorded between two calls: that of the warm-up, and what ended after it, which is None without one.

    `classes` are the intervals of each class of files, where they are wanted.
    """

    measurements: Measurements
    settled: Measurements | None = None
    classes: dict[str, Intervals] = field(default_factory=dict)


class Recorder:
    """An observer of transfers. Seconds count from `started_s` on the same clock that stamped the attempts.

    What ends in the first `warm_up_s` is kept apart from all that comes later. `by_class` asks for intervals of each
    class of files; without one of the two they cost nothing.
    """

    def __init__(self, started_s: float, *, warm_up_s: float = 0.0, by_class: bool = False) -> None:
        self._started_s = started_s
        self._warm_up_s = warm_up_s
        self._by_class = by_class
        self._measurements = Measurements()
        self._settled = Measurements() if warm_up_s else None
        self._classes: dict[str, Intervals] = {}
        self._seen_second = self._seen_most = 0

    def attempted(self, attempt: Attempt) -> None:
        """Count a request."""
        at_s = self._since_start_s(attempt.ended_s)
        self._part(at_s).record_attempt(attempt, at_s)
        if self._by_class and attempt.file_class:
            self._of_class(attempt.file_class).record_attempt(attempt, at_s)

    def ended(self, outcome: Outcome) -> None:
        """Count an upload."""
        at_s = self._since_start_s(outcome.ended_s)
        self._part(at_s).record_outcome(outcome, at_s)
        if self._by_class and outcome.file_class:
            self._of_class(outcome.file_class).record_outcome(outcome, at_s)

    def began(self, arrival: Arrival) -> None:
        """Count an arrival that has begun."""
        at_s = self._since_start_s(arrival.began_s)
        self._part(at_s).record_arrival(arrival, at_s)

    def dropped(self, number: int, due_s: float) -> None:
        """Count an arrival that found no slot."""
        at_s = self._since_start_s(due_s)
        self._part(at_s).record_dropped(at_s)

    def opened(self, file: File) -> None:
        """Count a file that was made, whenever that was."""
        self._measurements.record_file(file.size_bytes, file.allocated_bytes)

    def woke(self, late_s: float, now_s: float) -> None:
        """Count a look at the clock, so much later than it should have been."""
        self._part(self._since_start_s(now_s)).generator.lag.record(late_s)

    def saw(self, in_flight: int, now_s: float) -> None:
        """Look at the uploads under way. The most of each second is counted, once, when the next one has begun."""
        second = int(self._since_start_s(now_s))
        if second != self._seen_second:
            self.looked()
            self._seen_second = second
        self._seen_most = max(self._seen_most, in_flight)

    def looked(self) -> None:
        """Count the most uploads that were seen in the second that is over."""
        if self._seen_most:
            self._part(float(self._seen_second)).record_in_flight(self._seen_most, self._seen_second)
        self._seen_most = 0

    def spent(self, cpu_s: float, queued_s: float, *, from_s: float, to_s: float) -> None:
        """Count CPU time, and that of waiting for it, between two moments on the clock that stamps attempts."""
        at_s = self._since_start_s((from_s + to_s) / 2)
        self._part(at_s).record_cpu(cpu_s, to_s - from_s, at_s, queued_s=queued_s)

    def take(self) -> Taken:
        """What was recorded since the last call; nothing is handed out twice."""
        taken = Taken(self._measurements, self._settled, self._classes)
        self._measurements, self._classes = Measurements(), {}
        self._settled = None if self._settled is None else Measurements()
        return taken

    def _part(self, at_s: float) -> Measurements:
        return self._measurements if self._settled is None or at_s < self._warm_up_s else self._settled

    def _of_class(self, name: str) -> Intervals:
        return self._classes.setdefault(name, Intervals())

    def _since_start_s(self, ended_s: float) -> float:
        return max(0.0, ended_s - self._started_s)
