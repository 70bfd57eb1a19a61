"""A Poisson process of rate 1 whose n-th event can be found without the events before it.

The gaps between events are independent and exponential with mean 1. They are not added up from the first on, but
halved from above: the sum of `2k` such gaps follows a gamma distribution, and the first `k` of them have a share of
it that follows Beta(k, k) and does not depend on the sum. Every sum and every share has dice of its own, seeded by its
place, so any worker finds the same event, in a number of steps that grows with the logarithm of its number.
"""

from __future__ import annotations

import random
from functools import lru_cache
from itertools import accumulate

_BLOCK = 256
"""Gaps that are drawn together, by the same dice."""


def event_at(seed: int, number: int) -> float:
    """The time of the event with this number, from 0 on."""
    block, within = divmod(number, _BLOCK)
    low, high = _span(seed, block, 0)
    return min(high, low + (high - low) * _positions(seed, block)[within])


@lru_cache(maxsize=1024)
def _span(seed: int, node: int, level: int) -> tuple[float, float]:
    """From where to where the blocks `node * 2**level` to `(node + 1) * 2**level` reach, the latter not included."""
    if node == 0:
        return 0.0, _edge(seed, level)
    if node == 1:
        return _edge(seed, level), _edge(seed, level + 1)
    low, high = _span(seed, node >> 1, level + 1)
    gaps = _BLOCK << level
    share = _dice(seed, "halves", level, node >> 1).betavariate(gaps, gaps)
    middle = min(high, low + (high - low) * share)
    return (middle, high) if node & 1 else (low, middle)


@lru_cache(maxsize=1024)
def _edge(seed: int, level: int) -> float:
    """Where the first `2**level` blocks end."""
    if level == 0:
        return _dice(seed, "edge", 0).gammavariate(_BLOCK, 1.0)
    return _edge(seed, level - 1) + _dice(seed, "edge", level).gammavariate(_BLOCK << (level - 1), 1.0)


@lru_cache(maxsize=16)
def _positions(seed: int, block: int) -> tuple[float, ...]:
    """Where in a block its events lie, from 0 to 1; the last one ends it."""
    dice = _dice(seed, "gaps", block)
    sums = list(accumulate(dice.expovariate(1.0) for _ in range(_BLOCK)))
    return tuple(each / sums[-1] for each in sums)


def _dice(seed: int, *place: object) -> random.Random:
    return random.Random("/".join(map(str, (seed, "arrivals", *place))))
