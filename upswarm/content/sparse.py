"""Sparse files: real ones on disk, whose holes are sent from one shared buffer of zeros instead of being read."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from upswarm import digests
from upswarm.content.base import VIEW_BYTES

_ZEROS = memoryview(bytes(VIEW_BYTES))


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
        end = offset + length
        while offset < end:
            data = self._next_data(offset)
            while offset < min(data, end):
                step = min(VIEW_BYTES, data - offset, end - offset)
                yield _ZEROS[:step]
                offset += step
            hole = self._next_hole(offset) if offset < end else offset
            while offset < min(hole, end):
                block = os.pread(self._file.fileno(), min(VIEW_BYTES, hole - offset, end - offset), offset)
                yield memoryview(block)
                offset += len(block)

    def digest(self, algorithm: str, offset: int, length: int) -> bytes:
        """Computed once for each length as long as the range is one hole, which it is unless somebody wrote to it."""
        if self._next_data(offset) >= offset + length:
            return _digest_of_zeros(algorithm, length)
        return digests.digest_of(algorithm, self.views(offset, length))

    def close(self) -> None:
        """Close the file; its space is free at once."""
        self._file.close()

    def _next_data(self, offset: int) -> int:
        try:
            return os.lseek(self._file.fileno(), offset, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:  # ENXIO: no data from here to the end
                raise
            return self.size_bytes

    def _next_hole(self, offset: int) -> int:
        return os.lseek(self._file.fileno(), offset, os.SEEK_HOLE)


@lru_cache(maxsize=256)
def _digest_of_zeros(algorithm: str, length: int) -> bytes:
    blocks, rest = divmod(length, VIEW_BYTES)
    return digests.digest_of(algorithm, [*[_ZEROS] * blocks, _ZEROS[:rest]])
