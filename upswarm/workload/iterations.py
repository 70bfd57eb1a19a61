"""A fixed number of uploads, as fast as so many users can: on any number of workers exactly that many are begun."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

from upswarm.workload.shares import SlotShare


@dataclass(frozen=True, slots=True)
class Iterations:
    """`count` uploads by at most `users` at a time. An upload that fails is one of them; it is not made up for."""

    count: int
    users: int = 1

    def quota(self, index: int, workers: int) -> Quota:
        """What worker `index` of `workers` has to do."""
        return Quota(SlotShare(index, workers, min(self.users, self.count)), self.count)


class Quota:
    """One worker's uploads, drawn by all of its users until none is left. `users` says how many users it needs."""

    def __init__(self, share: SlotShare, count: int) -> None:
        self.users = len(share.own)
        self._numbers = takewhile(lambda number: number < count, share.numbers())

    def next_number(self) -> int | None:
        """The number of the next file; None once all are taken."""
        return next(self._numbers, None)
