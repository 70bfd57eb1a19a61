"""Where a worker's measurements come together, and from where they are taken away bit by bit."""

from __future__ import annotations

from upswarm.content.base import File
from upswarm.results.measurements import Measurements
from upswarm.transfer.records import Attempt, Outcome
from upswarm.workload.pacing import Arrival


class Recorder:
    """An observer of transfers. Seconds count from `started_s` on the same clock that stamped the attempts."""

    def __init__(self, started_s: float) -> None:
        self._started_s = started_s
        self._measurements = Measurements()
        self._seen_second = -1

    def attempted(self, attempt: Attempt) -> None:
        """Count a request."""
        self._measurements.record_attempt(attempt, self._since_start_s(attempt.ended_s))

    def ended(self, outcome: Outcome) -> None:
        """Count an upload."""
        self._measurements.record_outcome(outcome, self._since_start_s(outcome.ended_s))

    def began(self, arrival: Arrival) -> None:
        """Count an arrival that has begun."""
        self._measurements.record_arrival(arrival, self._since_start_s(arrival.began_s))

    def dropped(self, number: int, due_s: float) -> None:
        """Count an arrival that found no slot."""
        self._measurements.record_dropped(self._since_start_s(due_s))

    def opened(self, file: File) -> None:
        """Count a file that was made."""
        self._measurements.record_file(file.size_bytes, file.allocated_bytes)

    def woke(self, late_s: float) -> None:
        """Count a look at the clock, so much later than it should have been."""
        self._measurements.generator.lag.record(late_s)

    def saw(self, in_flight: int, now_s: float) -> None:
        """Count the uploads under way, once in each second; the looks after the first are of no account."""
        second = int(self._since_start_s(now_s))
        if second != self._seen_second:
            self._seen_second = second
            self._measurements.record_in_flight(in_flight, second)

    def spent(self, cpu_s: float, queued_s: float, *, from_s: float, to_s: float) -> None:
        """Count CPU time, and that of waiting for it, between two moments on the clock that stamps attempts."""
        at_s = self._since_start_s((from_s + to_s) / 2)
        self._measurements.record_cpu(cpu_s, to_s - from_s, at_s, queued_s=queued_s)

    def take(self) -> Measurements:
        """What was recorded since the last call; nothing is handed out twice."""
        taken, self._measurements = self._measurements, Measurements()
        return taken

    def _since_start_s(self, ended_s: float) -> float:
        return max(0.0, ended_s - self._started_s)
