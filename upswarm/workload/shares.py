"""Who takes which upload, where a fixed number of slots bounds how many are in flight at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True, slots=True)
class SlotShare:
    """The slots of worker `index` of `workers`, and the numbers that are theirs.

    Slot s belongs to worker `s % workers`, and number n to slot `n % slots`. So a worker with one slot more takes
    more of the numbers, one without any takes none, and all workers together take each number once.
    """

    index: int
    workers: int
    slots: int

    @property
    def own(self) -> range:
        """This worker's slots; `len(share.own)` uploads may be in flight here.

        One whose index is not among the workers has come too late: all slots have their owners, so it has none.
        """
        return range(self.index, self.slots if self.index < self.workers else 0, self.workers)

    def numbers(self) -> Iterator[int]:
        """This worker's numbers, growing and without end; none at all where it has no slots."""
        turns = count(step=self.slots) if self.own else ()
        return (turn + slot for turn in turns for slot in self.own)
