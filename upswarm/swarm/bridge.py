"""What our stopwatch measured is told to Locust too, so that its table, its web UI and its listeners show the same."""

from __future__ import annotations

from locust.env import Environment

from upswarm.transfer.clock import Clock
from upswarm.transfer.failures import Failure
from upswarm.transfer.records import Attempt, End, Observer, Outcome


class LocustBridge:
    """Fires Locust's `request` event for each attempt (under its phase) and for each upload (under `upload`).

    `response_length` carries the bytes that were sent: Locust has no column for them, and an answer has hardly any.
    """

    def __init__(self, environment: Environment, protocol: str, url: str, clock: Clock) -> None:
        self._request = environment.events.request
        self._protocol = protocol
        self._url = url
        self._clock = clock

    def attempted(self, attempt: Attempt) -> None:
        """One request, with the time since it was due; Locust knows no requests that are neither good nor failed."""
        if attempt.failure is Failure.INTERRUPTED:
            return
        problem = None
        if attempt.failure is not None:
            problem = attempt.failure if attempt.status is None else f"{attempt.failure} ({attempt.status})"
        self._tell(attempt.phase, attempt.response_time_s, attempt.bytes_sent, problem)

    def ended(self, outcome: Outcome) -> None:
        """One upload, with the time since it was due, unless its user gave it up on purpose."""
        if outcome.end is End.ABORTED:
            return
        problem = None if outcome.end is End.FINISHED else outcome.failure or outcome.end
        self._tell("upload", outcome.response_time_s, outcome.size_bytes, problem)

    def _tell(self, name: str, response_time_s: float, sent_bytes: int, problem: str | None) -> None:
        self._request.fire(
            request_type=self._protocol,
            name=str(name),
            response_time=response_time_s * 1000,
            response_length=sent_bytes,
            response=None,
            context={},
            exception=UploadProblem(problem) if problem else None,
            start_time=self._clock.wall() - response_time_s,
            url=self._url,
        )


class UploadProblem(Exception):
    """A failure as Locust counts it: by its kind, so that a thousand of them are one row."""


class Both:
    """Two observers, told of the same."""

    def __init__(self, first: Observer, second: Observer) -> None:
        self._observers = (first, second)

    def attempted(self, attempt: Attempt) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.attempted(attempt)

    def ended(self, outcome: Outcome) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.ended(outcome)
