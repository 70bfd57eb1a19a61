"""One driver for all dialects: it signs, sends, times, retries and writes down; a dialect only reads and answers."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TypeVar

from upswarm.transfer.auth import Sign, unsigned
from upswarm.transfer.clock import Clock
from upswarm.transfer.dialect import Flow
from upswarm.transfer.failures import Failure, Fault, Interrupted
from upswarm.transfer.messages import Phase, Request, Response
from upswarm.transfer.records import Attempt, Observer
from upswarm.transfer.retry import RetryPolicy, retry_after_s
from upswarm.transfer.transport import Transport

T = TypeVar("T")


class Exchange:
    """Drives flows over one transport.

    An answer whose status the policy names is retried here, for any request. A request without an answer is
    retried here too, except a chunk: what the server took of it is unknown, so the uploader must probe first.
    An abort is tried once: nothing depends on it, and whoever aborts is in a hurry.
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
    ) -> None:
        self._transport = transport
        self._observer = observer
        self._clock = clock
        self._dice = dice
        self._retry = retry
        self._sign = sign

    def drive(self, flow: Flow[T]) -> T:
        """Run a flow to its end and return what it returns; raises `Fault` or `Interrupted`."""
        try:
            request = next(flow)
            while True:
                answered = self._answered(request)
                try:
                    request = flow.send(answered.response)
                except Fault as fault:
                    self._note(answered, fault.kind, fault.message)
                    raise
                except StopIteration:
                    self._note(answered)
                    raise
                except Exception as error:
                    self._note(answered, Failure.BROKEN, f"the dialect stumbled: {error!r}")
                    raise
                self._note(answered)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def _answered(self, request: Request) -> _Answered:
        """Send until there is an answer that is not to be retried, or no attempt is left."""
        due_s = self._clock.now()
        attempts = 1 if request.phase is Phase.ABORT else self._retry.attempts
        for number in range(1, attempts + 1):
            last = number == attempts
            try:
                answered = self._sent(request, number, due_s)
            except Interrupted:
                if last or request.phase is Phase.CHUNK:
                    raise
                pause_s = self._retry.pause_s(number, self._dice)
            else:
                if last or answered.response.status not in self._retry.statuses:
                    return answered
                self._note(answered, Failure.BUSY)
                wished_s = retry_after_s(answered.response.headers, self._clock.wall())
                pause_s = self._retry.pause_s(number, self._dice, wished_s)
            due_s = self._clock.now() + pause_s
            self._clock.sleep(pause_s)
        raise AssertionError("a policy has at least one attempt")

    def _sent(self, request: Request, number: int, due_s: float) -> _Answered:
        """Send once. Whatever happens is written down, also when the run is stopped in the middle."""
        sent_bytes = 0

        def count(view_bytes: int) -> None:
            nonlocal sent_bytes
            sent_bytes += view_bytes

        def attempt(failure: Failure | None = None, message: str = "", answer: Response | None = None) -> Attempt:
            status, timings = (answer.status, answer.timings) if answer else (None, None)
            ended_s = self._clock.now()
            return Attempt(request.phase, number, due_s, sent_s, ended_s, sent_bytes, status, failure, message, timings)

        signed = self._sign(request if request.body is None else replace(request, body=request.body.told(count)))
        sent_s = self._clock.now()
        try:
            response = self._transport.send(signed)
        except Interrupted as error:
            self._observer.attempted(attempt(error.kind, error.message))
            raise
        except BaseException:
            self._observer.attempted(attempt(Failure.STOPPED))
            raise
        return _Answered(attempt(answer=response), response)

    def _note(self, answered: _Answered, failure: Failure | None = None, message: str = "") -> None:
        attempt = replace(answered.attempt, failure=failure, message=message) if failure else answered.attempt
        self._observer.attempted(attempt)


@dataclass(frozen=True, slots=True)
class _Answered:
    """A response, and the attempt that got it; whether it is a success only the dialect can tell."""

    attempt: Attempt
    response: Response
