"""Times in HDR histograms: 1 µs to 1 h with three significant digits, and adding two of them loses nothing."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from functools import cached_property

from hdrh.codec import HdrCookieException, HdrLengthException
from hdrh.histogram import HdrHistogram

_LOWEST_US, _HIGHEST_US, _DIGITS = 1, 3_600_000_000, 3


class Histogram:
    """A distribution of times in seconds. It costs nothing until something is recorded, and 190 KB from then on."""

    @cached_property
    def _hdr(self) -> HdrHistogram:
        return HdrHistogram(_LOWEST_US, _HIGHEST_US, _DIGITS)

    @property
    def count(self) -> int:
        """How many times were recorded."""
        return int(self._hdr.get_total_count()) if "_hdr" in self.__dict__ else 0

    def record(self, value_s: float) -> None:
        """Add one time; what lies outside the range counts as its nearest end."""
        self._hdr.record_value(round(min(max(value_s * 1e6, _LOWEST_US), _HIGHEST_US)))

    def add(self, other: Histogram) -> None:
        """Add all of another histogram's times."""
        if other.count:
            self._hdr.add(other._hdr)

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
        for item in self._hdr.get_recorded_iterator() if self.count else ():
            yield item.value_iterated_to / 1e6, item.count_added_in_this_iter_step

    def encode(self) -> str:
        """The standard compressed form (HdrHistogram V2, base64), which other HDR tools read."""
        return str(self._hdr.encode().decode())

    @classmethod
    def decode(cls, text: str) -> Histogram:
        """The histogram that `encode` wrote; raises `ValueError` where the text is none."""
        histogram = cls()
        if text:
            try:
                histogram._hdr.decode_and_add(text)
            except (TypeError, ValueError, zlib.error, HdrCookieException, HdrLengthException) as error:
                raise ValueError(f"expected an encoded histogram, found {text[:20]!r}") from error
        return histogram
