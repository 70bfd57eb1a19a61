"""A request's body becomes bytes in place, counted and digested on the way.

A client that hangs up looks like the end of the body, to gunicorn's streams and Falcon's alike: both subtract what
was asked for, not what came. So everything here counts what really came.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from upswarm import digests
from upswarm_server.problems import Problem
from upswarm_server.stores.base import Slot

PIECE_BYTES = 1 << 20


class Source(Protocol):
    """Where a body's bytes come from, such as a WSGI input."""

    def read(self, size_bytes: int, /) -> bytes:
        """Up to `size_bytes`; nothing at the end; an `OSError` when the connection breaks or stays silent."""


class Body:
    """A request's body of `length_bytes`; `received_bytes` of it have really come."""

    def __init__(self, source: Source, length_bytes: int) -> None:
        self._source = source
        self.length_bytes = length_bytes
        self.received_bytes = 0
        self.ended = False

    def pieces(self) -> Iterator[bytes]:
        """The body piece by piece, until it is whole or torn."""
        while not self.ended and self.received_bytes < self.length_bytes:
            piece = self._read(min(PIECE_BYTES, self.length_bytes - self.received_bytes))
            if not piece:
                self.ended = True
                return
            self.received_bytes += len(piece)
            yield piece

    def _read(self, size_bytes: int) -> bytes:
        try:
            return self._source.read(size_bytes)
        except OSError:
            return b""

    @property
    def torn(self) -> bool:
        """Whether the body ended before its length."""
        return self.ended and self.received_bytes < self.length_bytes

    def all(self) -> bytes:
        """The whole body at once; raises `invalid_request` when it is torn."""
        data = b"".join(self.pieces())
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
    conflict = False
    at_bytes = 0
    for piece in body.pieces():
        for hasher in hashers.values():
            hasher.update(piece)
        if slot.received:
            conflict = conflict or not slot.same(piece, at_bytes)
        else:
            slot.write(piece, at_bytes)
        at_bytes += len(piece)
    if body.torn:
        raise Problem("chunk_torn", f"expected {body.length_bytes} B, found {body.received_bytes} B")
    for algorithm, hasher in hashers.items():
        check_digest(algorithm, promised[algorithm], hasher.digest())
    if conflict:
        raise Problem("chunk_conflict", "expected the bytes that were received first, found others")


def check_digest(algorithm: str, expected: bytes, found: bytes) -> None:
    """Raise `digest_mismatch` with both digests unless they are equal."""
    if found != expected:
        raise Problem(
            "digest_mismatch",
            f"expected {digests.format_header(algorithm, expected)}, found {digests.format_header(algorithm, found)}",
        )
