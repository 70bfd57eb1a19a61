"""The dialect: a protocol's steps as generators that yield requests, are sent responses, and do no I/O.

A step that a protocol does not have is a generator that yields nothing; the engine never asks which one it is.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from upswarm.content.base import File
from upswarm.transfer.chunks import Chunk, Grid
from upswarm.transfer.messages import Request, Response
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import Receipt

T = TypeVar("T")
Flow = Generator[Request, Response, T]
"""Yields requests, is sent their responses, returns a T; raises `Fault` when an answer says that the step failed."""


@dataclass(frozen=True, slots=True)
class Session:
    """Where an upload stands: who the server says it is, its grid, and what the server holds of it."""

    upload_id: str
    grid: Grid
    held: Ranges = NOTHING


@dataclass(frozen=True, slots=True)
class ChunkDigest:
    """What a chunk request promises about its bytes: an algorithm of `upswarm.digests` and the value."""

    algorithm: str
    value: bytes


class UploadProtocol(Protocol):
    """One protocol. Found by name as a plugin, called with the name of the client that uploads."""

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
