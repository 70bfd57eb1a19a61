"""Where users get their next file from: at once, when one arrives, or as long as there are some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import gevent
from gevent.event import Event

from upswarm.swarm.dispatch import Dispatcher
from upswarm.transfer.clock import Clock
from upswarm.workload.iterations import Quota
from upswarm.workload.kinds import ClosedLoad, FixedLoad, OpenLoad, Workload
from upswarm.workload.mix import Share
from upswarm.workload.pacing import ArrivalObserver, Pacer
from upswarm.workload.shares import SlotShare


@dataclass(frozen=True, slots=True)
class Turn:
    """A user's turn to upload the file with this number. `due_s` is on the run's clock; None means now."""

    number: int
    due_s: float | None = None


class Feed(Protocol):
    """One worker's files. Users call `next` and, for each turn they get, `ended` when its upload has ended."""

    def next(self) -> Turn | None:
        """Wait for a turn; None when there will be no more."""

    def ended(self) -> None:
        """The upload of a turn has ended, well or not."""

    def begin(self) -> None:
        """The users are there: from now on files arrive."""

    def await_all(self, timeout_s: float) -> None:
        """Wait until every file that belongs to the run has been begun, or dropped, but no longer than this."""

    def close(self) -> None:
        """There are no more turns."""


class ShareFeed:
    """A closed load: there is always another file."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._closed = False

    def next(self) -> Turn | None:
        """The next file of the share."""
        return None if self._closed else Turn(self._share.next_number())

    def ended(self) -> None:
        """Nobody waits for it."""

    def begin(self) -> None:
        """Users begin by themselves."""

    def await_all(self, timeout_s: float) -> None:
        """There is no end of files."""

    def close(self) -> None:
        """Begin nothing more."""
        self._closed = True


class QuotaFeed:
    """So many files and no more; `used_up` is set when the last of their uploads has ended."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._following = quota.next_number()
        self._in_flight = 0
        self.used_up = Event()
        self._look()

    def next(self) -> Turn | None:
        """The next file of the quota."""
        number = self._following
        if number is None:
            return None
        self._following = self._quota.next_number()
        self._in_flight += 1
        return Turn(number)

    def ended(self) -> None:
        """One of them has ended."""
        self._in_flight -= 1
        self._look()

    def begin(self) -> None:
        """Users begin by themselves."""

    def await_all(self, timeout_s: float) -> None:
        """The run ends when they are used up, so nobody needs to wait."""

    def close(self) -> None:
        """Begin nothing more."""
        self._following = None

    def _look(self) -> None:
        if self._following is None and self._in_flight == 0:
            self.used_up.set()


class ScheduleFeed:
    """An open load: a file is there when it arrives."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._running: gevent.Greenlet | None = None

    def next(self) -> Turn | None:
        """The file that arrives next, for which no other user is free."""
        arrival = self._dispatcher.next_arrival()
        return None if arrival is None else Turn(arrival.number, self._dispatcher.due_at_s(arrival))

    def ended(self) -> None:
        """A slot is free again."""
        self._dispatcher.ended()

    def begin(self) -> None:
        """The schedule counts from now."""
        if self._running is None:
            self._running = gevent.spawn(self._dispatcher.run)

    def await_all(self, timeout_s: float) -> None:
        """A worker's schedule ends a moment after the master's, for it has begun a moment later."""
        self._dispatcher.join(timeout_s)

    def close(self) -> None:
        """What is due and has not begun is dropped."""
        self._dispatcher.close()


def feed_for(workload: Workload, share: Share, clock: Clock, observer: ArrivalObserver) -> Feed:
    """This share's feed; `observer` is told of arrivals, which only an open load has."""
    match workload:
        case ClosedLoad():
            return ShareFeed(share)
        case FixedLoad(iterations):
            return QuotaFeed(iterations.quota(share.index, share.count))
        case OpenLoad(schedule, max_in_flight, max_wait_s):
            slots = SlotShare(share.index, share.count, max_in_flight)
            return ScheduleFeed(Dispatcher(Pacer(schedule, slots, max_wait_s, observer), clock))
