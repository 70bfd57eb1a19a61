"""One process's part of a run: it gives users their files and uploaders, and takes what they measured."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from platform import node
from typing import Any

import gevent
from locust.env import Environment

from upswarm import plugins
from upswarm.content.base import Content, File
from upswarm.results.recorder import Recorder
from upswarm.swarm.bridge import Both, LocustBridge
from upswarm.swarm.gathering import Reporting
from upswarm.swarm.lanes import together
from upswarm.swarm.plan import Plan
from upswarm.transfer.auth import unsigned
from upswarm.transfer.clock import SystemClock
from upswarm.transfer.exchange import Exchange
from upswarm.transfer.transport import Transport
from upswarm.transfer.uploader import Uploader
from upswarm.workload.mix import ContentSpec, Mix, Share

GRACE_S = 10.0
"""How long uploads under way may go on when a run has lasted as long as planned (`--stop-timeout` changes it)."""
HURRY_S = 1.0
"""The same when a run is cut off."""
_KILL_S = 5.0


class Load:
    """The load of one process: local run, or worker."""

    def __init__(self, environment: Environment, plan: Plan, share: Share) -> None:
        scenario, clock = plan.scenario, SystemClock()
        self._plan = plan
        self._share = share
        self._clock = clock
        self._settings = scenario.transfer.build()
        self._protocol = scenario.target.protocol.build(node())
        auth = scenario.target.auth
        self._sign = auth.build(self._protocol.caps.endpoint(plan.target_url), clock) if auth else unsigned
        self._contents: dict[ContentSpec, Content] = {}
        self._recorder = Recorder(clock.now())
        self._reporting = Reporting(plan.run_id, node())
        bridge = LocustBridge(environment, str(scenario.target.protocol), plan.target_url, clock)
        self._observer = Both(self._recorder, bridge)
        self._under_way: set[gevent.Greenlet] = set()
        self.think_time_s = scenario.workload.users.think_time
        self.draining = False

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
        exchange, *more_lanes = (
            Exchange(each, self._observer, clock=self._clock, dice=dice, retry=self._settings.retry, sign=self._sign)
            for each in transports
        )
        return Uploader(
            protocol=self._protocol,
            exchange=exchange,
            more_lanes=more_lanes,
            together=together,
            observer=self._observer,
            settings=self._settings,
            clock=self._clock,
            dice=dice,
        )

    @contextmanager
    def next_file(self) -> Iterator[File]:
        """The next file of this share; as long as it is open, `drain` knows that the caller is uploading."""
        draw = self._mix.draw(self._share.next_number())
        file = self._content(draw.content).open(f"{self._plan.run_id}-{draw.number:06d}", draw.size_bytes, draw.seed)
        uploading = gevent.getcurrent()
        self._under_way.add(uploading)
        try:
            yield file
        finally:
            self._under_way.discard(uploading)
            file.close()

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
        return self._reporting.report(self._recorder.take(), last=last)

    def drain(self, grace_s: float) -> None:
        """Begin no new upload, let those under way finish for `grace_s` seconds, and stop the others for good.

        Afterwards nothing is measured any more: the next report is the last.
        """
        self.draining = True
        deadline_s = self._clock.now() + grace_s
        while self._under_way and self._clock.now() < deadline_s:
            gevent.sleep(0.02)
        for _ in range(2):  # the first kill lets a user tell the server to forget the upload; the second does not wait
            gevent.killall(list(self._under_way), block=True, timeout=_KILL_S)
