"""One upload as a client makes it, step by step, so that it can be left at any of them."""

from __future__ import annotations

import random
from typing import TypeVar

from upswarm.content.base import File
from upswarm.probing.target import REQUEST_S, Target, Watch
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.dialect import ChunkDigest, Flow, Session
from upswarm.transfer.exchange import Exchange
from upswarm.transfer.failures import TransferError
from upswarm.transfer.messages import Request
from upswarm.transfer.records import Attempt, Outcome, Receipt
from upswarm.transfer.retry import RetryPolicy
from upswarm.transfer.transport_cut import Piecemeal
from upswarm.transfer.transport_socket import SocketTransport

_PATIENT = RetryPolicy(attempts=3, base_s=0.2, cap_s=1.0, honour_retry_after=False)
_ONCE = RetryPolicy(attempts=1)
T = TypeVar("T")


class Upload:
    """Over a connection of its own. Steps raise `Fault` or `Interrupted`, also when the watch has run out.

    Whoever makes one closes it.
    """

    def __init__(self, target: Target, file: File, watch: Watch) -> None:
        self.target = target
        self.file = file
        self.watch = watch
        self._timeouts = target.timeouts_within(REQUEST_S)
        self._transport = SocketTransport(target.url, self._timeouts, target.route)
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """Where it stands, once it has begun."""
        assert self._session is not None
        return self._session

    def begin(self) -> Session:
        """Create it."""
        self._session = self.drive(self.target.protocol.create(self.file, self.target.chunk_size_bytes))
        return self._session

    def send(self, chunk: Chunk) -> None:
        """Send a chunk."""
        self._session = self.drive(self._sending(chunk, promised=True))

    def ask(self) -> Session:
        """Ask what the server holds, without retries, and go on from there."""
        self.watch.check()
        self._session = self._drive(self._transport, self.target.protocol.probe(self.session), _ONCE)
        return self._session

    def ask_beside(self, within_s: float) -> Session:
        """Ask over another connection, of an upload that may be busy; the session stays as it was."""
        self.watch.check()
        transport = SocketTransport(self.target.url, self.target.timeouts_within(within_s), self.target.route)
        try:
            return self._drive(transport, self.target.protocol.probe(self.session), _ONCE)
        finally:
            transport.close()

    def finish(self) -> Receipt:
        """Send what is not held, and make a file of it."""
        for chunk in self.session.grid.not_held(self.session.held):
            self.send(chunk)
        return self.drive(self.target.protocol.finalize(self.session, self.file))

    def give_up(self) -> bool:
        """Ask the server to forget it; whether there is such a request and the server agrees."""
        abort = self.target.protocol.abort
        if self._session is None or next(abort(self._session), None) is None:
            return False
        try:
            self._drive(self._transport, abort(self._session))
        except TransferError:
            return False
        return True

    def close(self) -> None:
        """Have the server forget what is left of it, and hang up."""
        self.give_up()
        self._transport.close()

    def chunk_request(self, chunk: Chunk, *, promised: bool = True) -> Request:
        """The request that carries a chunk, not signed yet; with its digest only if that is `promised`."""
        flow = self._sending(chunk, promised=promised)
        request = next(flow)
        flow.close()
        return request

    def piecemeal(self, request: Request, *, signed: bool = True) -> Piecemeal:
        """A request on a connection of its own, to be sent in pieces."""
        request = self.target.sign(request) if signed else request
        return Piecemeal(request, self.target.url, self._timeouts, self.target.route)

    def drive(self, flow: Flow[T]) -> T:
        """Run a step of the dialect."""
        self.watch.check()
        return self._drive(self._transport, flow)

    def _drive(self, transport: SocketTransport, flow: Flow[T], retry: RetryPolicy = _PATIENT) -> T:
        clock, sign = self.target.clock, self.target.sign
        exchange = Exchange(transport, _Nobody(), clock=clock, dice=random.Random(), retry=retry, sign=sign)
        return exchange.drive(flow)

    def _sending(self, chunk: Chunk, *, promised: bool) -> Flow[Session]:
        algorithm, digest = self.target.digest, None
        if algorithm is not None and promised:
            digest = ChunkDigest(algorithm, self.file.digest(algorithm, chunk.offset, chunk.length))
        return self.target.protocol.send(self.session, chunk, self.file, digest)


class _Nobody:
    """An observer of what belongs to no results."""

    def attempted(self, attempt: Attempt) -> None:
        """Nothing is kept."""

    def ended(self, outcome: Outcome) -> None:
        """Nothing is kept."""
