"""Which arrival may begin now: nothing begins before it is due, and what can't begin is counted.

A pacer keeps no clock and never waits; whoever drives it says what time it is, in seconds since the start of the run.

- An arrival that is due while a slot is free begins. If that is noticed only afterwards it is **late**, and by how
  much is known: the generator, not the target, was too slow.
- An arrival that finds all slots taken waits for at most `max_wait_s`. Then it is **dropped**: counted, never sent.

Times of uploads count from when they were due, whenever they began.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from upswarm.workload.shares import Share

PUNCTUAL_S = 0.010
"""An arrival that begins so soon after it was due is not called late: timers are no more exact than that."""


class Schedule(Protocol):
    """When uploads arrive."""

    @property
    def duration_s(self) -> float:
        """How long arrivals may come."""

    def due_s(self, number: int) -> float | None:
        """When arrival `number`, from 0 on, is due, in seconds since the start; None after the last one.

        Later numbers are not due earlier. The answer is the same whoever asks, and in which order.
        """


@dataclass(frozen=True, slots=True)
class Arrival:
    """An upload that begins: the file with this number."""

    number: int
    due_s: float
    began_s: float

    @property
    def late_s(self) -> float:
        """How long after it was due."""
        return self.began_s - self.due_s

    @property
    def late(self) -> bool:
        """Whether that is long enough to be called late."""
        return self.late_s > PUNCTUAL_S


class ArrivalObserver(Protocol):
    """Is told what becomes of arrivals, at once and in order."""

    def began(self, arrival: Arrival) -> None:
        """One begins."""

    def dropped(self, number: int, due_s: float) -> None:
        """One is dropped: the file with this number is never sent."""


@dataclass(slots=True)
class ArrivalTally:
    """What became of the arrivals that were due. `late` ones have begun too; waits are over all that have begun."""

    begun: int = 0
    late: int = 0
    dropped: int = 0
    waited_s: float = 0.0
    longest_wait_s: float = 0.0

    def count(self, arrival: Arrival) -> None:
        """One that begins."""
        self.begun += 1
        self.late += arrival.late
        self.waited_s += arrival.late_s
        self.longest_wait_s = max(self.longest_wait_s, arrival.late_s)


class Pacer:
    """One worker's part of a schedule. Call `begin` when `wake_s` has come and after each `end`, until it is None."""

    def __init__(
        self, schedule: Schedule, share: Share, max_wait_s: float = 0.0, observer: ArrivalObserver | None = None
    ) -> None:
        self._schedule = schedule
        self._share = share
        self._closed = False
        self._max_wait_s = max_wait_s
        self._observer = observer
        self._in_flight = 0
        self._due_s: float | None = None
        self.tally = ArrivalTally()
        self.look()

    @property
    def in_flight(self) -> int:
        """Uploads that have begun and not ended."""
        return self._in_flight

    @property
    def full(self) -> bool:
        """Whether all slots are taken; more may be in flight for a while, where slots were given away."""
        return self._in_flight >= len(self._share)

    @property
    def next_due_s(self) -> float | None:
        """When the next arrival is due, or was, if it waits; None when none is left."""
        return self._due_s

    @property
    def wake_s(self) -> float | None:
        """When `begin` has something to do, if no upload ends before; None when no arrival is left."""
        if self._due_s is None or not self.full:
            return self._due_s
        return self._due_s + self._max_wait_s

    def begin(self, now_s: float) -> Arrival | None:
        """The arrival that begins now and takes a slot, or None; several may, so ask until the answer is None."""
        if self.full:
            self._drop(lambda due_s: due_s + self._max_wait_s <= now_s)
        if self._due_s is None or self._due_s > now_s or self.full:
            return None
        arrival = Arrival(self._share.draw(), self._due_s, now_s)
        self._in_flight += 1
        self.tally.count(arrival)
        if self._observer is not None:
            self._observer.began(arrival)
        self.look()
        return arrival

    def end(self, now_s: float) -> None:
        """An upload has ended, and its slot is free. An arrival whose wait ends at this very moment may have it."""
        if self._in_flight == 0:
            raise ValueError("expected an upload in flight that could end, found none")
        if self.full:
            self._drop(lambda due_s: due_s + self._max_wait_s < now_s)
        self._in_flight -= 1

    def close(self, now_s: float) -> None:
        """The run is over: what was due before this moment and has not begun is dropped, the rest never arrives."""
        self._drop(lambda due_s: due_s < now_s)
        self._closed = True
        self.look()

    def look(self) -> None:
        """Look anew what comes next; for whoever has changed the share."""
        number = None if self._closed else self._share.first
        self._due_s = None if number is None else self._schedule.due_s(number)

    def _drop(self, hopeless: Callable[[float], bool]) -> None:
        while self._due_s is not None and hopeless(self._due_s):
            number = self._share.draw()
            self.tally.dropped += 1
            if self._observer is not None:
                self._observer.dropped(number, self._due_s)
            self.look()
