"""Digests as both wings compute and exchange them, under the names of RFC 9530 (`Content-Digest`)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Protocol

import crc32c

_MEMBER = re.compile(r"\s*(?P<name>[a-z*][a-z0-9_.*-]*)=:(?P<value>[A-Za-z0-9+/=]*):\s*")


class Hasher(Protocol):
    """What hashlib's objects can do, as far as upswarm needs it."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Take more bytes."""

    def digest(self) -> bytes:
        """The digest of all bytes so far."""


# RFC 9530 registers sha-256 and crc32c; the crc32c value is the checksum in network byte order.
_ALGORITHMS: dict[str, Callable[[], Hasher]] = {"sha-256": hashlib.sha256, "crc32c": crc32c.CRC32CHash}
ALGORITHMS = tuple(_ALGORITHMS)
_PIECE_BYTES = 4 << 20


def _alone() -> None:
    """Nobody else waits."""


_pause: Callable[[], None] = _alone


class DigestError(ValueError):
    """A digest header that can't be read, or an algorithm that nobody here knows."""


def hasher(algorithm: str) -> Hasher:
    """A fresh hasher for one of `ALGORITHMS`."""
    try:
        return _ALGORITHMS[algorithm]()
    except KeyError:
        raise DigestError(f"expected one of {', '.join(ALGORITHMS)}, found {algorithm!r}") from None


def give_way_by(pause: Callable[[], None]) -> None:
    """From now on, let others of this process run by calling this after every 4 MiB of whatever is hashed.

    For a process that does several things at the same time in one thread: 10 GiB take seconds.
    """
    global _pause  # noqa: PLW0603 - a process has one way to let others run, as it has one scheduler
    _pause = pause


def digest_of(algorithm: str, views: Iterable[bytes | memoryview]) -> bytes:
    """The digest of all views, one after the other; others may run meanwhile, see `give_way_by`."""
    state, hashed_bytes = hasher(algorithm), 0
    for view in views:
        state.update(view)
        hashed_bytes += len(view)
        if hashed_bytes >= _PIECE_BYTES:
            hashed_bytes = 0
            _pause()
    return state.digest()


def format_header(algorithm: str, digest: bytes) -> str:
    """`sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:`, a member of a `Content-Digest` header."""
    return f"{algorithm}=:{base64.b64encode(digest).decode()}:"


def parse_header(text: str) -> dict[str, bytes]:
    """The digests of a `Content-Digest` header by algorithm; unknown algorithms are left out, as RFC 9530 asks."""
    digests = {}
    for member in text.split(","):
        match = _MEMBER.fullmatch(member)
        if match is None:
            raise DigestError(f"expected algorithm=:base64:, found {member.strip()!r}")
        if match["name"] in _ALGORITHMS:
            digests[match["name"]] = _decoded(match["name"], match["value"])
    return digests


def _decoded(algorithm: str, value: str) -> bytes:
    try:
        digest = base64.b64decode(value, validate=True)
    except ValueError:
        raise DigestError(f"expected base64 after {algorithm}=:, found {value!r}") from None
    expected = len(hasher(algorithm).digest())
    if len(digest) != expected:
        raise DigestError(f"expected {expected} bytes of {algorithm}, found {len(digest)}")
    return digest
