"""How long an injected delay is: a fixed time, or one drawn from a distribution."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from upswarm.plugins import did_you_mean
from upswarm.units import UnitError

MAX_SIGMA = 10


class Distribution(Protocol):
    """Draws seconds."""

    def draw_s(self, dice: random.Random) -> float:
        """From 0 on, without a bound."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same."""

    value_s: float

    def draw_s(self, dice: random.Random) -> float:
        """The value."""
        return self.value_s


@dataclass(frozen=True, slots=True)
class Uniform:
    """All between the two are equally likely."""

    least_s: float
    most_s: float

    def draw_s(self, dice: random.Random) -> float:
        """One of them."""
        return dice.uniform(self.least_s, self.most_s)


@dataclass(frozen=True, slots=True)
class Exponential:
    """Short ones often, long ones seldom."""

    mean_s: float

    def draw_s(self, dice: random.Random) -> float:
        """One of them."""
        return dice.expovariate(1 / self.mean_s)


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Half are below the median; `sigma` is the standard deviation of their natural logarithm."""

    median_s: float
    sigma: float

    def draw_s(self, dice: random.Random) -> float:
        """One of them."""
        return dice.lognormvariate(math.log(self.median_s), self.sigma)


def read_delay(value: Any, max_s: float) -> Distribution:
    """The value of a `delay_s`: seconds, or an object with one distribution; raises `UnitError`."""
    if not isinstance(value, dict):
        return _fixed(value, max_s)
    name = next(iter(value), "")
    if len(value) != 1 or name not in _READERS:
        nearest = did_you_mean(name, list(_READERS))
        raise UnitError(f"exactly one of {', '.join(_READERS)}{f' ({nearest})' if nearest else ''}", value)
    return _READERS[name](value[name], max_s)


def is_number(value: Any, most: float) -> bool:
    """Whether this is a number, as JSON knows it, from 0 to `most`."""
    return type(value) in {int, float} and 0 <= value <= most


def _fixed(value: Any, max_s: float) -> Fixed:
    if not is_number(value, max_s):
        raise UnitError(f"seconds from 0 to {max_s:g} (max_delay_s), or a distribution", value)
    return Fixed(value)


def _uniform(value: Any, max_s: float) -> Uniform:
    match value:
        case [least_s, most_s] if is_number(most_s, max_s) and is_number(least_s, most_s):
            return Uniform(least_s, most_s)
    raise UnitError(f"uniform with the least and the most seconds, from 0 to {max_s:g} (max_delay_s)", value)


def _exponential(value: Any, max_s: float) -> Exponential:
    if not is_number(value, max_s) or value == 0:
        raise UnitError(f"exponential with the mean in seconds, above 0 and up to {max_s:g} (max_delay_s)", value)
    return Exponential(value)


def _lognormal(value: Any, max_s: float) -> Lognormal:
    match value:
        case {"median": median_s, "sigma": sigma, **other} if not other and is_number(median_s, max_s) and median_s > 0:
            if is_number(sigma, MAX_SIGMA):
                return Lognormal(median_s, sigma)
    expected = f"a median in seconds, above 0 and up to {max_s:g} (max_delay_s), and a sigma from 0 to {MAX_SIGMA}"
    raise UnitError(f"lognormal with {expected}", value)


_READERS: dict[str, Callable[[Any, float], Distribution]] = {
    "uniform": _uniform,
    "exponential": _exponential,
    "lognormal": _lognormal,
}
