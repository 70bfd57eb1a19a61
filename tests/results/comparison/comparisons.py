"""Runs of a known process, to be compared: chunks of a lognormal time, whose level wanders from second to second."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from itertools import count

from tests.results.runs import run_of
from tests.results.samples import attempt, finished
from upswarm.results.comparison.sides import Side
from upswarm.results.measurements import Measurements
from upswarm.results.run_file import Run

_numbers = count(1)


def wandering(dice: random.Random, *, scale: float = 1.0, length_s: int = 60, per_s: int = 20, likeness: float = 0.5,
              wander: float = 0.1, apart: float = 0.0) -> Run:  # fmt: skip
    """Chunks whose median is 50 ms times `scale`.

    The level of the seconds is autoregressive, with this `likeness` of neighbours; runs lie `apart` by chance.
    """
    measurements, level, own = Measurements(), 0.0, dice.gauss(0, apart)
    for number in range(length_s * per_s):
        at_s = number / per_s
        if number % per_s == 0:
            level = likeness * level + dice.gauss(0, wander)
        took_s = 0.05 * scale * math.exp(level + own + dice.gauss(0, 0.3))
        measurements.record_attempt(attempt(took_s=took_s, sent_bytes=1000), at_s)
        measurements.record_outcome(finished(1000, took_s), at_s)
    return named(measurements, float(length_s))


def named(measurements: Measurements, elapsed_s: float = 10.2) -> Run:
    """A run with a name of its own."""
    return replace(run_of(measurements), run_id=f"run-{next(_numbers)}", elapsed_s=elapsed_s)


def pair(one: Run | list[Run], two: Run | list[Run]) -> tuple[Side, Side]:
    """Two sides, A and B."""
    sides = [each if isinstance(each, list) else [each] for each in (one, two)]
    return Side("A", sides[0]), Side("B", sides[1])
