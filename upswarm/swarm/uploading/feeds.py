"""Where users get their next file from: at once, when one arrives, or as long as there are some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import gevent
from gevent.event import Event

from upswarm.swarm.uploading.dispatch import Dispatcher
from upswarm.transfer.clock import Clock
from upswarm.workload.iterations import Iterations
from upswarm.workload.kinds import ClosedLoad, FixedLoad, OpenLoad, Workload
from upswarm.workload.pacing import ArrivalObserver, Pacer
from upswarm.workload.shares import Share


@dataclass(frozen=True, slots=True)
class Turn:
    """A user's turn to upload the file with this number. `due_s` is on the run's clock; None means now."""

    number: int
    due_s: float | None = None


class Feed(Protocol):
    """One worker's files. Users call `next` and, for each turn they get, `ended` when its upload has ended."""

    share: Share

    @property
    def in_flight(self) -> int:
        """How many turns have been given out and not ended."""

    def next(self) -> Turn | None:
        """Wait for a turn; None when there is none, and perhaps never will be."""

    def ended(self) -> None:
        """The upload of a turn has ended, well or not."""

    def begin(self, zero_s: float) -> None:
        """The users are there: files arrive by a schedule that counts from this moment on the clock."""

    def recut(self) -> None:
        """The share has become another."""

    def await_all(self, timeout_s: float) -> None:
        """Wait until every file that belongs to the run has been begun, or dropped, but no longer than this."""

    def close(self) -> None:
        """There are no more turns."""


class ShareFeed:
    """A closed load: there is always another file."""

    def __init__(self, share: Share) -> None:
        self.share = share
        self.in_flight = 0
        self._closed = False

    def next(self) -> Turn | None:
        """The next file of the share."""
        if self._closed or not self.share:
            return None
        self.in_flight += 1
        return Turn(self.share.draw())

    def ended(self) -> None:
        """One of them has ended."""
        self.in_flight -= 1

    def begin(self, zero_s: float) -> None:
        """Users begin by themselves."""

    def recut(self) -> None:
        """Whoever asks next will see."""

    def await_all(self, timeout_s: float) -> None:
        """There is no end of files."""

    def close(self) -> None:
        """Begin nothing more."""
        self._closed = True


class QuotaFeed:
    """So many files and no more; `used_up` is set when the last of their uploads has ended."""

    def __init__(self, share: Share, iterations: Iterations, allowed: Callable[[], bool] = lambda: True) -> None:
        self.share = share
        self._allowed = allowed
        self._quota = iterations.quota(share)
        self.in_flight = 0
        self._closed = False
        self.used_up = Event()
        self.recut()

    def next(self) -> Turn | None:
        """The next file of the quota."""
        number = self._quota.next_number() if self._allowed() and not self._closed else None
        if number is None:
            return None
        self.in_flight += 1
        return Turn(number)

    def ended(self) -> None:
        """One of them has ended."""
        self.in_flight -= 1
        self.recut()

    def begin(self, zero_s: float) -> None:
        """Users begin by themselves."""

    def recut(self) -> None:
        """There may be more to do, or nothing left."""
        if self.in_flight or self._quota.left:
            self.used_up.clear()
        else:
            self.used_up.set()

    def await_all(self, timeout_s: float) -> None:
        """The run ends when they are used up, so nobody needs to wait."""

    def close(self) -> None:
        """Begin nothing more."""
        self._closed = True


class ScheduleFeed:
    """An open load: a file is there when it arrives."""

    def __init__(self, share: Share, dispatcher: Dispatcher) -> None:
        self.share = share
        self._dispatcher = dispatcher
        self._running: gevent.Greenlet | None = None

    @property
    def in_flight(self) -> int:
        """One for each slot that is taken."""
        return self._dispatcher.in_flight

    def next(self) -> Turn | None:
        """The file that arrives next, for which no other user is free."""
        arrival = self._dispatcher.next_arrival()
        return None if arrival is None else Turn(arrival.number, self._dispatcher.due_at_s(arrival))

    def ended(self) -> None:
        """A slot is free again."""
        self._dispatcher.ended()

    def begin(self, zero_s: float) -> None:
        """The schedule counts from then."""
        if self._running is None:
            self._running = gevent.spawn(self._dispatcher.run, zero_s)

    def recut(self) -> None:
        """Other arrivals are this worker's."""
        self._dispatcher.recut()

    def await_all(self, timeout_s: float) -> None:
        """A schedule ends a moment after the run, for it has begun a moment later."""
        self._dispatcher.join(timeout_s)

    def close(self) -> None:
        """What is due and has not begun is dropped."""
        self._dispatcher.close()


def feed_for(
    workload: Workload,
    share: Share,
    clock: Clock,
    observer: ArrivalObserver,
    allowed: Callable[[], bool] = lambda: True,
) -> Feed:
    """This share's feed; `observer` is told of arrivals, which only an open load has.

    While it is not `allowed` nothing begins that others would begin too, should they have taken this share over.
    """
    match workload:
        case ClosedLoad():
            return ShareFeed(share)
        case FixedLoad(iterations):
            return QuotaFeed(share, iterations, allowed)
        case OpenLoad(schedule, _, max_wait_s):
            return ScheduleFeed(share, Dispatcher(Pacer(schedule, share, max_wait_s, observer), clock, allowed))
