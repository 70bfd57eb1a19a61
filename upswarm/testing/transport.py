"""A transport that sends nothing: its answers are a script, and what would have been sent is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from upswarm.testing.clock import FakeClock
from upswarm.transfer.messages import Body, Phase, Request, Response

Answer = Callable[[Request], Response]
Script = Iterable[Response | BaseException] | Answer


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it would have gone over the wire."""

    request: Request
    body: bytes


class ScriptedTransport:
    """A `Transport`. The script is a row of answers and exceptions, or a function from request to answer.

    A body is read once, to its end, before the answer comes, as a real transport reads it; of one that ends in the
    middle, what came is kept, and there is no answer. With a `clock`, each request takes `takes_s` seconds. A row that
    is too short is an `AssertionError` that names the request.
    """

    def __init__(self, script: Script, *, clock: FakeClock | None = None, takes_s: float = 0.0) -> None:
        self._answer = script if callable(script) else _in_turn(iter(script))
        self._clock = clock
        self._takes_s = takes_s
        self.sent: list[Sent] = []
        self.closed = False

    @property
    def phases(self) -> list[Phase]:
        """What was sent, in short."""
        return [sent.request.phase for sent in self.sent]

    def send(self, request: Request) -> Response:
        """Keep the request and give the script's next answer."""
        body = bytearray()
        try:
            for view in request.body or ():
                body += view
        finally:
            self.sent.append(Sent(request, bytes(body)))
        if self._clock is not None:
            self._clock.advance(self._takes_s)
        return self._answer(replace(request, body=request.body and Body.of_bytes(bytes(body))))

    def close(self) -> None:
        """There is no connection; `closed` remembers the call."""
        self.closed = True


def _in_turn(script: Iterator[Response | BaseException]) -> Answer:
    def answer(request: Request) -> Response:
        given = next(script, None)
        if given is None:
            raise AssertionError(f"the script has no answer left for {request.method} {request.path}")
        if isinstance(given, BaseException):
            raise given
        return given

    return answer
