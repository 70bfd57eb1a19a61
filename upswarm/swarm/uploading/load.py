"""One process's part of a run: it gives users their files, sees them carried, and reports what was measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from platform import node
from typing import Any

import gevent
from gevent.event import Event
from locust.env import Environment

from upswarm import digests
from upswarm.content.base import File
from upswarm.results.recorder import Recorder
from upswarm.swarm.limits import Limits
from upswarm.swarm.plan import Plan
from upswarm.swarm.uploading.bridge import REQUESTED
from upswarm.swarm.uploading.equipment import Equipment
from upswarm.swarm.uploading.events import Events
from upswarm.swarm.uploading.feeds import QuotaFeed, Turn, feed_for
from upswarm.swarm.uploading.health import Confines, Pulse, peak_rss_bytes
from upswarm.swarm.uploading.lanes import let_others_run
from upswarm.swarm.uploading.receipts import LEDGER, Receipts
from upswarm.swarm.workers.gathering import Reporting
from upswarm.transfer.clock import SystemClock
from upswarm.transfer.records import Observer, Outcome
from upswarm.transfer.suspended import Suspended
from upswarm.transfer.uploader import Awaited, Uploader, nowhere
from upswarm.workload.kinds import ClosedLoad, FixedLoad
from upswarm.workload.shares import Share

GRACE_S = 10.0
"""How long uploads under way may go on when a run has lasted as long as planned (`--stop-timeout` changes it)."""
HURRY_S = 1.0
"""The same when a run is cut off."""
_KILL_S = 5.0
_LOOK_S = 0.02
Offer = Callable[[str, Suspended], Awaited | None]
"""Offers an upload of the run with this id to other workers; None where nobody takes it."""


class Load:
    """The load of one process: local run, or worker; to other workers it may `offer` uploads that are interrupted.

    Its seconds count from `started_s`, a moment on this process's clock. Unless `in_touch` others may have its share.
    """

    def __init__(
        self,
        environment: Environment,
        plan: Plan,
        share: Share,
        started_s: float,
        *,
        offer: Offer | None = None,
        in_touch: Callable[[], bool] = lambda: True,
    ) -> None:
        digests.give_way_by(let_others_run)
        self._plan = plan
        self._clock = clock = SystemClock()
        self._user_error = environment.events.user_error
        self._recorder = Recorder(
            started_s,
            warm_up_s=plan.scenario.warm_up,
            by_class=plan.scenario.needs().recent_classes,
        )
        self._reporting = Reporting(plan.run_id, node())
        elsewhere = nowhere if offer is None else partial(offer, plan.run_id)
        self._receipts = Receipts.of(environment, plan.run_id, started_s)
        self._events = Events.of(environment, plan.run_id, started_s, self._tell)
        observers: list[Observer] = [self._receipts, self._events]
        self.equipment = Equipment(environment, plan, self._recorder, clock, elsewhere, observers=observers)
        self._feed = feed_for(plan.workload, share, clock, self._recorder, in_touch)
        self._under_way: set[gevent.Greenlet] = set()
        self._guests: set[gevent.Greenlet] = set()
        self._unended: set[int] = set()
        self.draining = False
        self._deadline_s = math.inf
        self._confines = Confines(Limits.here())
        self._pulse = Pulse(self._recorder, clock, lambda: self.in_flight)

    @property
    def run_id(self) -> str:
        """The run that this is a part of."""
        return self._plan.run_id

    @property
    def think_time_s(self) -> float:
        """How long a user rests between two uploads."""
        workload = self._plan.workload
        return workload.think_time_s if isinstance(workload, ClosedLoad) else 0.0

    @property
    def used_up(self) -> Event | None:
        """Set when this share of the files has been uploaded; None where files come without end."""
        return self._feed.used_up if isinstance(self._feed, QuotaFeed) else None

    @property
    def in_flight(self) -> int:
        """How many uploads are under way, those of other workers' included."""
        return self._feed.in_flight + len(self._guests)

    def give(self, count: int) -> list[int]:
        """Give so many slots of the share away, each as its next number."""
        given = self._feed.share.give(count)
        self._feed.recut()
        return given

    def take(self, following: list[int]) -> None:
        """Take slots over from another worker."""
        self._feed.share.take(following)
        self._feed.recut()

    def begin(self, zero_s: float) -> None:
        """The users are there: what arrives by a schedule does so counting from this moment."""
        self._feed.begin(zero_s)

    def next_turn(self) -> Turn | None:
        """Wait until there is a file to upload; None when there is none, and perhaps never will be."""
        turn = self._feed.next()
        if turn is not None:
            self._unended.add(turn.number)
        return turn

    def carry(self, turn: Turn, uploader: Uploader) -> gevent.Greenlet:
        """Upload the file of a turn in a greenlet of its own, whose value is the outcome, or None if it has none.

        Where a listener of Locust's requests something of the user, such as `StopUser`, that is the value.

        What becomes of it is recorded; an upload that fails is no exception.
        """
        return gevent.spawn(self._carry, turn, uploader)

    def take_up(self, suspended: Suspended, granted: Callable[[], bool], ended: Callable[[], None]) -> bool:
        """Go on with an upload of another worker, beside the users, and say when it has `ended`.

        `granted` waits until it is known whether that shall be.
        False where this load is about to end: then it is none of its affairs.
        """
        if self.draining or (self.used_up is not None and self.used_up.is_set()):
            return False
        guest = gevent.spawn(self._be_host_to, suspended, granted, ended)
        self._under_way.add(guest)
        self._guests.add(guest)
        return True

    def report(self, *, last: bool = False) -> dict[str, Any]:
        """What was measured since the last report, numbered, as it can be sent.

        The share goes with it where others would have to know it, should this worker be lost; and with the last one.
        """
        if last:
            self._pulse.stop()
            self._events.close()
        taken = self._recorder.take()
        report = self._reporting.report(
            taken.measurements,
            settled=taken.settled,
            classes=taken.classes,
            last=last,
            peak_rss_bytes=peak_rss_bytes(),
            confines=self._confines.document(),
            in_flight=self.in_flight,
            following=self._following(last=last),
        )
        return {**report, LEDGER: self._receipts.take(last=last)}

    def drain(self, grace_s: float, *, complete: bool = False) -> None:
        """Begin no new upload, let those under way finish for `grace_s` seconds, and stop the others for good.

        After a complete run arrivals that belong to it still begin, for here it may have begun a moment later; that has
        its own time, however little uploads have.
        Afterwards nothing is measured any more: the next report is the last.
        """
        self.draining = True
        self._deadline_s = self._clock.now() + grace_s
        if complete:
            self._feed.await_all(max(grace_s, GRACE_S))
        self._feed.close()
        while self.in_flight and self._clock.now() < self._deadline_s:
            gevent.sleep(_LOOK_S)
        for _ in range(2):  # the first kill lets a user tell the server to forget the upload; the second does not wait
            with suppress(gevent.Timeout):  # one that waits for a master that is gone
                gevent.killall(list(self._under_way), block=True, timeout=_KILL_S)

    def hurry(self, grace_s: float) -> None:
        """Uploads under way in a load that is being drained already may go on for no longer than this."""
        self._deadline_s = min(self._deadline_s, self._clock.now() + grace_s)

    def _following(self, *, last: bool) -> tuple[int, ...]:
        """Uploads that are counted are begun again where they may not have ended; arrivals come once."""
        match self._plan.workload:
            case FixedLoad():
                return self._feed.share.back_to(self._unended)
            case ClosedLoad() if not last:
                return ()
        return self._feed.share.following

    def _carry(self, turn: Turn, uploader: Uploader) -> Outcome | Exception | None:
        try:
            with self._opened(turn.number) as (file, file_class):
                self._recorder.opened(file)
                return uploader.upload(file, turn.due_s, turn.number, file_class)
        except REQUESTED as request:
            return request
        except Exception as error:
            self._tell(error)
            return None
        finally:
            self._unended.discard(turn.number)
            self._feed.ended()

    def _be_host_to(self, suspended: Suspended, granted: Callable[[], bool], ended: Callable[[], None]) -> None:
        guest = gevent.getcurrent()
        try:
            if granted():
                self._go_on_with(suspended, ended)
        finally:
            self._under_way.discard(guest)
            self._guests.discard(guest)

    def _go_on_with(self, suspended: Suspended, ended: Callable[[], None]) -> None:
        """The file was counted where it was made: once, however many workers upload it."""
        transports = self.equipment.open_transports()
        try:
            with suppress(*REQUESTED), self._opened(suspended.number) as (file, file_class):
                self.equipment.uploader(*transports).resume(file, suspended, file_class)
        except Exception as error:
            self._tell(error)
        finally:
            for transport in transports:
                transport.close()
            ended()

    @contextmanager
    def _opened(self, number: int) -> Iterator[tuple[File, str]]:
        """The file with this number, and its class; as long as it is open, `drain` knows that this greenlet uploads."""
        draw, uploading = self.equipment.draw(number), gevent.getcurrent()
        file = self.equipment.open_file(draw)
        self._under_way.add(uploading)
        try:
            yield file, draw.file_class
        finally:
            self._under_way.discard(uploading)
            file.close()

    def _tell(self, error: Exception) -> None:
        """Locust counts it, tells the master, and prints it."""
        self._user_error.fire(user_instance=None, exception=error, tb=error.__traceback__)
