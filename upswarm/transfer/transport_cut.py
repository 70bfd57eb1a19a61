"""A request that need not be finished: sent piece by piece, and hung up on at any byte, in order or by a reset."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from upswarm.transfer.auth import url_of
from upswarm.transfer.failures import Failure, Interrupted
from upswarm.transfer.messages import Request, Response
from upswarm.transfer.transport import DIRECT, Route, Timeouts
from upswarm.transfer.transport_answer import Answer
from upswarm.transfer.transport_head import head
from upswarm.transfer.transport_opening import opened
from upswarm.transfer.transport_route import proxy_to, split

_LOOK_S = 0.005
_DELIVERY_S = 1.0


class Piecemeal:
    """One request on a connection of its own; making one connects, and raises `Interrupted` as a transport does."""

    def __init__(self, request: Request, base_url: str, timeouts: Timeouts, route: Route = DIRECT) -> None:
        self._url = url_of(request, base_url)
        origin, target = split(self._url)
        proxy = proxy_to(origin) if route.proxies else None
        self._line = opened(origin, timeouts, route, proxy)
        self._answer = Answer(request.method)
        self._head = head(request, origin, target, self._line.proxy)
        self._head_bytes = len(self._head)
        self._views = iter(request.body or ())
        self._view = memoryview(b"")

    @property
    def sent_bytes(self) -> int:
        """What the system has taken of the body."""
        return max(0, self._line.taken_bytes - self._head_bytes)

    def send(self, size_bytes: int) -> None:
        """Send the head, if it has not gone out yet, and this many more bytes of the body.

        It is fewer if an answer comes meanwhile, or the server reads no more for as long as the idle timeout; raises
        `Interrupted` if the connection has ended.
        """
        head, self._head = self._head, b""
        try:
            with suppress(TimeoutError):
                self._line.send(head, self._pieces(size_bytes), self._answered)
        except OSError as error:
            raise _interruption(error) from error

    def answer(self, within_s: float) -> Response | None:
        """The answer, if it comes within this time; raises `Interrupted` if the connection ends without one."""
        ends_s = time.monotonic() + within_s
        try:
            while not self._answered() and time.monotonic() < ends_s:
                time.sleep(_LOOK_S)
        except OSError as error:
            raise _interruption(error) from error
        answer = self._answer.response
        return answer and replace(answer, url=self._url)

    def end(self) -> None:
        """Hang up in order: behind what was sent the other end sees the connection end (FIN)."""
        self._deliver()
        self._line.close()

    def reset(self) -> None:
        """Hang up as a machine that has died: the other end sees a reset (RST).

        What was sent has arrived before; a reset may overtake it.
        """
        self._deliver()
        self._line.reset()

    def _deliver(self) -> None:
        """Wait until the other end's system has all that was sent; for a second at most, for it may not want it."""
        ends_s = time.monotonic() + _DELIVERY_S
        while self._line.undelivered_bytes and time.monotonic() < ends_s:
            time.sleep(_LOOK_S)

    def _pieces(self, size_bytes: int) -> Iterator[memoryview]:
        while size_bytes > 0:
            self._view = self._view or next(self._views, memoryview(b""))
            piece, self._view = self._view[:size_bytes], self._view[size_bytes:]
            if not piece:
                return
            size_bytes -= len(piece)
            yield piece

    def _answered(self) -> bool:
        """Read what has come; whether the whole answer is there."""
        while not self._answer.done and (arrived := self._line.arrived()) is not None:
            if arrived:
                self._answer.feed(arrived)
            else:
                self._answer.end()
        return self._answer.done


def _interruption(error: OSError) -> Interrupted:
    return Interrupted(Failure.RESET if isinstance(error, ConnectionError) else Failure.TORN, str(error))
