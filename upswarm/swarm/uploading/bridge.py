"""What our stopwatch measured is told to Locust too, so that its table, its web UI and its listeners show the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from locust.env import Environment
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser

from upswarm.transfer.clock import Clock
from upswarm.transfer.failures import Failure
from upswarm.transfer.records import Attempt, End, Observer, Outcome

Context = Callable[[], dict[str, Any]]
"""What a user wants its requests to be told with: `User.context`."""

REQUESTED = (StopUser, StopTest, RescheduleTask, RescheduleTaskImmediately, InterruptTaskSet)
"""What a listener raises to say what its user shall do next; Locust swallows everything else."""


class LocustBridge:
    """Fires Locust's `request` event for each attempt (under its phase) and for each upload (under `upload`).

    `response_length` carries the bytes that were sent: Locust has no column for them, and an answer has hardly any.
    `url` is the target's, for the rest of an address may hold a secret. `context` is asked each time.
    What a listener requests is raised when an upload has ended, and not in the middle of it.
    """

    def __init__(
        self, environment: Environment, protocol: str, url: str, clock: Clock, context: Context = dict
    ) -> None:
        self._request = environment.events.request
        self._protocol = protocol
        self._url = url
        self._clock = clock
        self._context = context

    def attempted(self, attempt: Attempt) -> None:
        """One request, with the time since it was due; Locust knows no requests that are neither good nor failed."""
        if attempt.failure is Failure.INTERRUPTED:
            return
        problem = None
        if attempt.failure is not None:
            problem = attempt.failure if attempt.status is None else f"{attempt.failure} ({attempt.status})"
        with suppress(*REQUESTED):
            self._tell(attempt.phase, attempt.due_s, attempt.response_time_s, attempt.bytes_sent, problem)

    def ended(self, outcome: Outcome) -> None:
        """One upload, with the time since it was due, unless its user gave it up on purpose."""
        if outcome.end is End.ABORTED:
            return
        problem = None if outcome.end is End.FINISHED else outcome.failure or outcome.end
        with suppress(*REQUESTED if outcome.end is End.STOPPED else ()):  # it is being stopped already
            self._tell("upload", outcome.due_s, outcome.response_time_s, outcome.size_bytes, problem)

    def _tell(self, name: str, due_s: float, response_time_s: float, sent_bytes: int, problem: str | None) -> None:
        self._request.fire(
            request_type=self._protocol,
            name=str(name),
            response_time=response_time_s * 1000,
            response_length=sent_bytes,
            response=None,
            context=self._context(),
            exception=UploadProblem(str(problem)) if problem else None,
            start_time=self._clock.wall() - (self._clock.now() - due_s),
            url=self._url,
        )


class UploadProblem(Exception):
    """A failure as Locust counts it: by its kind, so that a thousand of them are one row."""


class Several:
    """Observers that are all told of the same."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def attempted(self, attempt: Attempt) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.attempted(attempt)

    def ended(self, outcome: Outcome) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.ended(outcome)
