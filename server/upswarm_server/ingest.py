"""A request's body becomes bytes in place, counted and digested on the way.

A client that hangs up looks like the end of the body, to gunicorn's streams and Falcon's alike: both subtract what
was asked for, not what came. So everything here counts what really came.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from operator import itemgetter
from typing import BinaryIO, Protocol, TypeVar, cast

from upswarm import digests
from upswarm_server.problems import Problem
from upswarm_server.stores.base import PipedSlot, Slot

T = TypeVar("T")

PIECE_BYTES = 1 << 20


class Source(Protocol):
    """Where a body's bytes come from."""

    def pieces(self, length_bytes: int) -> Iterator[memoryview]:
        """The next bytes, up to so many in all, piece by piece; each is valid until the next one is asked for.

        Ends early when the client has hung up; raises `OSError` when the connection breaks or stays silent.
        """


class Pipes(Source, Protocol):
    """A source whose bytes need not come into this process: `connection.Connection`."""

    def piped(self, length_bytes: int) -> Iterator[tuple[int, int]]:
        """As `pieces`, but each is a pipe and the number of bytes in it, to be emptied before the next one."""


class Input:
    """The source that every WSGI server has: an input stream."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def pieces(self, length_bytes: int) -> Iterator[memoryview]:
        """Read it in pieces."""
        while length_bytes and (piece := self._stream.read(min(PIECE_BYTES, length_bytes))):
            length_bytes -= len(piece)
            yield memoryview(piece)


class Body:
    """A request's body of `length_bytes`; `received_bytes` of it have really come.

    It is torn when the client hangs up, stays silent, or has not sent all of it by `deadline_s` on `clock`.
    """

    def __init__(
        self,
        source: Source,
        length_bytes: int,
        *,
        deadline_s: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source = source
        self.length_bytes = length_bytes
        self.received_bytes = 0
        self.ended = False
        self._deadline_s = deadline_s
        self._clock = clock

    def pieces(self) -> Iterator[memoryview]:
        """The rest of the body, until it is whole or torn; a piece is valid until the next one is asked for."""
        return self._counted(self.source.pieces, len)

    @property
    def has_pipes(self) -> bool:
        """Whether `piped` may be called."""
        return hasattr(self.source, "piped")

    def piped(self) -> Iterator[tuple[int, int]]:
        """The rest of the body in pipes, each with its number of bytes, to be emptied before the next one."""
        return self._counted(cast(Pipes, self.source).piped, itemgetter(1))

    def _counted(self, take: Callable[[int], Iterator[T]], count: Callable[[T], int]) -> Iterator[T]:
        if self.ended or self.received_bytes == self.length_bytes:
            return
        try:
            with closing(cast(Generator[T], take(self.length_bytes - self.received_bytes))) as pieces:
                for piece in pieces:
                    self.received_bytes += count(piece)
                    yield piece
                    if self._clock() > self._deadline_s:
                        break
        except OSError:
            """The connection broke, or the client was silent for too long."""
        self.ended = self.received_bytes < self.length_bytes

    @property
    def torn(self) -> bool:
        """Whether the body ended before its length."""
        return self.ended and self.received_bytes < self.length_bytes

    def all(self) -> bytes:
        """The whole body at once; raises `invalid_request` when it is torn."""
        data = b"".join(map(bytes, self.pieces()))
        if self.torn:
            raise Problem("invalid_request", f"expected {self.length_bytes} B, found {self.received_bytes} B")
        return data

    def drain(self) -> None:
        """Read what nobody wanted, so that the client can finish sending and hear the answer."""
        for _ in self.pieces():
            """Only counted."""


def take_chunk(body: Body, slot: Slot, promised: dict[str, bytes]) -> None:
    """Move the whole body to its place, or compare it with what is in place there; marking is left to the caller.

    Raises `chunk_torn`, `digest_mismatch`, `chunk_conflict` or `storage_full`; the chunk does not count then.
    """
    hashers = {algorithm: digests.hasher(algorithm) for algorithm in promised}
    same = True
    if slot.received:
        same = _compare(body, slot, list(hashers.values()))
    elif not hashers and body.has_pipes and hasattr(slot, "write_from_pipe"):
        _pipe(body, cast(PipedSlot, slot))
    else:
        _write(body, slot, list(hashers.values()))
    if body.torn:
        raise Problem("chunk_torn", f"expected {body.length_bytes} B, found {body.received_bytes} B")
    for algorithm, hasher in hashers.items():
        check_digest(algorithm, promised[algorithm], hasher.digest())
    if not same:
        raise Problem("chunk_conflict", "expected the bytes that were received first, found others")


def _pipe(body: Body, slot: PipedSlot) -> None:
    at_bytes = 0
    for pipe, length_bytes in body.piped():
        slot.write_from_pipe(pipe, length_bytes, at_bytes)
        at_bytes += length_bytes


def _write(body: Body, slot: Slot, hashers: list[digests.Hasher]) -> None:
    at_bytes = 0
    for piece in body.pieces():
        for hasher in hashers:
            hasher.update(piece)
        slot.write(piece, at_bytes)
        at_bytes += len(piece)


def _compare(body: Body, slot: Slot, hashers: list[digests.Hasher]) -> bool:
    same = True
    at_bytes = 0
    for piece in body.pieces():
        for hasher in hashers:
            hasher.update(piece)
        same = same and slot.same(piece, at_bytes)
        at_bytes += len(piece)
    return same


def check_digest(algorithm: str, expected: bytes, found: bytes) -> None:
    """Raise `digest_mismatch` with both digests unless they are equal."""
    if found != expected:
        raise Problem(
            "digest_mismatch",
            f"expected {digests.format_header(algorithm, expected)}, found {digests.format_header(algorithm, found)}",
        )
