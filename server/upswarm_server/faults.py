"""Fail on purpose: a share of the requests gets an error, a delay or a dead connection, for testing clients.

Which requests are hit is decided here, after routing and authorization and before any work. A connection is cut at the
very end, when everybody else has seen the request as usual, by what gunicorn takes for the client's own hanging up.
"""

from __future__ import annotations

import errno
import random
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple

import falcon
from falcon import Request, Response

from upswarm_server.fault_rules import DELAY, Cut, Delay, Rule, Status
from upswarm_server.ingest import Body
from upswarm_server.meter import Meter
from upswarm_server.observed import plain
from upswarm_server.phases import phase_of
from upswarm_server.problems import Problem
from upswarm_server.settings import Settings

NOTHING_DONE = "444 Cut On Purpose"
"""The status in the access log of a request that was cut before any work; nobody is sent it."""

_HIT = "upswarm.hit"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class InjectedFault(Problem):
    """An error that a rule asked for; its status is the rule's."""

    def __init__(self, phase: str, fault: Status) -> None:
        super().__init__("injected_fault", f"this {phase} was answered with {fault.status} on purpose")
        self.row = replace(self.row, status=fault.status)
        self._retry_after_s = fault.retry_after_s

    @property
    def retry_after_s(self) -> int | None:
        """What the rule says."""
        return self._retry_after_s


class ConnectionCut(ConnectionResetError):
    """Raised while the WSGI server iterates over an answer that it must not send, for it to close the connection.

    gunicorn takes it for a client that hung up, and says nothing. Where there is no gunicorn, whoever called the
    application gets it, before the first byte of the answer.
    """

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "cut on purpose")


class Drawn(NamedTuple):
    """What happens to one request: perhaps a delay, and after it at most one failure."""

    delay_s: float | None
    failure: Status | Cut | None


class Draws:
    """Draws which requests are hit.

    Each rule has dice of its own, thrown for each request of its phase: the same seed, worker and order of those
    requests give the same hits, whatever other rules there are.
    """

    def __init__(self, rules: Sequence[Rule], seed: int, worker: int) -> None:
        self._rules = [(rule, random.Random(f"{seed}/{worker}/{number}")) for number, rule in enumerate(rules, 1)]

    def next(self, phase: str) -> Drawn:
        """For the next request of this phase; of several delays, or failures, the one of the first rule is taken."""
        delays_s: list[float] = []
        failures: list[Status | Cut] = []
        for rule, dice in self._rules:
            if rule.concerns(phase) and dice.random() < rule.share:
                if isinstance(rule.fault, Delay):
                    delays_s.append(rule.fault.drawn_s(dice))
                else:
                    failures.append(rule.fault)
        return Drawn(next(iter(delays_s), None), next(iter(failures), None))


class Hit(NamedTuple):
    """A request that fails on purpose, and its body."""

    phase: str
    fault: Status | Cut
    body: Body

    @property
    def seen(self) -> bool:
        """Whether the client is there to see it; who hung up in the middle of the body sees nothing more."""
        if isinstance(self.fault, Cut) and self.fault.where == "request":
            return self.body.received_bytes >= int(self.body.length_bytes * self.fault.body_share)
        return not self.body.torn


class Faults:
    """The middleware that injects what was drawn, and the count of what could be seen."""

    def __init__(self, draws: Draws, meter: Meter) -> None:
        self._draws = draws
        self._meter = meter
        self._counts: Counter[tuple[str, str]] = Counter()

    def counts(self) -> dict[tuple[str, str], int]:
        """What this process has injected, by phase and kind."""
        return dict(self._counts)

    def count(self, phase: str, kind: str) -> None:
        """Called at the moment of injection."""
        self._counts[phase, kind] += 1
        self._meter.fault(phase, kind)

    def process_resource(self, req: Request, resp: Response, resource: object, params: dict[str, Any]) -> None:
        """Draw for a request that is known and allowed, and fail it before any work, if it is to fail then."""
        phase = phase_of(req.method, plain(req.uri_template or ""))
        if phase is None:
            return
        drawn = self._draws.next(phase)
        if drawn.delay_s is not None:
            self.count(phase, DELAY)
            time.sleep(drawn.delay_s)  # looked up here and now: at import gevent has not patched it yet
        if drawn.failure is not None:
            _fail(req, resp, Hit(phase, drawn.failure, req.context.body))


def _fail(req: Request, resp: Response, hit: Hit) -> None:
    req.env[_HIT] = hit
    if isinstance(hit.fault, Status):
        raise InjectedFault(hit.phase, hit.fault)
    if hit.fault.where == "request":
        _take(hit.body, hit.fault.body_share)
        if hit.seen:
            resp.status = NOTHING_DONE
            resp.complete = True


def _take(body: Body, share: float) -> None:
    """Take a share of a body, and leave the rest for ever."""
    part = Body(body.source, int(body.length_bytes * share))
    part.drain()
    body.received_bytes = part.received_bytes
    body.ended = True


def application(settings: Settings, meter: Meter, worker: int, middleware: Sequence[Any]) -> falcon.App[Any, Any]:
    """Falcon's application with this middleware; where there are rules, one that fails as they say."""
    if not settings.faults:
        return falcon.App(middleware=middleware)
    faults = Faults(Draws(settings.faults, settings.faults_seed, worker), meter)
    return FaultyApp(faults, middleware)


class FaultyApp(falcon.App[Any, Any]):
    """An application with `faults`, which cuts connections where they say so."""

    def __init__(self, faults: Faults, middleware: Sequence[Any]) -> None:
        super().__init__(middleware=[*middleware, faults])
        self.faults = faults

    def __call__(self, env: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """An answer that is not to be sent whole ends in a `ConnectionCut`."""
        heads: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            heads.append((status, headers))
            return start_response(status, headers, *exc_info)

        blocks = super().__call__(env, start)
        hit: Hit | None = env.get(_HIT)
        if hit is None or not hit.seen:
            return blocks
        if isinstance(hit.fault, Status):
            self.faults.count(hit.phase, hit.fault.kind)
            return blocks
        return self._cut(hit.phase, hit.fault, env, _Answer(env["REQUEST_METHOD"], *heads[-1], blocks))

    def _cut(self, phase: str, cut: Cut, env: dict[str, Any], answer: _Answer) -> Iterator[bytes]:
        connection = env.get("gunicorn.socket")
        with closing(answer):
            if connection is not None and cut.where == "answer":
                for piece in answer.first_half():
                    connection.sendall(piece)
            if connection is not None and cut.by == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.faults.count(phase, cut.kind)
        raise ConnectionCut
        yield b""  # which makes this an answer that begins when the server asks for its first byte


class _Answer:
    """An answer as it would go over the wire."""

    def __init__(self, method: str, status: str, headers: list[tuple[str, str]], blocks: Iterable[bytes]) -> None:
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), "", ""]
        self._head = "\r\n".join(lines).encode("latin-1")
        declared = {name.lower(): value for name, value in headers}.get("content-length", "0")
        self._body_bytes = 0 if method == "HEAD" else int(declared)
        self._blocks = blocks

    def first_half(self) -> Iterator[bytes]:
        """The first half of its bytes, head and body together."""
        left_bytes = (len(self._head) + self._body_bytes) // 2
        for block in chain([self._head], self._blocks):
            yield block[:left_bytes]
            left_bytes -= len(block[:left_bytes])
            if not left_bytes:
                return

    def close(self) -> None:
        """Close what the blocks come from."""
        close = getattr(self._blocks, "close", None)
        if close is not None:
            close()
