"""Sparse files: real ones on disk, whose holes are sent from one shared buffer of zeros instead of being read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from upswarm import digests
from upswarm.content.base import VIEW_BYTES
from upswarm.content.holes import digest_of_zeros, next_data, spans, zeros


class Sparse:
    """Files that have a size but take no space. `scratch` is where they stand; they have no name there."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    def open(self, name: str, size_bytes: int, seed: int) -> SparseFile:
        """A sparse file of this size; all its bytes are zero, whatever the seed."""
        return SparseFile(name, size_bytes, self._scratch)


class SparseFile:
    """A file made by seeking to its end. It is unlinked from the start, so even SIGKILL leaves nothing behind."""

    def __init__(self, name: str, size_bytes: int, scratch: Path) -> None:
        self.name = name
        self.size_bytes = size_bytes
        self._file = tempfile.TemporaryFile(dir=scratch, buffering=0)  # noqa: SIM115 (closed by close)
        self._file.seek(size_bytes)
        self._file.truncate()

    @property
    def allocated_bytes(self) -> int:
        """What the file really takes on disk; `size_bytes` is its apparent size."""
        return os.fstat(self._file.fileno()).st_blocks * 512

    def views(self, offset: int, length: int) -> Iterator[memoryview]:
        """Holes as views of the shared zeros, data (should somebody have written any) as read from the file."""
        fd = self._file.fileno()
        for start, end, is_hole in spans(fd, offset, offset + length):
            yield from zeros(end - start) if is_hole else _read(fd, start, end)

    def digest(self, algorithm: str, offset: int, length: int) -> bytes:
        """Computed once for each length as long as the range is one hole, which it is unless somebody wrote to it."""
        end = offset + length
        if next_data(self._file.fileno(), offset, end) >= end:
            return digest_of_zeros(algorithm, length)
        return digests.digest_of(algorithm, self.views(offset, length))

    def close(self) -> None:
        """Close the file; its space is free at once."""
        self._file.close()


def _read(fd: int, start: int, end: int) -> Iterator[memoryview]:
    while start < end:
        data = os.pread(fd, min(VIEW_BYTES, end - start), start)
        yield memoryview(data)
        start += len(data)
