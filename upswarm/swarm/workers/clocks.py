"""The master's clock, as a worker knows it: runs count from one moment, whatever the clocks of the machines say.

The worker asks, and the master answers with its time. It was that time somewhere between question and answer, so the
exchange that took least tells most (Cristian, "Probabilistic clock synchronization", 1989).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

_KEPT = 8
"""Of so many latest exchanges the shortest counts: clocks drift, so what was heard long ago counts no more."""


@dataclass(frozen=True, slots=True)
class _Exchange:
    took_s: float
    ahead_s: float


class MasterClock:
    """How far the master's clock is ahead of ours, and how exactly that is known."""

    def __init__(self) -> None:
        self._exchanges: deque[_Exchange] = deque(maxlen=_KEPT)

    def heard(self, asked_s: float, master_s: float, heard_s: float) -> None:
        """The master had `master_s` between two moments of ours."""
        self._exchanges.append(_Exchange(heard_s - asked_s, master_s - (asked_s + heard_s) / 2))

    def here_s(self, master_s: float) -> float:
        """A moment of the master's on our clock; the same number as long as nothing has been heard."""
        return master_s - self._best.ahead_s

    @property
    def error_s(self) -> float:
        """How far off `here_s` may be."""
        return self._best.took_s / 2

    @property
    def _best(self) -> _Exchange:
        return min(self._exchanges, key=lambda each: each.took_s, default=_Exchange(0.0, 0.0))
