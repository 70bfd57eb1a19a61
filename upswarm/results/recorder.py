"""Where a worker's measurements come together, and from where they are taken away bit by bit."""

from __future__ import annotations

from upswarm.results.measurements import Measurements
from upswarm.transfer.records import Attempt, Outcome


class Recorder:
    """An observer of transfers. Seconds count from `started_s` on the same clock that stamped the attempts."""

    def __init__(self, started_s: float) -> None:
        self._started_s = started_s
        self._measurements = Measurements()

    def attempted(self, attempt: Attempt) -> None:
        """Count a request."""
        self._measurements.record_attempt(attempt, self._second(attempt.ended_s))

    def ended(self, outcome: Outcome) -> None:
        """Count an upload."""
        self._measurements.record_outcome(outcome, self._second(outcome.ended_s))

    def take(self) -> Measurements:
        """What was recorded since the last call; nothing is handed out twice."""
        taken, self._measurements = self._measurements, Measurements()
        return taken

    def _second(self, ended_s: float) -> int:
        return max(0, int(ended_s - self._started_s))
