"""What one worker did over a run, in stretches of equal width: enough for a line in a chart, however long it lasts.

There are never more than `MOST` stretches: where a run lasts longer, neighbours become one, and all widths double.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from upswarm.results.tallies import SecondTally

MOST = 256


@dataclass(frozen=True, slots=True)
class WorkerSeries:
    """The n-th number of each row belongs to the stretch from `n * width_s` on, counted from the start of the run.

    What ended in it, and for `in_flight` the most that were under way in one of its seconds.
    """

    width_s: int = 1
    attempts: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    bytes_sent: tuple[int, ...] = ()
    finished_bytes: tuple[int, ...] = ()
    in_flight: tuple[int, ...] = ()

    @classmethod
    def of_document(cls, document: Mapping[str, object]) -> WorkerSeries:
        """What `asdict` gave, after it went through JSON."""
        rows = {name: tuple(row) for name, row in document.items() if isinstance(row, list)}
        return cls(**{**document, **rows})  # type: ignore[arg-type]


@dataclass(slots=True)
class _Stretch:
    attempts: int = 0
    failed: int = 0
    bytes_sent: int = 0
    finished_bytes: int = 0
    in_flight: int = 0

    def add(self, other: _Stretch | SecondTally) -> None:
        self.attempts += other.attempts
        self.failed += other.failed
        self.bytes_sent += other.bytes_sent
        self.finished_bytes += other.finished_bytes
        self.in_flight = max(self.in_flight, other.in_flight)


class WorkerSeriesTally:
    """Adds up the seconds that a worker reports. Each second may be told of in several reports, but only added to."""

    def __init__(self) -> None:
        self._width_s = 1
        self._stretches: list[_Stretch] = []

    def add(self, seconds: Mapping[int, SecondTally]) -> None:
        """Add what a report tells of these seconds."""
        for at, tally in seconds.items():
            self._covering(at).add(tally)

    def series(self) -> WorkerSeries:
        """All of it so far."""
        rows = {name: tuple(getattr(each, name) for each in self._stretches) for name in _Stretch.__slots__}
        return WorkerSeries(self._width_s, **rows)

    def _covering(self, second: int) -> _Stretch:
        while second // self._width_s >= MOST:
            self._widen()
        number = second // self._width_s
        self._stretches += [_Stretch() for _ in range(len(self._stretches), number + 1)]
        return self._stretches[number]

    def _widen(self) -> None:
        self._width_s *= 2
        even, odd = self._stretches[::2], self._stretches[1::2]
        for wide, narrow in zip(even, odd, strict=False):
            wide.add(narrow)
        self._stretches = even
