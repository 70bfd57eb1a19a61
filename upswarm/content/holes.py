"""Holes in files: where they are, and the zeros that are sent for them without being read."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from upswarm import digests
from upswarm.content.base import VIEW_BYTES
from upswarm.content.remembered import remembered
from upswarm.content.shared import shared

_ZEROS = shared(bytes(VIEW_BYTES))


def zeros(length: int) -> Iterator[memoryview]:
    """So many zeros, as views of one buffer that everybody shares."""
    blocks, rest = divmod(length, VIEW_BYTES)
    for _ in range(blocks):
        yield _ZEROS
    if rest:
        yield _ZEROS[:rest]


def digest_of_zeros(algorithm: str, length: int) -> bytes:
    """The digest of so many zeros, computed once for each length."""
    return remembered(("zeros", algorithm, length), lambda: digests.digest_of(algorithm, zeros(length)))


def spans(fd: int, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """`[start, end)` of an open file as `(start, end, is_hole)`, in order, as the file system has them by then."""
    while start < end:
        data = min(end, next_data(fd, start, end))
        if start < data:
            yield start, data, True
        start = data
        if start < end:
            hole = min(end, os.lseek(fd, start, os.SEEK_HOLE))
            yield start, hole, False
            start = hole


def next_data(fd: int, start: int, end: int) -> int:
    """Where the next data begins, at `start` or behind it; `end` where there is none."""
    try:
        return os.lseek(fd, start, os.SEEK_DATA)
    except OSError as error:
        if error.errno != errno.ENXIO:  # ENXIO: no data from here to the end
            raise
        return end
