"""Locust's own tables with precise percentiles: within 0.3 % of what was measured, instead of up to 5 %.

Locust counts response times by a rounded value, and lets the rounding be replaced. It has to be the same on all nodes,
for their counts are added by value. docs/scaling.md says what it costs.
"""

from __future__ import annotations

import math
from functools import cache

_PER_OCTAVE = 256
"""Buckets share each doubling, as in our own sparse histograms, but twice as many."""


def bucket_ms(response_time_ms: float) -> float:
    """The middle of the bucket that this time falls into, in four digits, for it is shown as it is."""
    if response_time_ms <= 0:
        return 0
    mantissa, exponent = math.frexp(response_time_ms)
    return _middle_ms(int(mantissa * 2 * _PER_OCTAVE), exponent)


@cache
def _middle_ms(step: int, exponent: int) -> float:
    return float(f"{math.ldexp((step + 0.5) / (2 * _PER_OCTAVE), exponent):.4g}")
