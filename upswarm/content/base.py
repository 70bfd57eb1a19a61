"""What the transfer asks of a file, and what a scenario's `content:` names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

VIEW_BYTES = 1 << 20
"""No view is longer: a send of this size is large enough to be cheap and small enough to let others run."""


class File(Protocol):
    """One file's bytes, readable at any place, as often as a retry needs them.

    `size_bytes` is what it has for whoever reads it; `allocated_bytes` is what it takes on this machine's disk, 0 where
    its bytes are made as they are read.
    """

    name: str
    size_bytes: int

    @property
    def allocated_bytes(self) -> int:
        """Bytes on this machine's disk."""

    def views(self, offset: int, length: int) -> Iterator[memoryview]:
        """The bytes of `[offset, offset + length)` in order, in views of at most `VIEW_BYTES`."""

    def digest(self, algorithm: str, offset: int, length: int) -> bytes:
        """The digest of `[offset, offset + length)`, for an algorithm of `upswarm.digests`."""

    def close(self) -> None:
        """Give back what the file holds."""


class Content(Protocol):
    """A maker of files. Its class is found by name and called with a scratch directory and the scenario's parameters.

    Making one is cheap and leaves nothing behind; a parameter that can't be is a `ValueError` or an `UpswarmError`.
    """

    def __init__(self, scratch: Path, **parameters: Any) -> None: ...

    def open(self, name: str, size_bytes: int, seed: int) -> File:
        """A file of exactly this size; the same seed and size give the same bytes on any machine."""
