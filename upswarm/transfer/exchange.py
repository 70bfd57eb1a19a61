"""One driver for all dialects: it signs, sends, times, retries and writes down; a dialect only reads and answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from upswarm.transfer.auth import Sign, unsigned
from upswarm.transfer.bandwidth import Pace
from upswarm.transfer.budget import RetryBudget
from upswarm.transfer.clock import Clock
from upswarm.transfer.dialect import Flow
from upswarm.transfer.failures import MAY_PASS, UNANSWERED, Failure, Fault, Interrupted, kind_of_status
from upswarm.transfer.messages import Phase, Request, Response
from upswarm.transfer.records import Attempt, Observer
from upswarm.transfer.retry import RetryPolicy, retry_after_s
from upswarm.transfer.transport import Transport

T = TypeVar("T")
Due = Iterator[float]
"""When the next request is due, for whoever makes it; then nothing: the others are due when they can be made."""
NOW: Due = iter(())
"""Nothing was due before."""


def at(due_s: float | None) -> Due:
    """The next request is due at this time; None is now."""
    return NOW if due_s is None else iter((due_s,))


class Exchange:
    """Drives flows over one transport.

    An answer whose status the policy names is retried here, for any request. A request without an answer is
    retried here too, except a chunk: what the server took of it is unknown, so the uploader must probe first.
    An abort is tried once: nothing depends on it, and whoever aborts is in a hurry. Where a `budget` is spent,
    nothing is retried, and the error says that it was `unretried`.
    """

    def __init__(
        self,
        transport: Transport,
        observer: Observer,
        *,
        clock: Clock,
        dice: random.Random,
        retry: RetryPolicy,
        sign: Sign = unsigned,
        budget: RetryBudget | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._transport = transport
        self._observer = observer
        self._clock = clock
        self._dice = dice
        self._retry = retry
        self._sign = sign
        self._budget = budget
        self.file_name = self.file_class = ""
        """Whose upload this is, for those who read of a failure, and of which sort the file is."""
        self._pace = pace

    def drive(self, flow: Flow[T], due_s: float | None = None) -> T:
        """Run a flow to its end and return what it returns; raises `Fault` or `Interrupted`.

        `due_s` is when the flow's first request is due, if that is not now; the others are due when they can be made.
        """
        return self._driven(flow, at(due_s))

    def perform(self, step: Callable[[], Flow[T]], due: Due = NOW) -> T:
        """Run the flow that a step makes, as `drive` does, and make it anew where only its dialect sees a bad moment.

        S3 says `SlowDown` under a status of success, which no policy of statuses would retry.
        """
        number = 1
        while True:
            try:
                return self._driven(step(), due, number, again=True)
            except _AgainError as again:
                due, number = at(self._pause(number, again.response)), number + 1

    def hang_up(self) -> None:
        """Close the connection; what is sent next goes over a new one."""
        self._transport.close()

    def _driven(self, flow: Flow[T], due: Due, number: int = 1, *, again: bool = False) -> T:
        try:
            request = next(flow)
            while True:
                answered = self._answered(request, next(due, None), number)
                try:
                    request = flow.send(answered.response)
                except Fault as fault:
                    self._refused(answered, fault, again=again)
                    raise
                except StopIteration:
                    self._note(answered.attempt)
                    raise
                except Exception as error:
                    self._note(answered.attempt, Failure.BROKEN, f"the dialect stumbled: {error!r}")
                    raise
                self._note(answered.attempt)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def _refused(self, answered: _Answered, fault: Fault, *, again: bool) -> None:
        """Write a fault down; raises `_AgainError` if the flow is to be made anew."""
        attempt, response = answered.attempt, answered.response
        again = again and response.status < 400 and fault.kind in MAY_PASS and attempt.number < self._retry.attempts
        granted = again and self._granted()
        fault.unretried = attempt.unretried or (again and not granted)
        self._note(replace(attempt, unretried=fault.unretried), fault.kind, fault.message)
        if granted:
            raise _AgainError(response) from fault

    def _answered(self, request: Request, due_s: float | None, number: int) -> _Answered:
        """Send until there is an answer that is not to be retried, or no attempt is left."""
        due_s = self._clock.now() if due_s is None else due_s
        attempts = 1 if request.phase is Phase.ABORT else self._retry.attempts
        if self._budget and number == 1:
            self._budget.earn()
        while True:
            attempt, end = self._sent(request, number, due_s)
            wanted = number < attempts and self._may_pass(end)
            granted = wanted and self._granted()
            if wanted and not granted:
                attempt = replace(attempt, unretried=True)
            if isinstance(end, Interrupted):
                self._note(attempt, end.kind, end.message)
                end.unretried = attempt.unretried
                if not granted or request.phase is Phase.CHUNK:
                    raise end
                due_s = self._pause(number)
            elif granted:
                self._note(attempt, _kind_of(end))
                due_s = self._pause(number, end)
            else:
                return _Answered(attempt, end)
            number += 1

    def _sent(self, request: Request, number: int, due_s: float) -> tuple[Attempt, Response | Interrupted]:
        """Send once. Whatever happens is written down, also when the run is stopped in the middle."""
        sent_bytes = 0

        def count(view_bytes: int) -> None:
            nonlocal sent_bytes
            sent_bytes += view_bytes

        def attempt(end: Response | Interrupted | None = None) -> Attempt:
            status = end.status if end else None
            timings = end.timings if end else None
            ended_s = self._clock.now()
            return Attempt(
                request.phase, number, due_s, sent_s, ended_s, sent_bytes, status, timings=timings,
                file_name=self.file_name, file_class=self.file_class,
                asked=signed, answer=end if isinstance(end, Response) else None,
            )  # fmt: skip

        if request.body is not None:
            body = request.body if self._pace is None else self._pace.paced(request.body)
            request = request.carrying(body.told(count))
        signed = self._sign(request)
        sent_s = self._clock.now()
        try:
            response = self._transport.send(signed)
        except Interrupted as error:
            return attempt(error), error
        except BaseException:
            self._note(attempt(), Failure.STOPPED)
            raise
        return attempt(response), response

    def _may_pass(self, end: Response | Interrupted) -> bool:
        """Whether the same request may succeed later; one that was cut on purpose has not failed."""
        if isinstance(end, Interrupted):
            return end.kind in UNANSWERED
        return end.status in self._retry.statuses

    def _granted(self) -> bool:
        return self._budget is None or self._budget.spend()

    def _pause(self, number: int, answer: Response | None = None) -> float:
        """Wait as the policy and the server say, and return when the next attempt is due."""
        wished_s = retry_after_s(answer.headers, self._clock.wall()) if answer else None
        pause_s = self._retry.pause_s(number, self._dice, wished_s)
        due_s = self._clock.now() + pause_s
        self._clock.sleep(pause_s)
        return due_s

    def _note(self, attempt: Attempt, failure: Failure | None = None, message: str = "") -> None:
        self._observer.attempted(replace(attempt, failure=failure, message=message) if failure else attempt)


def _kind_of(answer: Response) -> Failure:
    return kind_of_status(answer.status, names_a_time="retry-after" in answer.headers)


@dataclass(frozen=True, slots=True)
class _Answered:
    """A response, and the attempt that got it; whether it is a success only the dialect can tell."""

    attempt: Attempt
    response: Response


class _AgainError(Exception):
    """A flow is to be made anew, after this answer."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response
