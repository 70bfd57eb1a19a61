"""The search for the highest load that holds: double until one does not, then halve the gap. No clock, no server.

    while (load := search.next_load()) is not None:
        search.judged(load, holds=…)

A judgement of a real server is noisy, and two of them may contradict each other. The search believes each once: no
load is asked for twice, every judgement narrows the gap, and so it ends whatever it is told.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where to search: from `least` to `most`, until the gap is at most `precision_ratio` of what holds.

    `whole` loads are numbers of users; other loads are rates. Raises `ValueError` where there is nothing to search.
    """

    least: float
    most: float
    precision_ratio: float
    whole: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.least <= self.most:
            raise ValueError(f"expected a smallest load above 0 and no larger than the largest, {self.most:g}; "
                             f"found {self.least:g}")  # fmt: skip
        if not self.precision_ratio > 0:
            raise ValueError(f"expected a precision above 0, found {self.precision_ratio:g}")
        if self.whole and not (float(self.least).is_integer() and float(self.most).is_integer()):
            raise ValueError(f"expected whole numbers, found {self.least:g} and {self.most:g}")


class Search:
    """`held` is the highest load that held, `gave_in` the lowest that did not; None where there is none yet."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self.held: float | None = None
        self.gave_in: float | None = None

    def next_load(self) -> float | None:
        """The load to try next, the same until it has been judged; None when the search is over."""
        bounds, held, gave_in = self._bounds, self.held, self.gave_in
        if held is None:
            return bounds.least if gave_in is None else None
        if gave_in is None:
            return min(2 * held, bounds.most) if held < bounds.most else None
        return None if self._near(held, gave_in) else self._between(held, gave_in)

    def judged(self, load: float, *, holds: bool) -> None:
        """Take the judgement of the load that was asked for last; raises `ValueError` for any other."""
        if load != self.next_load():
            raise ValueError(f"expected a judgement of {self.next_load()}, found one of {load}")
        if holds:
            self.held = load
        else:
            self.gave_in = load

    def _near(self, held: float, gave_in: float) -> bool:
        gap = gave_in - held
        return gap <= self._bounds.precision_ratio * held or (self._bounds.whole and gap <= 1)

    def _between(self, held: float, gave_in: float) -> float:
        middle = (held + gave_in) / 2
        return float(middle // 1) if self._bounds.whole else middle
