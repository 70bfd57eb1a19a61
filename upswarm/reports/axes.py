"""Axes: which values deserve a tick, since those that a library chooses are of tens, and bytes and clocks are not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

_SIZE_UNITS = 6
"""B, KiB, MiB, GiB, TiB, PiB."""
_CLOCK_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


@dataclass(frozen=True, slots=True)
class TimeTicks:
    """From where to where a logarithmic axis of times reaches, and where it has labels; in seconds."""

    lowest_s: float
    highest_s: float
    labelled_s: tuple[float, ...]


def size_steps(highest_bytes: float, *, most: int = 5) -> list[float]:
    """From 0 to just above the highest: at most `most` equal steps, which are whole numbers of one binary unit."""
    steps = (float(1024**power * digits) for power in range(_SIZE_UNITS) for digits in _digits(1000))
    return _multiples(next((step for step in steps if highest_bytes <= step * most), highest_bytes), highest_bytes)


def count_steps(highest: float, *, most: int = 5) -> list[float]:
    """From 0 to just above the highest, in whole numbers."""
    return _multiples(next(digits for digits in _digits(10**30) if highest <= digits * most), highest)


def clock_step(last_s: float, most: int) -> int:
    """The least whole number of seconds, as clocks have them, of which at most `most` reach the last second."""
    days = math.ceil(last_s / most / 86400)
    return next((step for step in _CLOCK_STEPS_S if last_s <= step * most), days * 86400)


def time_ticks(shortest_s: float, longest_s: float, *, most: int = 7) -> TimeTicks:
    """A logarithmic axis of times: 1, 2 and 5 of each decade, from below the shortest to above the longest.

    Where there would be more than `most` labels, only the powers of ten have one.
    """
    series = [digit * 10.0**power for power in range(-6, 6) for digit in (1, 2, 5)]
    first = max(index for index, each in enumerate(series) if each <= max(shortest_s, 1e-6) * (1 + 1e-9))
    last = min(index for index, each in enumerate(series) if each >= longest_s * (1 - 1e-9) and index > first)
    labelled = tuple(series[at] for at in range(first, last + 1) if last - first < most or at % 3 == 0)
    return TimeTicks(series[first], series[last], labelled)


def _digits(end: int) -> Iterator[int]:
    decade = 1
    while decade < end:
        yield from (decade, 2 * decade, 5 * decade)
        decade *= 10


def _multiples(step: float, highest: float) -> list[float]:
    return [step * index for index in range(max(1, math.ceil(highest / step)) + 1)]
