"""The last seconds of a run, for thresholds `over last 30s`: a ring of intervals that is as long as the longest window.

The intervals of a whole run widen as it goes on. These do not: a window has up to 256 of them, however late it is, so
that a window up to 64 s is exact to 0.25 s, and a longer one to its 256th part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from upswarm.results.batches import merged
from upswarm.results.intervals import FINEST_S, MOST, Interval, Intervals
from upswarm.results.metric import Summary

_SLACK_S = 30.0
"""How late a report may be: so much more than the window is kept."""


class Recent:
    """The intervals of the last `window_s` seconds that anything is known of."""

    def __init__(self, window_s: float) -> None:
        self.width_s = FINEST_S
        while window_s > MOST * self.width_s:
            self.width_s *= 2
        self._kept = math.ceil((window_s + _SLACK_S) / self.width_s)
        self._intervals: dict[int, Interval] = {}
        self._latest = 0

    def __len__(self) -> int:
        return len(self._intervals)

    def add(self, intervals: Intervals) -> None:
        """Add what one report has of a worker; what is too old to be asked for is forgotten."""
        for at_s, interval in intervals.items():
            number = int(at_s / self.width_s)
            self._latest = max(self._latest, number)
            self._intervals.setdefault(number, Interval()).add(interval)
        oldest = self._latest - self._kept
        for number in [each for each in self._intervals if each < oldest]:
            del self._intervals[number]

    def last(self, window_s: float, end_s: float, *, not_before_s: float = 0.0) -> Summary:
        """What ended in so many seconds before `end_s`, and not before this moment: the metrics kept by interval.

        It begins with the first interval that lies wholly within.
        """
        first = math.ceil(max(end_s - window_s, not_before_s, 0.0) / self.width_s - 1e-9)
        inside = [self._intervals[at] for at in range(first, math.ceil(end_s / self.width_s)) if at in self._intervals]
        return Summary(merged(inside), max(0.0, end_s - first * self.width_s))


class Recents:
    """The last seconds of the run, and of each class and each worker as far as thresholds ask for them."""

    def __init__(self, window_s: float, *, workers: bool) -> None:
        self._window_s = window_s
        self._workers = workers
        self._parts: dict[tuple[str, str], Recent] = {}

    def add(self, worker_id: str, intervals: Intervals, classes: Mapping[str, Intervals]) -> None:
        """Add a worker's report, and what it says of its classes."""
        self._part("", "").add(intervals)
        if self._workers:
            self._part("worker", worker_id).add(intervals)
        for name, each in classes.items():
            self._part("class", name).add(each)

    def of(self, *, class_name: str = "", worker_id: str = "") -> Recent:
        """The last seconds of a class, of a worker, or of all."""
        if class_name:
            return self._part("class", class_name)
        return self._part("worker", worker_id) if worker_id else self._part("", "")

    def _part(self, by: str, name: str) -> Recent:
        return self._parts.setdefault((by, name), Recent(self._window_s))
