"""Times in sparse histograms, of which a run can have many: a count for each bucket in which there is something.

Here 128 buckets share each doubling, as in an HDR histogram of two significant digits, so a time that is read from one
is within 0.4 % of the time that was recorded; from 1 µs to 1 h, and adding two of them loses nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from upswarm.results.histogram import Histogram, of_hdr, to_hdr

_OCTAVE_BITS = 7
_DIGITS = 2
_LONGEST_US = 3_600_000_000


class SparseTimes:
    """A distribution of times in seconds that costs as much as it has different times in it."""

    __slots__ = ("_counts", "_encoded")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._encoded: str | None = None

    @property
    def count(self) -> int:
        """How many times were recorded."""
        return sum(self._counts.values())

    @property
    def mean_s(self) -> float | None:
        """The mean, from the buckets' middles; None without data."""
        count = self.count
        return sum(_middle_s(at) * each for at, each in self._counts.items()) / count if count else None

    def record(self, value_s: float) -> None:
        """Add one time; what is below 1 µs or above 1 h counts as that."""
        at = _place(min(max(int(value_s * 1e6 + 0.5), 1), _LONGEST_US))
        self._counts[at] = self._counts.get(at, 0) + 1
        self._encoded = None

    def add(self, other: SparseTimes) -> None:
        """Add all of another's times."""
        counts, before = self._counts, self._counts.get
        for at, count in other._counts.items():
            counts[at] = before(at, 0) + count
        self._encoded = None

    def add_to(self, histogram: Histogram) -> None:
        """Record all times, as the middles of their buckets, into a histogram."""
        for at, count in self._counts.items():
            histogram.record(_middle_s(at), count)

    def percentiles_s(self, *percentiles: float) -> list[float]:
        """The times that these shares (above 0, up to 100) of all do not exceed; none without data."""
        places = sorted(self._counts)
        ranks = list(accumulate(map(self._counts.__getitem__, places)))
        if not ranks:
            return []
        wanted = (math.ceil(round(percentile * ranks[-1] / 100, 6)) for percentile in percentiles)
        return [_middle_s(places[bisect_left(ranks, rank)]) for rank in wanted]

    def pairs(self) -> list[int]:
        """Buckets and their counts in turn: what a worker sends, since it costs next to nothing."""
        return [number for pair in self._counts.items() for number in pair]

    @classmethod
    def of_pairs(cls, pairs: Sequence[int]) -> SparseTimes:
        """The times that gave these `pairs`."""
        times = cls()
        times._counts = dict(zip(pairs[::2], pairs[1::2], strict=True))
        return times

    def encode(self) -> str:
        """The standard compressed form (HdrHistogram V2, base64), with two digits; "" without data.

        The answer is kept until something changes, for most intervals of a run do not change any more.
        """
        if self._encoded is None:
            self._encoded = to_hdr({_least_us(at): count for at, count in self._counts.items()}, _DIGITS)
        return self._encoded

    @classmethod
    def decode(cls, text: str) -> SparseTimes:
        """What `encode` wrote; raises `ValueError` where the text is none of it."""
        times = cls()
        times._counts = {_place(value_us): count for value_us, count in of_hdr(text, _DIGITS).items()}
        return times


def _place(value_us: int) -> int:
    shift = max(0, value_us.bit_length() - _OCTAVE_BITS - 1)
    return (shift << _OCTAVE_BITS) + (value_us >> shift)


def _least_us(at: int) -> int:
    shift = _shift(at)
    return (at - (shift << _OCTAVE_BITS)) << shift


def _shift(at: int) -> int:
    return max(0, (at >> _OCTAVE_BITS) - 1)


def _middle_s(at: int) -> float:
    """The middle of a bucket; below 256 µs a bucket is one microsecond, and its middle that very one."""
    return (_least_us(at) + ((1 << _shift(at)) - 1) / 2) / 1e6
