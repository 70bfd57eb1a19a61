"""Times in HDR histograms: 1 µs to 1 h with three significant digits, and adding two of them loses nothing.

Recording and adding happen thousands of times a second, asking once in a while. So times are counted under the place
where HDR would put them, in a dictionary, and are put in order when somebody asks. The answers are HDR's; a histogram
of its own is made only to be written.
"""

from __future__ import annotations

import math
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, islice

from hdrh.codec import HdrCookieException, HdrLengthException
from hdrh.histogram import HdrHistogram

_LOWEST_US, _HIGHEST_US, _DIGITS = 1, 3_600_000_000, 3
_EXACT_BITS = 11
"""With three digits HDR tells 2,048 values in each doubling apart, and all below that."""


def to_hdr(counts: Mapping[int, int], digits: int) -> str:
    """The standard compressed form (HdrHistogram V2, base64) of values in µs and their counts; "" without any."""
    if not counts:
        return ""
    hdr = HdrHistogram(_LOWEST_US, _HIGHEST_US, digits)
    for value_us, count in counts.items():
        hdr.record_value(value_us, count)
    return str(hdr.encode().decode())


def of_hdr(text: str, digits: int) -> dict[int, int]:
    """The lowest value of each bucket, and its count; raises `ValueError` where the text is no such form."""
    if not text:
        return {}
    try:
        hdr = HdrHistogram(_LOWEST_US, _HIGHEST_US, digits)
        hdr.decode_and_add(text)
    except (TypeError, ValueError, zlib.error, HdrCookieException, HdrLengthException) as error:
        raise ValueError(f"expected an encoded histogram, found {str(text)[:20]!r}") from error
    return {hdr.get_value_from_index(index): count for index, count in enumerate(hdr.counts[:]) if count}


class Histogram:
    """A distribution of times in seconds. It costs as much as it has different times in it."""

    __slots__ = ("_counts", "_encoded", "_order", "_places")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._places: list[int] = []  # those known when somebody asked last: sorting a few more is cheap
        self._order: tuple[list[int], list[int]] | None = None
        self._encoded: str | None = None

    @property
    def count(self) -> int:
        """How many times were recorded."""
        return sum(self._counts.values())

    def record(self, value_s: float, count: int = 1) -> None:
        """Add one time, or the same one more often; what lies outside the range counts as its nearest end."""
        exact_us = value_s * 1e6 + 0.5
        place = int(exact_us) if _LOWEST_US <= exact_us <= _HIGHEST_US else int(min(max(exact_us, 1), _HIGHEST_US))
        if (shift := place.bit_length() - _EXACT_BITS) > 0:
            place = place >> shift << shift
        self._counts[place] = self._counts.get(place, 0) + count
        self._order = self._encoded = None

    def add(self, other: Histogram) -> None:
        """Add all of another histogram's times."""
        counts, before = self._counts, self._counts.get  # a master spends most of its time here
        for place, count in other._counts.items():
            counts[place] = before(place, 0) + count
        self._order = self._encoded = None

    def percentile_s(self, percentile: float) -> float | None:
        """The time that this share (0 to 100) of all times does not exceed; None without data."""
        if not self._counts:
            return None
        places, ranks = self._ordered()
        rank = math.ceil(round(percentile * ranks[-1] / 100, 6))  # 99.9 % of 1000 is 999, not 999.0…01
        place = places[bisect_left(ranks, max(rank, 1))]
        return (_end_us(place) if percentile else place) / 1e6

    @property
    def mean_s(self) -> float | None:
        """The mean, from the buckets' middles; None without data."""
        if not self._counts:
            return None
        return sum(_middle_us(place) * count for place, count in self._counts.items()) / self.count / 1e6

    @property
    def min_s(self) -> float | None:
        """The shortest time; None without data."""
        return min(self._counts) / 1e6 if self._counts else None

    @property
    def max_s(self) -> float | None:
        """The longest time; None without data."""
        return _end_us(self._ordered()[0][-1]) / 1e6 if self._counts else None

    def counts(self) -> Iterator[tuple[float, int]]:
        """Pairs of a time in seconds (the upper end of a bucket) and how many fell into its bucket, ascending."""
        for place in sorted(self._counts):
            yield _end_us(place) / 1e6, self._counts[place]

    def pairs(self) -> list[int]:
        """Places in µs and their counts in turn: what a worker sends, since it costs next to nothing."""
        return [number for pair in self._counts.items() for number in pair]

    @classmethod
    def of_pairs(cls, pairs: Sequence[int]) -> Histogram:
        """The histogram that gave these `pairs`."""
        histogram = cls()
        histogram._counts = dict(zip(pairs[::2], pairs[1::2], strict=True))
        return histogram

    def encode(self) -> str:
        """The standard compressed form (HdrHistogram V2, base64), which other HDR tools read; "" without data.

        Milliseconds of work, so the answer is kept until something changes.
        """
        if self._encoded is None:
            self._encoded = to_hdr(self._counts, _DIGITS)
        return self._encoded

    @classmethod
    def decode(cls, text: str) -> Histogram:
        """The histogram that `encode` wrote; raises `ValueError` where the text is none."""
        histogram = cls()
        histogram._counts = of_hdr(text, _DIGITS)
        return histogram

    def _ordered(self) -> tuple[list[int], list[int]]:
        """All places, ascending, and how many times lie in each and below."""
        if self._order is None:
            places = self._places
            places += islice(self._counts, len(places), None)  # a dictionary has what came later at its end
            places.sort()
            self._order = places, list(accumulate(map(self._counts.__getitem__, places)))
        return self._order


def _end_us(place: int) -> int:
    """The largest value that HDR does not tell apart from this one."""
    return place + (1 << _shift(place)) - 1


def _middle_us(place: int) -> int:
    return place + (1 << _shift(place) >> 1)


def _shift(value_us: int) -> int:
    """How many bits of a value HDR does not tell apart from its neighbours'."""
    return max(0, value_us.bit_length() - _EXACT_BITS)
