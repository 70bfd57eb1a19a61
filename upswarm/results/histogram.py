"""Times in HDR histograms: 1 µs to 1 h with three significant digits, and adding two of them loses nothing.

Recording and adding happen thousands of times a second, asking once in a while. So times are counted under the place
where HDR would put them, in a dictionary; the HDR histogram itself is made of that when somebody asks.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence

from hdrh.codec import HdrCookieException, HdrLengthException
from hdrh.histogram import HdrHistogram

_LOWEST_US, _HIGHEST_US, _DIGITS = 1, 3_600_000_000, 3
_EXACT_BITS = 11
"""With three digits HDR tells 2,048 values in each doubling apart, and all below that."""


class Histogram:
    """A distribution of times in seconds. It costs as much as it has different times in it."""

    __slots__ = ("_asked", "_counts")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._asked: HdrHistogram | None = None

    @property
    def _hdr(self) -> HdrHistogram:
        if self._asked is None:
            self._asked = HdrHistogram(_LOWEST_US, _HIGHEST_US, _DIGITS)
            for value_us, count in self._counts.items():
                self._asked.record_value(value_us, count)
        return self._asked

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
        self._asked = None

    def add(self, other: Histogram) -> None:
        """Add all of another histogram's times."""
        for place, count in other._counts.items():
            self._counts[place] = self._counts.get(place, 0) + count
        self._asked = None

    def percentile_s(self, percentile: float) -> float | None:
        """The time that this share (0 to 100) of all times does not exceed; None without data."""
        if not self.count:
            return None
        # hdrh rounds to the nearest rank, so it is given the share of a whole one; 99.9 % of 1000 is 999, not 999.0…01
        rank = math.ceil(round(percentile * self.count / 100, 6))
        return float(self._hdr.get_value_at_percentile(100 * rank / self.count)) / 1e6

    @property
    def mean_s(self) -> float | None:
        """The mean, from the buckets' middles; None without data."""
        return self._hdr.get_mean_value() / 1e6 if self.count else None

    @property
    def min_s(self) -> float | None:
        """The shortest time; None without data."""
        return self._hdr.get_min_value() / 1e6 if self.count else None

    @property
    def max_s(self) -> float | None:
        """The longest time; None without data."""
        return self._hdr.get_max_value() / 1e6 if self.count else None

    def counts(self) -> Iterator[tuple[float, int]]:
        """Pairs of a time in seconds (the upper end of a bucket) and how many fell into its bucket, ascending."""
        for place in sorted(self._counts):
            yield (place + (1 << _shift(place)) - 1) / 1e6, self._counts[place]

    def pairs(self) -> list[int]:
        """Places in µs and their counts in turn: what a worker sends, since it costs next to nothing."""
        return [number for pair in self._counts.items() for number in pair]

    @classmethod
    def of_pairs(cls, pairs: Sequence[int]) -> Histogram:
        """The histogram that gave these `pairs`."""
        histogram = cls()
        histogram._counts.update(zip(pairs[::2], pairs[1::2], strict=True))
        return histogram

    def encode(self) -> str:
        """The standard compressed form (HdrHistogram V2, base64), which other HDR tools read."""
        return str(self._hdr.encode().decode())

    @classmethod
    def decode(cls, text: str) -> Histogram:
        """The histogram that `encode` wrote; raises `ValueError` where the text is none."""
        histogram = cls()
        if text:
            try:
                hdr = HdrHistogram(_LOWEST_US, _HIGHEST_US, _DIGITS)
                hdr.decode_and_add(text)
            except (TypeError, ValueError, zlib.error, HdrCookieException, HdrLengthException) as error:
                raise ValueError(f"expected an encoded histogram, found {text[:20]!r}") from error
            taken = ((index, count) for index, count in enumerate(hdr.counts) if count)
            histogram._counts = {hdr.get_value_from_index(index): count for index, count in taken}
        return histogram


def _shift(value_us: int) -> int:
    """How many bits of a value HDR does not tell apart from its neighbours'."""
    return max(0, value_us.bit_length() - _EXACT_BITS)
