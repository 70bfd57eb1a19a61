"""Chunks of one upload at the same time: lanes, each a connection of its own, that take from what is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

Work = Callable[[], None]


class Together(Protocol):
    """Runs several works at the same time."""

    def __call__(self, works: Sequence[Work], /) -> None:
        """Return when all have ended; whoever is interrupted here stops them first."""


def in_turn(works: Sequence[Work], /) -> None:
    """One after the other: where there is one lane, or nobody who could run several."""
    for work in works:
        work()
