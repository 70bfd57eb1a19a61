"""A run cut into the finest pieces of time that are known of it: what succeeded, failed and was finished in each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from upswarm.results.intervals import Interval
from upswarm.results.measurements import Measurements
from upswarm.transfer.messages import Phase

_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Stretch:
    """How many attempts `succeeded` and `failed` in it, whether a chunk `arrived`, and how much was finished."""

    middle_s: float
    succeeded: int
    arrived: bool
    failed: int
    finished_bytes: int


@dataclass(frozen=True, slots=True)
class Stretches:
    """Those in which anything ended, in order; each is `width_s` long."""

    width_s: float
    all: tuple[Stretch, ...]

    @classmethod
    def of(cls, measured: Measurements) -> Stretches:
        """The intervals of a short run, the seconds of a long one.

        Of single seconds it is only known whether any request succeeded, which then stands for `arrived`.
        """
        intervals, seconds = measured.intervals, measured.seconds
        if intervals.width_s <= 1:
            within = sorted(intervals.items(), key=lambda each: each[0])
            return cls(intervals.width_s, tuple(_of_interval(middle_s, each) for middle_s, each in within))
        found = []
        for at in sorted(seconds):
            each = seconds[at]
            succeeded = each.attempts - each.failed
            found.append(Stretch(at + 0.5, succeeded, succeeded > 0, each.failed, each.finished_bytes))
        return cls(1.0, tuple(found))

    def failed(self, start_s: float, end_s: float) -> int:
        """How many attempts failed between two moments, by the stretches that reach into that time."""
        return sum(each.failed for each, _ in self.within(start_s, end_s))

    def within(self, start_s: float, end_s: float) -> Iterator[tuple[Stretch, float]]:
        """Those that reach into the time between two moments, each with the part of it, up to 1, that lies there."""
        half_s = self.width_s / 2
        for each in self.all:
            inside_s = min(each.middle_s + half_s, end_s) - max(each.middle_s - half_s, start_s)
            if inside_s > _NOTHING:
                yield each, inside_s / self.width_s

    def gaps(self, those: Iterable[Stretch], elapsed_s: float, *, reach_s: float) -> Iterator[tuple[float, float]]:
        """From where to where there was none of those, before, between and after them, for longer than a stretch is.

        Each of them reaches so far from its middle: a success was in the middle, if one has to choose, and with half
        of a width anywhere.
        """
        middles = [each.middle_s for each in those]
        ends, beginnings = [0.0, *(at + reach_s for at in middles)], [*(at - reach_s for at in middles), elapsed_s]
        for end_s, after_s in zip(ends, beginnings, strict=True):
            if after_s - end_s > self.width_s * 1.01 - 2 * reach_s:
                yield end_s, after_s


def _of_interval(middle_s: float, interval: Interval) -> Stretch:
    tallies, chunks = interval.phases.values(), interval.phases.get(Phase.CHUNK)
    return Stretch(
        middle_s,
        succeeded=sum(each.response_time.count for each in tallies),
        arrived=chunks is not None and chunks.response_time.count > 0,
        failed=sum(each.failed for each in tallies),
        finished_bytes=interval.uploads.finished_bytes,
    )
