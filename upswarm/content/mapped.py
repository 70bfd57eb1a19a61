"""A file on disk as views of the page cache."""

from __future__ import annotations

import mmap
import os
import weakref
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from upswarm.content.holes import spans, zeros
from upswarm.errors import UsageError

_STEP_BYTES = 256 << 10
"""No view is longer: so much of each upload under way may be mapped, though it is the page cache's memory."""
_SHORT_BYTES = 16 << 10
"""A shorter file is repeated in memory where it has to be: a send of a few bytes would cost more than they do."""


class Mapped:
    """One file, mapped whole for as long as somebody holds this object. Mapping takes addresses, not memory."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self.path = path
        self.size_bytes = size_bytes
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._fd)
        self._span = (0, 0, False)
        self._require_size()
        self._memory = mmap.mmap(self._fd, size_bytes, access=mmap.ACCESS_READ)

    @property
    def allocated_bytes(self) -> int:
        """What the file takes on disk."""
        return os.fstat(self._fd).st_blocks * 512

    def identity(self) -> tuple[int, ...]:
        """Another one as soon as somebody has written to the file."""
        stat = os.fstat(self._fd)
        return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns

    def is_hole(self, start: int, end: int) -> bool:
        """Whether there is nothing but a hole between these places, both within the file."""
        self._require_size()
        if not start < end <= self.size_bytes:
            return False
        _, last, is_hole = self._span_at(start)
        return is_hole and last >= end

    def period_bytes(self, size_bytes: int) -> int:
        """After how many bytes a file of this size, made of this one again and again, begins anew."""
        return self.size_bytes if self.size_bytes >= min(_SHORT_BYTES, size_bytes) else len(self._row)

    def views(self, start: int, end: int) -> Iterator[memoryview]:
        """The bytes between these places, both within the period."""
        if end > self.size_bytes:
            yield self._row[start:end]
            return
        self._require_size()
        while start < end:
            _, last, is_hole = self._span_at(start)
            last = min(last, end)
            yield from zeros(last - start) if is_hole else self._data(start, last)
            start = last

    def _span_at(self, place: int) -> tuple[int, int, bool]:
        """The hole, or the data without one, around a place. The last is kept: tmpfs looks at each page to find it."""
        if not self._span[0] <= place < self._span[1]:
            self._span = next(spans(self._fd, place, self.size_bytes))
        return self._span

    @cached_property
    def _row(self) -> memoryview:
        self._require_size()
        return memoryview(bytes(memoryview(self._memory)) * -(-_SHORT_BYTES // self.size_bytes))

    def _data(self, start: int, end: int) -> Iterator[memoryview]:
        whole = memoryview(self._memory)
        for first in range(start, end, _STEP_BYTES):
            last = min(first + _STEP_BYTES, end)
            self._require_size()  # again, for a view may have taken long to be sent
            try:
                yield whole[first:last]
            finally:
                self._let_go(first, last)

    def _let_go(self, start: int, end: int) -> None:
        """Take the pages out of our memory; the page cache keeps them for whoever reads them again."""
        first = start // mmap.PAGESIZE * mmap.PAGESIZE
        self._memory.madvise(mmap.MADV_DONTNEED, first, end - first)

    def _require_size(self) -> None:
        """Whoever reads a mapping behind the end of its file is killed by SIGBUS; a sentence is better."""
        found_bytes = os.fstat(self._fd).st_size
        if found_bytes < self.size_bytes:
            raise UsageError(f"expected {self.path} to keep its {self.size_bytes} bytes, found {found_bytes}",
                             hint="leave the corpus alone while a run goes on")  # fmt: skip
