"""A number that goes up and down over a run, such as the uploads in flight."""

from __future__ import annotations

MOST = 256


class Levels:
    """The highest value in each stretch of a run; where it lasts longer than `MOST` stretches, they double in width."""

    def __init__(self) -> None:
        self.width_s = 1.0
        self._highest: dict[int, int] = {}

    @property
    def highest(self) -> int:
        """The highest of all; 0 where nothing was recorded."""
        return max(self._highest.values(), default=0)

    def record(self, at_s: float, value: int) -> None:
        """The value so many seconds after the start of the run."""
        while at_s >= MOST * self.width_s:
            self._widen()
        number = int(at_s / self.width_s)
        self._highest[number] = max(value, self._highest.get(number, 0))

    def points(self) -> list[tuple[float, int]]:
        """Pairs of a stretch's beginning in seconds and its highest value, in their order; none where nobody looked."""
        return [(number * self.width_s, self._highest[number]) for number in sorted(self._highest)]

    def _widen(self) -> None:
        narrow, self._highest = self._highest, {}
        self.width_s *= 2
        for number, value in narrow.items():
            self._highest[number // 2] = max(value, self._highest.get(number // 2, 0))
