"""Chunks of one upload at the same time: lanes, each a connection of its own, that take from what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Protocol

from upswarm.content.base import File
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.dialect import ChunkDigest, Session, UploadProtocol
from upswarm.transfer.exchange import NOW, Due, Exchange
from upswarm.transfer.failures import TransferError

Work = Callable[[], None]


class Together(Protocol):
    """Runs several works at the same time."""

    def __call__(self, works: Sequence[Work], /) -> None:
        """Return when all have ended; whoever is interrupted here stops them first."""


def in_turn(works: Sequence[Work], /) -> None:
    """One after the other: where there is one lane, or nobody who could run several."""
    for work in works:
        work()


class Lanes:
    """The way of one file's chunks; `digest` is the algorithm of what each promises, or None.

    `session` is where the upload stands. It grows with each chunk that has arrived, through whichever lane.
    """

    def __init__(
        self, protocol: UploadProtocol, exchanges: Sequence[Exchange], together: Together, digest: str | None
    ) -> None:
        self._protocol = protocol
        self._exchanges = exchanges if protocol.caps.joined else exchanges[:1]
        self._together = together if len(self._exchanges) > 1 else in_turn
        self._algorithm = digest
        self._error: TransferError | None = None
        self.session: Session | None = None

    def send_missing(self, session: Session, file: File, due: Due = NOW) -> Session:
        """Send what the server does not hold by then.

        Raises what failed first, when the other lanes have finished the chunks they had begun.
        """
        self.session, self._error = session, None
        rows = session.grid.rows(session.held)
        self._together([partial(self._send_through, exchange, rows, file, due) for exchange in self._exchanges])
        if self._error:
            raise self._error
        return self.session

    def hang_up(self) -> None:
        """Close all connections."""
        for exchange in self._exchanges:
            exchange.hang_up()

    def _send_through(self, exchange: Exchange, rows: Iterator[Iterator[Chunk]], file: File, due: Due) -> None:
        """Take rows until there are none, or a lane has failed."""
        try:
            for chunk in chain.from_iterable(rows):
                assert self.session is not None
                send = partial(self._protocol.send, self.session, chunk, file, self._digest(file, chunk))
                self.session = self._joined(exchange.perform(send, due))
                if self._error:
                    return
        except TransferError as error:
            self._error = self._error or error

    def _joined(self, after: Session) -> Session:
        """With what other lanes have brought there meanwhile."""
        join, latest = self._protocol.caps.joined, self.session
        if join is None or latest is None:
            return after
        return replace(after, held=latest.held | after.held, state=join(latest.state, after.state))

    def _digest(self, file: File, chunk: Chunk) -> ChunkDigest | None:
        if self._algorithm is None:
            return None
        return ChunkDigest(self._algorithm, file.digest(self._algorithm, chunk.offset, chunk.length))
