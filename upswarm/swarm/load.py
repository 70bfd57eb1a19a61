"""One process's part of a run: it gives users their files and uploaders, and takes what they measured."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from upswarm.swarm.bridge import Both, LocustBridge
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
from upswarm.transfer.suspended import Suspended
from upswarm.transfer.transport import Transport
from upswarm.transfer.uploader import Awaited, Uploader, nowhere
from upswarm.workload.kinds import ClosedLoad
from upswarm.workload.mix import ContentSpec, Mix, Share

GRACE_S = 10.0
"""How long uploads under way may go on when a run has lasted as long as planned (`--stop-timeout` changes it)."""
HURRY_S = 1.0
"""The same when a run is cut off."""
_KILL_S = 5.0
Offer = Callable[[str, Suspended], Awaited | None]
"""Offers an upload of the run with this id to other workers; None where nobody takes it."""


class Load:
    """The load of one process: local run, or worker; to other workers it may `offer` uploads that are interrupted."""

    def __init__(self, environment: Environment, plan: Plan, share: Share, offer: Offer | None = None) -> None:
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
        self._recorder = Recorder(clock.now())
        self._reporting = Reporting(plan.run_id, node())
        bridge = LocustBridge(environment, str(scenario.target.protocol), plan.target_url, clock)
        self._observer = Both(self._recorder, bridge)
        self._under_way: set[gevent.Greenlet] = set()
        self._guests: set[gevent.Greenlet] = set()
        self._feed = feed_for(plan.workload, share, clock, self._recorder)
        self.think_time_s = plan.workload.think_time_s if isinstance(plan.workload, ClosedLoad) else 0.0
        self.draining = False
        self._user_error = environment.events.user_error
        self._spawned = environment.events.spawning_complete
        self._spawned.add_listener(self._begin)
        self._pulse = Pulse(self._recorder, clock)

    @property
    def used_up(self) -> Event | None:
        """Set when this share of the files has been uploaded; None where files come without end."""
        return self._feed.used_up if isinstance(self._feed, QuotaFeed) else None

    @contextmanager
    def next_turn(self) -> Iterator[Turn | None]:
        """Wait until there is a file to upload; None when there will be no more."""
        turn = self._feed.next()
        try:
            yield turn
        finally:
            if turn is not None:
                self._feed.ended()

    def open_transport(self) -> Transport:
        """A connection of its own to the target, for one user."""
        endpoint = self._protocol.caps.endpoint(self._plan.target_url)
        return self._plan.scenario.transfer.open_transport(endpoint)

    def open_transports(self) -> list[Transport]:
        """As many connections as chunks of one upload travel at the same time."""
        return [self.open_transport() for _ in range(self._plan.scenario.transfer.parallel_chunks)]

    def uploader(self, *transports: Transport) -> Uploader:
        """An uploader over these transports, for one user; what can't travel at the same time takes the first."""
        dice = random.Random()
        pace = self._plan.scenario.transfer.bandwidth.pace(self._line, self._clock)
        exchange, *more_lanes = (self._exchange(each, dice, pace) for each in transports)
        return Uploader(
            protocol=self._protocol,
            exchange=exchange,
            more_lanes=more_lanes,
            together=together,
            observer=self._observer,
            settings=self._settings,
            clock=self._clock,
            dice=dice,
            elsewhere=partial(self._offer, self.run_id) if self._offer else nowhere,
        )

    def _exchange(self, transport: Transport, dice: random.Random, pace: Pace | None) -> Exchange:
        return Exchange(
            transport, self._observer, clock=self._clock, dice=dice,
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

    def await_guests(self) -> None:
        """Wait until no upload of another worker is under way here."""
        gevent.joinall(list(self._guests))

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
            with self.open_file(suspended.number, counted=False) as file:
                self.uploader(*transports).resume(file, suspended)
        except Exception as error:
            self._user_error.fire(user_instance=None, exception=error, tb=error.__traceback__)
        finally:
            for transport in transports:
                transport.close()
            ended()

    def _begin(self, **_: Any) -> None:
        """The users are there; in an open load they wait to be called. Told with each change of their number.

        Where all arrivals are due at once, a worker may hear of the run's end before its users are there.
        """
        self._feed.begin()

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
        return self._reporting.report(self._recorder.take(), last=last, peak_rss_bytes=peak_rss_bytes())

    def drain(self, grace_s: float, *, complete: bool = False) -> None:
        """Begin no new upload, let those under way finish for `grace_s` seconds, and stop the others for good.

        After a complete run arrivals that belong to it still begin, for here it may have begun a moment later.
        Afterwards nothing is measured any more: the next report is the last.
        """
        self.draining = True
        deadline_s = self._clock.now() + grace_s
        if complete:
            self._feed.await_all(grace_s)
        self._spawned.remove_listener(self._begin)
        self._feed.close()
        while self._under_way and self._clock.now() < deadline_s:
            gevent.sleep(0.02)
        for _ in range(2):  # the first kill lets a user tell the server to forget the upload; the second does not wait
            gevent.killall(list(self._under_way), block=True, timeout=_KILL_S)
