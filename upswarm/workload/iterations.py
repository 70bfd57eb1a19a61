"""A fixed number of uploads, as fast as so many users can: on any number of workers exactly that many are begun."""

from __future__ import annotations

from dataclasses import dataclass

from upswarm.workload.shares import Share


@dataclass(frozen=True, slots=True)
class Iterations:
    """`count` uploads by at most `users` at a time. An upload that fails is one of them; it is not made up for."""

    count: int
    users: int = 1

    @property
    def slots(self) -> int:
        """One for each user who finds an upload."""
        return min(self.users, self.count)

    def quota(self, share: Share) -> Quota:
        """What the worker with this share of the slots has to do."""
        return Quota(share, self.count)


class Quota:
    """One worker's uploads, drawn by all of its users until none is left."""

    def __init__(self, share: Share, count: int) -> None:
        self._share = share
        self._count = count

    @property
    def left(self) -> bool:
        """Whether one is left."""
        return self._share.first is not None and self._share.first < self._count

    def next_number(self) -> int | None:
        """The number of the next file; None once all are taken, unless the share grows."""
        return self._share.draw() if self.left else None
