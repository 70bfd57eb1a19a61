"""A file cut into chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from upswarm.transfer.ranges import Ranges


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece of a file: its place in the grid, or in which it begins, and its bytes `[offset, offset + length)`."""

    index: int
    offset: int
    length: int

    @property
    def end(self) -> int:
        """The offset of the first byte behind the chunk."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Grid:
    """Chunks of one size, the last one shorter; a file smaller than a chunk is one, an empty file has none.

    Where the grid is not `fixed` a chunk may begin at any byte, and what is sent begins where something is missing.
    With `row_bytes` such a file is cut into rows of so many bytes first, and no chunk lies in two of them.
    """

    size_bytes: int
    chunk_size_bytes: int
    fixed: bool = True
    row_bytes: int | None = None

    @property
    def count(self) -> int:
        """How many chunks the file has."""
        return -(-self.size_bytes // self.chunk_size_bytes)

    def chunk(self, index: int) -> Chunk:
        """The chunk with this index, from 0."""
        offset = index * self.chunk_size_bytes
        return Chunk(index, offset, min(self.chunk_size_bytes, self.size_bytes - offset))

    def not_held(self, held: Ranges) -> Iterator[Chunk]:
        """The chunks of which a byte is missing, in order, each of them once."""
        return chain.from_iterable(self.rows(held))

    def rows(self, held: Ranges) -> Iterator[Iterator[Chunk]]:
        """The same in rows: the chunks of one go one after the other, those of different ones at the same time.

        Where nothing is said about rows, each chunk is one.
        """
        missing = held.missing(self.size_bytes)
        if self.row_bytes is not None:
            starts = range(0, self.size_bytes, self.row_bytes)
            gaps = (missing.within(start, start + self.row_bytes) for start in starts)
            return (self._cut(gap) for gap in gaps if gap.spans)
        return (iter((chunk,)) for chunk in (self._touched(missing) if self.fixed else self._cut(missing)))

    def _touched(self, missing: Ranges) -> Iterator[Chunk]:
        following = 0
        for start, end in missing:
            first, last = start // self.chunk_size_bytes, (end - 1) // self.chunk_size_bytes
            yield from map(self.chunk, range(max(first, following), last + 1))
            following = last + 1

    def _cut(self, missing: Ranges) -> Iterator[Chunk]:
        for start, end in missing:
            for offset in range(start, end, self.chunk_size_bytes):
                yield Chunk(offset // self.chunk_size_bytes, offset, min(self.chunk_size_bytes, end - offset))

    def ranges(self, spans: list[tuple[int, int]]) -> Ranges:
        """Byte ranges of inclusive index ranges such as `[(0, 3), (7, 7)]`."""
        return Ranges.of((self.chunk(first).offset, self.chunk(last).end) for first, last in spans)
