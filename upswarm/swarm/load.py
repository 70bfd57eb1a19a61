"""One process's part of a run: it gives users their files and uploaders, and takes what they measured."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from pathlib import Path
from platform import node
from typing import Any

import gevent
from gevent.event import Event
from locust.env import Environment

from upswarm import digests, plugins
from upswarm.content.base import Content, File
from upswarm.results.recorder import Recorder
from upswarm.swarm.bridge import REQUESTED, Both, Context, LocustBridge
from upswarm.swarm.feeds import QuotaFeed, Turn, feed_for
from upswarm.swarm.gathering import Reporting
from upswarm.swarm.health import Pulse, peak_rss_bytes
from upswarm.swarm.lanes import let_others_run, together
from upswarm.swarm.plan import Plan
from upswarm.transfer.auth import unsigned
from upswarm.transfer.bandwidth import Pace
from upswarm.transfer.budget import RetryBudget
from upswarm.transfer.clock import SystemClock
from upswarm.transfer.exchange import Exchange
from upswarm.transfer.records import Observer, Outcome
from upswarm.transfer.suspended import Suspended
from upswarm.transfer.transport import Transport
from upswarm.transfer.uploader import Awaited, Uploader, nowhere
from upswarm.workload.kinds import ClosedLoad
from upswarm.workload.mix import ContentSpec, Mix
from upswarm.workload.shares import Share

GRACE_S = 10.0
"""How long uploads under way may go on when a run has lasted as long as planned (`--stop-timeout` changes it)."""
HURRY_S = 1.0
"""The same when a run is cut off."""
_KILL_S = 5.0
Offer = Callable[[str, Suspended], Awaited | None]
"""Offers an upload of the run with this id to other workers; None where nobody takes it."""


class Load:
    """The load of one process: local run, or worker; to other workers it may `offer` uploads that are interrupted."""

    def __init__(
        self, environment: Environment, plan: Plan, share: Share, started_s: float, offer: Offer | None = None
    ) -> None:
        digests.give_way_by(let_others_run)
        scenario, clock = plan.scenario, SystemClock()
        self._plan = plan
        self.run_id = plan.run_id
        self._clock = clock
        self._settings = scenario.transfer.build(scenario.seed)
        budget_ratio = self._settings.retry.budget_ratio
        self._budget = None if budget_ratio is None else RetryBudget(budget_ratio)
        self._offer = offer
        self._protocol = scenario.build_protocol(node())
        auth = scenario.target.auth
        self._sign = auth.build(self._protocol.caps.endpoint(plan.target_url), clock) if auth else unsigned
        self._line = scenario.transfer.bandwidth.worker_limit()
        self._contents: dict[ContentSpec, Content] = {}
        self._recorder = Recorder(started_s)
        self._reporting = Reporting(plan.run_id, node())
        self._bridge = partial(LocustBridge, environment, str(scenario.target.protocol), plan.target_url, clock)
        self._under_way: set[gevent.Greenlet] = set()
        self._guests: set[gevent.Greenlet] = set()
        self._feed = feed_for(plan.workload, share, clock, self._recorder)
        self.think_time_s = plan.workload.think_time_s if isinstance(plan.workload, ClosedLoad) else 0.0
        self.draining = False
        self._user_error = environment.events.user_error
        self._pulse = Pulse(self._recorder, clock)

    @property
    def used_up(self) -> Event | None:
        """Set when this share of the files has been uploaded; None where files come without end."""
        return self._feed.used_up if isinstance(self._feed, QuotaFeed) else None

    @property
    def in_flight(self) -> int:
        """How many uploads are under way, those of other workers' included."""
        return self._feed.in_flight + len(self._guests)

    @property
    def share(self) -> Share:
        """What is drawn from here; `give` and `take` change it."""
        return self._feed.share

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
        return self._feed.next()

    def carry(self, turn: Turn, uploader: Uploader) -> gevent.Greenlet:
        """Upload the file of a turn in a greenlet of its own, whose value is the outcome, or None if it has none.

        Where a listener of Locust's requests something of the user, such as `StopUser`, that is the value.

        What becomes of it is recorded; an upload that fails is no exception.
        """
        return gevent.spawn(self._carry, turn, uploader)

    def _carry(self, turn: Turn, uploader: Uploader) -> Outcome | Exception | None:
        try:
            with self.open_file(turn.number) as file:
                return uploader.upload(file, turn.due_s, turn.number)
        except REQUESTED as request:
            return request
        except Exception as error:
            self._user_error.fire(user_instance=None, exception=error, tb=error.__traceback__)
            return None
        finally:
            self._feed.ended()

    def open_transport(self) -> Transport:
        """A connection of its own to the target, for one user."""
        endpoint = self._protocol.caps.endpoint(self._plan.target_url)
        return self._plan.scenario.transfer.open_transport(endpoint)

    def open_transports(self) -> list[Transport]:
        """As many connections as chunks of one upload travel at the same time."""
        return [self.open_transport() for _ in range(self._plan.scenario.transfer.parallel_chunks)]

    def uploader(self, *transports: Transport, context: Context = dict) -> Uploader:
        """An uploader over these transports, for one user; what can't travel at the same time takes the first.

        Locust's listeners get the `context` with each request.
        """
        dice, observer = random.Random(), Both(self._recorder, self._bridge(context))
        pace = self._plan.scenario.transfer.bandwidth.pace(self._line, self._clock)
        exchange, *more_lanes = (self._exchange(each, observer, dice, pace) for each in transports)
        return Uploader(
            protocol=self._protocol,
            exchange=exchange,
            more_lanes=more_lanes,
            together=together,
            observer=observer,
            settings=self._settings,
            clock=self._clock,
            dice=dice,
            elsewhere=partial(self._offer, self.run_id) if self._offer else nowhere,
        )

    def _exchange(self, transport: Transport, observer: Observer, dice: random.Random, pace: Pace | None) -> Exchange:
        return Exchange(
            transport, observer, clock=self._clock, dice=dice,
            retry=self._settings.retry, sign=self._sign, budget=self._budget, pace=pace,
        )  # fmt: skip

    @contextmanager
    def open_file(self, number: int, *, counted: bool = True) -> Iterator[File]:
        """The file with this number; as long as it is open, `drain` knows that the caller is uploading.

        It is `counted` as one that was made, which a file is once, however many workers upload it.
        """
        draw = self._plan.workload.sized(self._mix.draw(number))
        file = self._content(draw.content).open(f"{self._plan.run_id}-{draw.number:06d}", draw.size_bytes, draw.seed)
        if counted:
            self._recorder.opened(file)
        uploading = gevent.getcurrent()
        self._under_way.add(uploading)
        try:
            yield file
        finally:
            self._under_way.discard(uploading)
            file.close()

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

    def _be_host_to(self, suspended: Suspended, granted: Callable[[], bool], ended: Callable[[], None]) -> None:
        guest = gevent.getcurrent()
        try:
            if granted():
                self._go_on_with(suspended, ended)
        finally:
            self._under_way.discard(guest)
            self._guests.discard(guest)

    def _go_on_with(self, suspended: Suspended, ended: Callable[[], None]) -> None:
        transports = self.open_transports()
        try:
            with suppress(*REQUESTED), self.open_file(suspended.number, counted=False) as file:
                self.uploader(*transports).resume(file, suspended)
        except Exception as error:
            self._user_error.fire(user_instance=None, exception=error, tb=error.__traceback__)
        finally:
            for transport in transports:
                transport.close()
            ended()

    @cached_property
    def _mix(self) -> Mix:
        """Made by the first user, whose errors the master hears of: this machine may lack a corpus that others have."""
        return self._plan.scenario.build_mix()

    def _content(self, spec: ContentSpec) -> Content:
        if spec not in self._contents:
            maker = plugins.find("content", spec.name)
            self._contents[spec] = maker(Path(tempfile.gettempdir()), **spec.parameters)
        return self._contents[spec]

    def report(self, *, last: bool = False) -> dict[str, Any]:
        """What was measured since the last report, numbered, as it can be sent."""
        if last:
            self._pulse.stop()
        return self._reporting.report(
            self._recorder.take(),
            last=last,
            peak_rss_bytes=peak_rss_bytes(),
            in_flight=self.in_flight,
            following=() if isinstance(self._plan.workload, ClosedLoad) and not last else self._feed.share.following,
        )

    def drain(self, grace_s: float, *, complete: bool = False) -> None:
        """Begin no new upload, let those under way finish for `grace_s` seconds, and stop the others for good.

        After a complete run arrivals that belong to it still begin, for here it may have begun a moment later.
        Afterwards nothing is measured any more: the next report is the last.
        """
        self.draining = True
        deadline_s = self._clock.now() + grace_s
        if complete:
            self._feed.await_all(grace_s)
        self._feed.close()
        while self.in_flight and self._clock.now() < deadline_s:
            gevent.sleep(0.02)
        for _ in range(2):  # the first kill lets a user tell the server to forget the upload; the second does not wait
            gevent.killall(list(self._under_way), block=True, timeout=_KILL_S)
