"""One upload's journey: init, chunks, finalize; and back through a probe whenever the connection was cut."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from upswarm.content.base import File
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.clock import Clock
from upswarm.transfer.dialect import ChunkDigest, Session, UploadProtocol
from upswarm.transfer.exchange import Exchange
from upswarm.transfer.failures import RESUMABLE, TransferError
from upswarm.transfer.lanes import Together, in_turn
from upswarm.transfer.records import End, Observer, Outcome, Receipt
from upswarm.transfer.retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class UploadSettings:
    """How files travel. `chunk_size_bytes` None takes the server's; `digest` is an algorithm name, or None."""

    retry: RetryPolicy
    chunk_size_bytes: int | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploader:
    """Uploads files, one after the other. A failed upload is an outcome, not an exception.

    Chunks travel through `exchange`, and at the same time through `more_lanes` where the protocol lets them.
    """

    protocol: UploadProtocol
    exchange: Exchange
    observer: Observer
    settings: UploadSettings
    clock: Clock
    dice: random.Random
    more_lanes: Sequence[Exchange] = ()
    together: Together = in_turn

    def upload(self, file: File) -> Outcome:
        """Bring the file to the server; the outcome is also told to the observer.

        When the run ends in the middle (any exception that is not a `TransferError`), the server is asked to
        forget the upload, the outcome is told as stopped, and the exception goes on its way.
        """
        journey = _Journey(self, file)
        due_s = self.clock.now()

        def tell(end: End, error: TransferError | None = None, receipt: Receipt | None = None) -> Outcome:
            outcome = Outcome(
                end, file.name, file.size_bytes, due_s, self.clock.now(), journey.resumes,
                failure=error.kind if error else None, message=error.message if error else "", receipt=receipt,
            )  # fmt: skip
            self.observer.ended(outcome)
            return outcome

        try:
            return tell(End.FINISHED, receipt=journey.travel())
        except TransferError as error:
            return tell(End.FAILED, error)
        except BaseException:
            tell(End.STOPPED)
            journey.abort()
            raise


class _Journey:
    """One upload under way."""

    def __init__(self, uploader: Uploader, file: File) -> None:
        self._protocol = uploader.protocol
        self._drive = uploader.exchange.drive
        self._lanes = [uploader.exchange, *(uploader.more_lanes if uploader.protocol.caps.joined else ())]
        self._together = uploader.together
        self._lane_error: TransferError | None = None
        self._settings = uploader.settings
        self._clock = uploader.clock
        self._dice = uploader.dice
        self._file = file
        self._session: Session | None = None
        self._most_held_bytes = 0
        self._fruitless = 0
        self.resumes = 0

    def travel(self) -> Receipt:
        """To the end, through as many resumes as it takes, while each of them brings the file further."""
        self._session = self._drive(self._protocol.create(self._file, self._settings.chunk_size_bytes))
        while True:
            try:
                self._send_missing(self._session)
                return self._drive(self._protocol.finalize(self._session, self._file))
            except TransferError as error:
                self._pause_or_give_up(error)
            self._note(self._drive(self._protocol.probe(self._session)))
            self.resumes += 1

    def abort(self) -> None:
        """Ask the server to forget the upload; if it does not hear that, its own expiry has to do."""
        if self._session is not None:
            with suppress(TransferError):
                self._drive(self._protocol.abort(self._session))

    def _send_missing(self, session: Session) -> None:
        chunks = session.grid.not_held(session.held)
        run = self._together if len(self._lanes) > 1 else in_turn
        run([partial(self._send_through, lane, chunks) for lane in self._lanes])
        if error := self._lane_error:
            self._lane_error = None
            raise error

    def _send_through(self, lane: Exchange, chunks: Iterator[Chunk]) -> None:
        """Take chunks until there are none, or a lane has failed: then the others finish what they have begun."""
        try:
            for chunk in chunks:
                assert self._session is not None
                sending = self._protocol.send(self._session, chunk, self._file, self._digest(chunk))
                self._note(self._joined(lane.drive(sending)))
                if self._lane_error:
                    return
        except TransferError as error:
            self._lane_error = self._lane_error or error

    def _joined(self, after: Session) -> Session:
        """With what other lanes have brought there meanwhile."""
        join, latest = self._protocol.caps.joined, self._session
        if join is None or latest is None:
            return after
        return replace(after, held=latest.held | after.held, state=join(latest.state, after.state))

    def _digest(self, chunk: Chunk) -> ChunkDigest | None:
        algorithm = self._settings.digest
        if algorithm is None:
            return None
        return ChunkDigest(algorithm, self._file.digest(algorithm, chunk.offset, chunk.length))

    def _note(self, session: Session) -> None:
        """A server that takes chunks and loses them again makes no progress, however many it takes."""
        self._session = session
        if session.held.total_bytes > self._most_held_bytes:
            self._most_held_bytes = session.held.total_bytes
            self._fruitless = 0

    def _pause_or_give_up(self, error: TransferError) -> None:
        self._fruitless += 1
        if error.kind not in RESUMABLE or self._fruitless >= self._settings.retry.attempts:
            raise error
        self._clock.sleep(self._settings.retry.pause_s(self._fruitless, self._dice))
