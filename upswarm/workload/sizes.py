"""How large the files are: a fixed size, or a distribution to draw from."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Protocol

_Z95 = 1.6448536269514722  # the 95th percentile of the standard normal distribution


class SizeDistribution(Protocol):
    """Draws sizes. The dice come from outside, so the same dice give the same sizes."""

    @property
    def mean_bytes(self) -> float:
        """The expected size."""

    def draw(self, dice: random.Random) -> int:
        """One size in bytes, 0 or more."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Every file has the same size."""

    size_bytes: int

    @property
    def mean_bytes(self) -> float:
        """The size itself."""
        return float(self.size_bytes)

    def draw(self, dice: random.Random) -> int:
        """The size itself; the dice are not thrown."""
        return self.size_bytes


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every whole number of bytes from `low_bytes` to `high_bytes`, both included, is equally likely."""

    low_bytes: int
    high_bytes: int

    @property
    def mean_bytes(self) -> float:
        """The middle."""
        return (self.low_bytes + self.high_bytes) / 2

    def draw(self, dice: random.Random) -> int:
        """One size in bytes."""
        return dice.randint(self.low_bytes, self.high_bytes)


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Many small files and a few large ones: half are below `median_bytes`, one in twenty is above `p95_bytes`."""

    median_bytes: int
    p95_bytes: int

    @property
    def sigma(self) -> float:
        """The standard deviation of the size's logarithm."""
        return math.log(self.p95_bytes / self.median_bytes) / _Z95

    @property
    def mean_bytes(self) -> float:
        """exp(mu + sigma²/2), which lies above the median."""
        return self.median_bytes * math.exp(self.sigma**2 / 2)

    def draw(self, dice: random.Random) -> int:
        """One size in bytes."""
        return round(dice.lognormvariate(math.log(self.median_bytes), self.sigma))


@dataclass(frozen=True, slots=True)
class Listed:
    """One of these sizes; one that stands there twice comes twice as often."""

    sizes_bytes: tuple[int, ...]

    @property
    def mean_bytes(self) -> float:
        """Their mean."""
        return sum(self.sizes_bytes) / len(self.sizes_bytes)

    def draw(self, dice: random.Random) -> int:
        """One size in bytes."""
        return dice.choice(self.sizes_bytes)
