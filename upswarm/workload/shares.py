"""Who uploads which file: the numbers of a run are cut into slots, and slots may change hands while it is going on.

Number n belongs to slot `n % slots`. A slot is one worker's at any time, and whoever gives it away says which of its
numbers comes next. So however often shares are cut anew, each number is drawn once, on any number of workers.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable


class Share:
    """One worker's slots, as the next number of each: `following`. Drawn in order, the lowest number first."""

    def __init__(self, slots: int, following: Iterable[int] = ()) -> None:
        self.slots = slots
        self._following = sorted(following)

    @classmethod
    def of(cls, index: int, workers: int, slots: int) -> Share:
        """The first cut: slot s is worker `s % workers`'s, so a worker may have one more than another, or none."""
        return cls(slots, range(index, slots, workers))

    def __len__(self) -> int:
        """How many slots it has."""
        return len(self._following)

    @property
    def first(self) -> int | None:
        """The number that is drawn next; None where it has no slots."""
        return self._following[0] if self._following else None

    @property
    def following(self) -> tuple[int, ...]:
        """The next number of each slot, in order."""
        return tuple(sorted(self._following))

    def back_to(self, unended: Iterable[int]) -> tuple[int, ...]:
        """The same, but each slot from the first of these numbers on: they were drawn, and their uploads go on."""
        first = {number % self.slots: number for number in sorted(unended, reverse=True)}
        return tuple(sorted(first.get(number % self.slots, number) for number in self._following))

    def draw(self) -> int:
        """Take the next number; raises IndexError where there are no slots."""
        number = self._following[0]
        heapq.heapreplace(self._following, number + self.slots)
        return number

    def give(self, count: int) -> list[int]:
        """Give so many slots away, or all: those whose numbers come last."""
        given = heapq.nlargest(count, self._following)
        self._following = heapq.nsmallest(len(self._following) - len(given), self._following)
        return given

    def take(self, following: Iterable[int]) -> None:
        """Take slots over, each from its next number on."""
        self._following = sorted([*self._following, *following])
