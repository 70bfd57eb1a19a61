"""What a server holds is a set of byte ranges: an offset is `{[0, n)}`, a list of parts maps through the chunk grid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ranges:
    """Half-open byte ranges `[start, end)`: sorted, disjoint, none empty, none touching its neighbour."""

    spans: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, spans: Iterable[tuple[int, int]]) -> Ranges:
        """The union of any spans, in any order."""
        merged: list[tuple[int, int]] = []
        for start, end in sorted(span for span in spans if span[0] < span[1]):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], end))
            else:
                merged.append((start, end))
        return cls(tuple(merged))

    @property
    def total_bytes(self) -> int:
        """How many bytes lie in the ranges."""
        return sum(end - start for start, end in self.spans)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self.spans)

    def __or__(self, other: Ranges) -> Ranges:
        return Ranges.of((*self.spans, *other.spans))

    def covers(self, start: int, end: int) -> bool:
        """Whether every byte of `[start, end)` lies in the ranges."""
        return start >= end or any(low <= start and end <= high for low, high in self.spans)

    def within(self, low: int, high: int) -> Ranges:
        """What of them lies in `[low, high)`."""
        return Ranges.of((max(start, low), min(end, high)) for start, end in self.spans)

    def missing(self, size_bytes: int) -> Ranges:
        """What lacks to the whole `[0, size_bytes)`."""
        gaps, position = [], 0
        for start, end in self.spans:
            gaps.append((position, min(start, size_bytes)))
            position = end
        return Ranges.of((*gaps, (position, size_bytes)))


NOTHING = Ranges()
"""No bytes at all."""
