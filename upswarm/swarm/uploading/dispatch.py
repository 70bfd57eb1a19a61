"""Due arrivals meet idle users: one greenlet of a worker keeps the schedule, and users wait to be called.

A user is a slot: `while (arrival := dispatcher.next_arrival()) is not None: upload it; dispatcher.ended()`. There
should be as many users as the worker has slots; where one is missing, arrivals are late and are counted as such.
"""

from __future__ import annotations

from collections.abc import Callable

from gevent.event import AsyncResult, Event

from upswarm.transfer.clock import Clock
from upswarm.workload.pacing import Arrival, ArrivalTally, Pacer

_LOOK_S = 0.1


class Dispatcher:
    """Drives a pacer. Schedules count from the call of `run`, so call it when the users are there.

    Nothing begins unless `allowed`.
    """

    def __init__(self, pacer: Pacer, clock: Clock, allowed: Callable[[], bool] = lambda: True) -> None:
        self._pacer = pacer
        self._clock = clock
        self._allowed = allowed
        self._started_s = clock.now()
        self._idle: list[AsyncResult] = []
        self._news = Event()
        self._over = Event()
        self._closed = False

    @property
    def in_flight(self) -> int:
        """Uploads that have begun, or that a user has been called for, and not ended."""
        return self._pacer.in_flight

    @property
    def tally(self) -> ArrivalTally:
        """What became of the arrivals so far."""
        return self._pacer.tally

    def due_at_s(self, arrival: Arrival) -> float:
        """When it was due on the clock that stamps attempts and outcomes."""
        return self._started_s + arrival.due_s

    def run(self, started_s: float | None = None) -> None:
        """Hand out arrivals until `close`, those of a schedule that counts from `started_s`, or from now.

        For a greenlet of its own.
        """
        self._started_s = self._clock.now() if started_s is None else started_s
        while not self._closed:
            self._hand_out()
            if self._pacer.next_due_s is None:
                self._over.set()
            self._news.clear()
            self._news.wait(self._pause_s())

    def join(self, timeout_s: float) -> bool:
        """Wait until no arrival is left that could begin, but no longer than this; whether that came to pass.

        A schedule begins when the users are there, a moment after the run. Its last arrivals belong to it all the same.
        """
        return bool(self._over.wait(timeout_s))

    def recut(self) -> None:
        """The share has become another."""
        self._pacer.look()
        self._over.clear()
        self._news.set()

    def next_arrival(self) -> Arrival | None:
        """Wait for an arrival and take it; None when the run is over."""
        if self._closed:
            return None
        called = AsyncResult()
        self._idle.append(called)
        self._news.set()
        try:
            arrival: Arrival | None = called.get()
        except BaseException:  # stopped while it waited: nobody may be called who is not there
            if called in self._idle:
                self._idle.remove(called)
            elif called.ready() and called.value is not None:
                self.ended()
            raise
        return arrival

    def ended(self) -> None:
        """The upload that an arrival became has ended, well or not."""
        self._pacer.end(self._now_s())
        self._news.set()

    def close(self) -> None:
        """The run is over: nothing new begins, and users who wait are sent home."""
        self._closed = True
        self._pacer.close(self._now_s())
        while self._idle:
            self._idle.pop().set(None)
        self._over.set()
        self._news.set()

    def _hand_out(self) -> None:
        """Where all slots are taken nothing begins, but the pacer has to hear what time it is: waits may be over."""
        while self._may_hand_out() and (arrival := self._pacer.begin(self._now_s())) is not None:
            self._idle.pop().set(arrival)  # whoever came last: a connection that rests long is one that servers cut

    def _may_hand_out(self) -> bool:
        return self._allowed() and (bool(self._idle) or self._pacer.full)

    def _pause_s(self) -> float | None:
        """Until the next arrival is due; where nobody could take it, or none is left, until there are news."""
        if not self._allowed():
            return _LOOK_S
        wake_s = self._pacer.wake_s
        if wake_s is None:
            return None
        return max(0.0, wake_s - self._now_s()) if self._idle or self._pacer.full else None

    def _now_s(self) -> float:
        return self._clock.now() - self._started_s
