"""What people do to their own uploads: they close the lid and come back, or they give up. Arithmetic only.

What becomes of the n-th upload of a run follows from the seed and n alone, so one worker and ten see the same.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Every number from `low` to `high` is equally likely."""

    low: float
    high: float

    def draw(self, dice: random.Random) -> float:
        """One of them."""
        return dice.uniform(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Interrupt:
    """A share of uploads whose connection is cut after a share of their bytes, and which go on after a while."""

    share_ratio: float
    after_ratio: Spread
    resume_in_s: Spread
    moves: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """Once so many bytes of the file have been sent; without `resume_in_s` nobody comes back.

    `moves`: whoever comes back does so at another worker, where there is one.
    """

    after_bytes: int
    resume_in_s: float | None = None
    moves: bool = False


@dataclass(frozen=True, slots=True)
class Habits:
    """The habits of a scenario's people. Who is interrupted does not depend on how many give up, nor the other way."""

    interrupt: Interrupt | None = None
    abort_ratio: float = 0.0
    seed: int = 0

    def cuts(self, number: int | None, size_bytes: int) -> tuple[Cut, ...]:
        """What happens on purpose to the upload with this number, in order.

        Nothing, where it has none, and nothing to an empty file, of which nothing can be cut.
        """
        if number is None or size_bytes == 0 or (self.interrupt is None and not self.abort_ratio):
            return ()
        lids, whims = random.Random(f"{self.seed}/{number}/interrupt"), random.Random(f"{self.seed}/{number}/abort")
        cuts = (self._interruption(lids, size_bytes), self._abort(whims, size_bytes))
        return tuple(sorted((cut for cut in cuts if cut), key=lambda cut: (cut.after_bytes, cut.resume_in_s is None)))

    def _interruption(self, dice: random.Random, size_bytes: int) -> Cut | None:
        habit = self.interrupt
        if habit is None or dice.random() >= habit.share_ratio:
            return None
        return Cut(round(habit.after_ratio.draw(dice) * size_bytes), habit.resume_in_s.draw(dice), habit.moves)

    def _abort(self, dice: random.Random, size_bytes: int) -> Cut | None:
        return Cut(round(dice.random() * size_bytes)) if dice.random() < self.abort_ratio else None


UNDISTURBED = Habits()
"""Nobody does anything."""
