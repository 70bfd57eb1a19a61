"""Axes: which values deserve a tick, how they are written, and where they lie. Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from upswarm import units

Scale = Callable[[float], float]

_SIZE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_CLOCK_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Tick:
    """A value in the axis's unit and what is written there; without a label it is a mark only."""

    value: float
    label: str


def linear(low: float, high: float, start: float, end: float) -> Scale:
    """Positions from `start` at `low` to `end` at `high`; one value alone lies at `start`."""
    span = (high - low) or 1.0
    return lambda value: start + (value - low) / span * (end - start)


def logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    """The same over the logarithms; all values are above 0."""
    position = linear(math.log10(low), math.log10(high), start, end)
    return lambda value: position(math.log10(value))


def size_ticks(highest_bytes: float, *, suffix: str = "", most: int = 5) -> list[Tick]:
    """From 0 to just above the highest: at most `most` equal steps, all written in one binary unit."""
    steps = ((1024**power * digits, power) for power in range(len(_SIZE_UNITS)) for digits in _digits(1000))
    beyond = (highest_bytes, len(_SIZE_UNITS) - 1)
    step, power = next(((step, power) for step, power in steps if highest_bytes <= step * most), beyond)
    unit = _SIZE_UNITS[power] + suffix
    return [Tick(each, f"{each / 1024**power:g} {unit}" if each else "0") for each in _multiples(step, highest_bytes)]


def count_ticks(highest: float, *, most: int = 5) -> list[Tick]:
    """From 0 to just above the highest, in whole numbers."""
    step = next(digits for digits in _digits(10**30) if highest <= digits * most)
    return [Tick(each, f"{each:,.0f}") for each in _multiples(step, highest)]


def clock_ticks(last_s: float, *, most: int = 8) -> list[Tick]:
    """The seconds of a run, from 0 to its last: `5 s` below a minute and a half, then `1:30`, and `2 h 05`."""
    starts = range(0, math.floor(last_s) + 1, clock_step(last_s, most))
    return [Tick(start, _clock(start, last_s)) for start in starts]


def clock_step(last_s: float, most: int) -> int:
    """The least whole number of seconds, as clocks have them, of which at most `most` reach the last second."""
    days = math.ceil(last_s / most / 86400)
    return next((step for step in _CLOCK_STEPS_S if last_s <= step * most), days * 86400)


def time_ticks(shortest_s: float, longest_s: float, *, most: int = 7) -> list[Tick]:
    """A logarithmic axis of times: 1, 2 and 5 of each decade, from below the shortest to above the longest.

    Where there would be more than `most` labels, only the powers of ten have one.
    """
    series = [digit * 10.0**power for power in range(-6, 6) for digit in (1, 2, 5)]
    first = max(index for index, each in enumerate(series) if each <= max(shortest_s, 1e-6) * (1 + 1e-9))
    last = min(index for index, each in enumerate(series) if each >= longest_s * (1 - 1e-9) and index > first)
    few = last - first < most
    return [Tick(series[at], _short(series[at]) if few or at % 3 == 0 else "") for at in range(first, last + 1)]


def _digits(end: int) -> Iterator[int]:
    decade = 1
    while decade < end:
        yield from (decade, 2 * decade, 5 * decade)
        decade *= 10


def _multiples(step: float, highest: float) -> list[float]:
    return [step * index for index in range(max(1, math.ceil(highest / step)) + 1)]


def _clock(at_s: int, last_s: float) -> str:
    minutes, seconds = divmod(at_s, 60)
    if last_s < 90:
        return f"{at_s} s"
    return f"{minutes}:{seconds:02d}" if last_s < 5400 else f"{minutes // 60} h {minutes % 60:02d}"


def _short(value_s: float) -> str:
    number, unit = units.format_duration(value_s).split(" ", 1) if value_s < 60 else (f"{value_s:g}", "s")
    return f"{float(number):g} {unit}"
