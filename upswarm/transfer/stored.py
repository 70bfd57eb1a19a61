"""What a server says of a file that it has acknowledged, and what a dialect may have so that it can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from upswarm.transfer.dialect import ChunkDigest, Flow
from upswarm.transfer.messages import Request
from upswarm.transfer.records import Receipt


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as the server has it by its own word; None is what it does not say.

    `digest` is of the whole file, under a name of `upswarm.digests`.
    """

    size_bytes: int | None = None
    digest: ChunkDigest | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One file in a server's list; `file_id` is the one that a receipt for it would have."""

    file_id: str
    file_name: str
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some files of a list; `following` asks for the next page, and is empty on the last one."""

    files: tuple[Listed, ...]
    following: str = ""


@runtime_checkable
class Inspectable(Protocol):
    """What a dialect may have, whose server can be asked for a file by its receipt."""

    def inspect(self, receipt: Receipt) -> Flow[Stored]:
        """Ask for the file; raises `Fault` (`gone`) where it is not there."""


@runtime_checkable
class Readable(Protocol):
    """What a dialect may have, whose files can be read back."""

    def download(self, receipt: Receipt) -> Request:
        """The request that is answered with the file's bytes, or with a `Range` of them."""


@runtime_checkable
class Listable(Protocol):
    """What a dialect may have, whose server lists its files."""

    def listing(self, prefix: str, following: str) -> Flow[Page]:
        """A page of the files whose names begin with the prefix: the first one, or the `following` one."""
