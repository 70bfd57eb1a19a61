"""The transport of our own, straight on a socket: for a load generator, what a request costs is what it can't measure.

It sends what `RequestsTransport` sends and fails as that one fails; `docs/design/transports.md` has the differences.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

from upswarm.transfer.failures import Failure, Interrupted
from upswarm.transfer.messages import Request, Response, Timings
from upswarm.transfer.transport import DIRECT, Route, Timeouts
from upswarm.transfer.transport_answer import Answer
from upswarm.transfer.transport_head import head
from upswarm.transfer.transport_line import Line, opened
from upswarm.transfer.transport_route import Origin, asked, proxy_to, split

TURN_S = 0.005
"""How long all transports of a process may go on before others have their turn."""
_A_MOMENT_S = 1e-9  # not 0: gevent would take it for `soon`, and look neither at its timers nor at its sockets before


class SocketTransport:
    """One keep-alive connection: one user's to one target. Nagle is off.

    A connection that the server has closed in between is found out before anything is sent, and replaced. A request
    of which a byte may have gone out is never sent again.
    """

    def __init__(self, base_url: str, timeouts: Timeouts, route: Route = DIRECT) -> None:
        self._base_url = base_url
        self._origin, self._target = split(base_url)
        self._timeouts = timeouts
        self._route = route
        self._line: Line | None = None
        self._leads_to: Origin | None = None

    def send(self, request: Request) -> Response:
        """Send once and read the whole answer; a body goes out view by view under its Content-Length."""
        _give_way()
        began_s = time.monotonic()
        try:
            url, origin, target = self._place(request.path)
            reused, line = self._line_to(origin)
            connect_s = 0.0 if reused else time.monotonic() - began_s
            line.ends_s = math.inf if self._timeouts.total_s is None else began_s + self._timeouts.total_s
            trip = _Trip(line, request.method)
            answer = trip.make(head(request, origin, target, line.proxy), request.body or ())
        except OSError as error:
            self.close()
            raise _interruption(error) from error
        except BaseException:
            self.close()
            raise
        if not trip.reusable:
            self.close()
        timings = trip.timings(connect_s, reused=reused)
        return Response(answer.status, answer.headers, answer.body, url, timings)

    def close(self) -> None:
        """Close the connection."""
        line, self._line = self._line, None
        if line:
            line.close()

    def _place(self, path: str) -> tuple[str, Origin, str]:
        """The URL, where it leads and what is asked there. The target's own goes out as it was written."""
        if "://" in path:
            return path, *split(path)
        if not path:
            return self._base_url, self._origin, self._target
        return self._base_url.rstrip("/") + path, self._origin, self._target.rstrip("/") + asked(path)

    def _line_to(self, origin: Origin) -> tuple[bool, Line]:
        """The connection, and whether it stood already."""
        if self._line and self._leads_to == origin and not self._line.stale:
            return True, self._line
        self.close()
        proxy = proxy_to(origin) if self._route.proxies else None
        self._line, self._leads_to = opened(origin, self._timeouts, self._route, proxy), origin
        return False, self._line


class _Trip:
    """One request and its answer on one connection, with a stopwatch."""

    def __init__(self, line: Line, method: str) -> None:
        self._line = line
        self._answer = Answer(method)
        self._whole = False
        self._began_s = self._sent_s = self._first_byte_s = 0.0

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request."""
        return self._whole and self._answer.reusable

    def make(self, head: bytes, body: Iterable[memoryview]) -> Response:
        """There and back; raises `OSError` or `Interrupted`."""
        self._began_s = time.monotonic()
        try:
            self._whole = self._line.send(head, body, self._enough)
        except OSError as error:
            self._hear_last_words(error)
        self._sent_s = time.monotonic()
        while not self._answer.response:
            self._hear(self._line.receive())
        return self._answer.response

    def timings(self, connect_s: float, *, reused: bool) -> Timings:
        """Where the time went."""
        return Timings(connect_s, self._sent_s - self._began_s, self._first_byte_s - self._began_s, reused)

    def _enough(self) -> bool:
        """Whether the server has answered that it does not want the rest (RFC 9112, 9.5)."""
        _give_way()
        arrived = self._line.arrived()
        if arrived is not None:
            self._hear(arrived)
        return self._answer.closing

    def _hear(self, data: bytes) -> None:
        self._first_byte_s = self._first_byte_s or time.monotonic()
        if data:
            self._answer.feed(data)
        else:
            self._answer.end()

    def _hear_last_words(self, error: OSError) -> None:
        """An answer may have come before the server stopped reading; without one, that is how it ended."""
        try:
            while not self._answer.done and (arrived := self._line.arrived()) is not None:
                self._hear(arrived)
        except (OSError, Interrupted):
            pass
        if not self._answer.done:
            raise error


class _Turn:
    """One for the whole process."""

    ended_s = 0.0


def _give_way() -> None:
    """Let others run now and then: where the server is always faster, no send and no receive would ever wait."""
    if time.monotonic() - _Turn.ended_s > TURN_S:
        time.sleep(_A_MOMENT_S)
        _Turn.ended_s = time.monotonic()


def _interruption(error: OSError) -> Interrupted:
    kind = Failure.TIMED_OUT if isinstance(error, TimeoutError) else Failure.CUT
    return Interrupted(kind, error.strerror or type(error).__name__)
