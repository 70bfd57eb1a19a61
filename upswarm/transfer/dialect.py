"""The dialect: a protocol's steps as generators that yield requests, are sent responses, and do no I/O.

A step that a protocol does not have is a generator that yields nothing; the engine never asks which one it is.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable
from urllib.parse import urlsplit, urlunsplit

from upswarm.content.base import File
from upswarm.transfer.chunks import Chunk, Grid
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.messages import Request, Response
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import Receipt
from upswarm.units import format_size

_USUAL_CHUNK_BYTES = 8 << 20
T = TypeVar("T")
Flow = Generator[Request, Response, T]
"""Yields requests, is sent their responses, returns a T; raises `Fault` when an answer says that the step failed."""


def stateless(one: None, other: None) -> None:
    """`Caps.joined` of a protocol that remembers nothing."""


def as_it_is(state: Any) -> Any:
    """`Caps.state_to_plain` and `state_of_plain` of a protocol whose states are plain values, or None."""
    return state


@dataclass(frozen=True, slots=True)
class Caps:
    """What a protocol can do, as far as the engine has to know it.

    `sequential`: chunks come in order only. `resumes`: the server can be asked what it holds. Sizes of chunks are at
    least `min_chunk_bytes` and a multiple of `multiple_bytes`, except the last one's, and at most `max_chunk_bytes`.
    `joined` makes one state of two that grew apart while chunks travelled at the same time; without it they do not.
    `state_to_plain` writes a session's state as JSON and msgpack can carry it, and `state_of_plain` reads that: another
    process may go on with an upload. `digests` are the algorithms of `upswarm.digests` that a chunk can carry.
    `default_path` is where servers usually speak the protocol, if the target's URL has no path of its own.
    """

    sequential: bool = False
    resumes: bool = True
    min_chunk_bytes: int = 1
    max_chunk_bytes: int | None = None
    multiple_bytes: int = 1
    digests: frozenset[str] = frozenset()
    joined: Callable[[Any, Any], Any] | None = None
    state_to_plain: Callable[[Any], Any] = as_it_is
    state_of_plain: Callable[[Any], Any] = as_it_is
    default_path: str = ""

    def endpoint(self, target_url: str) -> str:
        """The URL that a dialect's paths are absolute within; the path of `http://host/` is none."""
        parts = urlsplit(target_url)
        return target_url if parts.path.strip("/") else urlunsplit(parts._replace(path=self.default_path))

    def chunk_size_bytes(self, wish_bytes: int | None, size_bytes: int, max_chunks: int = 10_000) -> int:
        """The size to use where the client chooses: the wish or 8 MiB, made to fit, in at most `max_chunks` chunks.

        Raises `Fault` (`too_large`) for a file that even the largest chunks would not bring there in so many.
        """
        least_bytes = max(wish_bytes or _USUAL_CHUNK_BYTES, self.min_chunk_bytes, -(-size_bytes // max_chunks))
        fitting_bytes = -(-least_bytes // self.multiple_bytes) * self.multiple_bytes
        if self.max_chunk_bytes is None:
            return fitting_bytes
        most_bytes = self.max_chunk_bytes // self.multiple_bytes * self.multiple_bytes
        if size_bytes > most_bytes * max_chunks:
            expected = f"expected at most {max_chunks} chunks of {format_size(most_bytes)}"
            raise Fault(Failure.TOO_LARGE, f"{expected}, found a file of {format_size(size_bytes)}")
        return min(fitting_bytes, most_bytes)


@dataclass(frozen=True, slots=True)
class Session:
    """Where an upload stands: who the server says it is, its grid, and what the server holds of it.

    `state` is a value that the dialect itself has to remember, such as the tags of S3's parts; nobody else reads it.
    """

    upload_id: str
    grid: Grid
    held: Ranges = NOTHING
    state: Any = None


@dataclass(frozen=True, slots=True)
class ChunkDigest:
    """What a chunk request promises about its bytes: an algorithm of `upswarm.digests` and the value."""

    algorithm: str
    value: bytes


@runtime_checkable
class InLanes(Protocol):
    """What a protocol may have whose chunks come in order, if a file can travel as several rows of them."""

    def in_lanes(self, count: int) -> UploadProtocol:
        """The same protocol with so many rows at most (`Grid.row_bytes`), and with `Caps.joined`."""


class UploadProtocol(Protocol):
    """One protocol. Found by name as a plugin, called with the name of the client that uploads."""

    caps: Caps

    def __init__(self, client_id: str) -> None: ...

    def create(self, file: File, chunk_size_bytes: int | None) -> Flow[Session]:
        """Begin an upload; `chunk_size_bytes` is a wish, None leaves the size to the server."""

    def send(self, session: Session, chunk: Chunk, file: File, digest: ChunkDigest | None) -> Flow[Session]:
        """Send one chunk; the session that comes back holds it."""

    def probe(self, session: Session) -> Flow[Session]:
        """Ask what the server holds."""

    def finalize(self, session: Session, file: File) -> Flow[Receipt]:
        """Make a file of the chunks; always called, with every chunk held."""

    def abort(self, session: Session) -> Flow[None]:
        """Give the upload up and let the server free its space."""
