"""The transport of our own, straight on a socket: for a load generator, what a request costs is what it can't measure.

It sends what `RequestsTransport` sends and fails as that one fails; `docs/design/transports.md` has the differences.
"""

from __future__ import annotations

import math
import time

from upswarm.transfer.failures import Failure, Interrupted, shortage
from upswarm.transfer.messages import Body, Request, Response
from upswarm.transfer.stopwatch import Stopwatch
from upswarm.transfer.transport import DIRECT, Route, Timeouts
from upswarm.transfer.transport_answer import Answer
from upswarm.transfer.transport_head import head
from upswarm.transfer.transport_line import Line
from upswarm.transfer.transport_opening import opened
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
        self._base, self._target_base = base_url.rstrip("/"), self._target.rstrip("/")
        self._timeouts = timeouts
        self._route = route
        self._line: Line | None = None
        self._leads_to: Origin | None = None

    def send(self, request: Request) -> Response:
        """Send once and read the whole answer; a body goes out view by view under its Content-Length."""
        _give_way()
        stopwatch = Stopwatch()
        try:
            return self._sent(request, stopwatch)
        except OSError as error:
            self.close()
            raise self._interruption(error, stopwatch.seconds).at(stopwatch.timings) from error
        except Interrupted as interruption:
            self.close()
            interruption.at(stopwatch.timings)
            raise
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        line, self._line = self._line, None
        if line:
            line.close()

    def _sent(self, request: Request, stopwatch: Stopwatch) -> Response:
        url, origin, target = self._place(request.path)
        line = self._line_to(origin, stopwatch)
        total_s = self._timeouts.total_s
        line.ends_s = math.inf if total_s is None else time.monotonic() + total_s - stopwatch.seconds
        trip = _Trip(line, request.method, stopwatch)
        answer = trip.make(head(request, origin, target, line.proxy), request.body)
        if not trip.reusable:
            self.close()
        return Response(answer.status, answer.headers, answer.body, url, stopwatch.timings)

    def _interruption(self, error: OSError, took_s: float) -> Interrupted:
        """What ended a request on a connection that stood."""
        idle_s, total_s = self._timeouts.idle_s, self._timeouts.total_s
        if isinstance(error, TimeoutError):
            if total_s is not None and took_s >= total_s:
                return Interrupted(Failure.TOTAL_TIMEOUT, f"no whole answer within {total_s:g} s")
            return Interrupted(Failure.IDLE_TIMEOUT, error.strerror or f"silence for {idle_s:g} s")
        kind = Failure.RESET if isinstance(error, ConnectionError) else Failure.TORN
        return Interrupted(shortage(error) or kind, error.strerror or type(error).__name__)

    def _place(self, path: str) -> tuple[str, Origin, str]:
        """The URL, where it leads and what is asked there. The target's own goes out as it was written."""
        if "://" in path:
            return path, *split(path)
        if not path:
            return self._base_url, self._origin, self._target
        return self._base + path, self._origin, self._target_base + asked(path)

    def _line_to(self, origin: Origin, stopwatch: Stopwatch) -> Line:
        """The connection that stood already, or a new one."""
        line = self._line
        if line and self._leads_to == origin and not line.stale:
            stopwatch.stands(reused=True)
            return line
        self.close()
        proxy = proxy_to(origin) if self._route.proxies else None
        self._line, self._leads_to = opened(origin, self._timeouts, self._route, proxy), origin
        stopwatch.stands(reused=False)
        return self._line


class _Trip:
    """One request and its answer on one connection."""

    def __init__(self, line: Line, method: str, stopwatch: Stopwatch) -> None:
        self._line = line
        self._answer = Answer(method)
        self._stopwatch = stopwatch
        self._whole = False

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request."""
        return self._whole and self._answer.reusable

    def make(self, head: bytes, body: Body | None) -> Response:
        """There and back; raises `OSError` or `Interrupted`."""
        self._line.taken_bytes = 0
        try:
            self._whole = self._line.send(head, body.views() if body else (), self._enough)
        except OSError as error:
            self._hear_last_words(error)
        finally:
            if body:
                body.report(max(0, self._line.taken_bytes - len(head)))
        if self._whole:
            self._stopwatch.sent()
        while not self._answer.response:
            self._hear(self._line.receive())
        return self._answer.response

    def _enough(self) -> bool:
        """Whether the server has answered that it does not want the rest (RFC 9112, 9.5)."""
        _give_way()
        arrived = self._line.arrived()
        if arrived is not None:
            self._hear(arrived)
        return self._answer.closing

    def _hear(self, data: bytes) -> None:
        if data:
            self._stopwatch.heard()
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
