"""One process's part of a run: it gives users their files and uploaders, and takes what they measured."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
from upswarm.swarm.plan import Plan
from upswarm.transfer.auth import bearer, unsigned
from upswarm.transfer.clock import SystemClock
from upswarm.transfer.exchange import Exchange
from upswarm.transfer.transport import Transport
from upswarm.transfer.uploader import Uploader
from upswarm.workload.mix import Share

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
        self._mix = scenario.build_mix()
        self._settings = scenario.transfer.build()
        self._protocol = plugins.find("protocol", scenario.target.protocol)(node())
        auth = scenario.target.auth
        self._sign = bearer(auth.bearer.get_secret_value(), plan.target_url) if auth else unsigned
        self._contents: dict[str, Content] = {}
        self._recorder = Recorder(clock.now())
        self._reporting = Reporting(plan.run_id, node())
        bridge = LocustBridge(environment, scenario.target.protocol, plan.target_url, clock)
        self._observer = Both(self._recorder, bridge)
        self._under_way: set[gevent.Greenlet] = set()
        self.think_time_s = scenario.workload.users.think_time
        self.draining = False

    def open_transport(self) -> Transport:
        """A connection of its own to the target, for one user."""
        transport: Transport = plugins.find("transport", "requests")(
            self._plan.target_url, self._plan.scenario.transfer.timeouts
        )
        return transport

    def uploader(self, transport: Transport) -> Uploader:
        """An uploader over this transport, for one user."""
        dice = random.Random()
        exchange = Exchange(
            transport, self._observer, clock=self._clock, dice=dice, retry=self._settings.retry, sign=self._sign
        )
        return Uploader(
            protocol=self._protocol,
            exchange=exchange,
            observer=self._observer,
            settings=self._settings,
            clock=self._clock,
            dice=dice,
        )

    @contextmanager
    def next_file(self) -> Iterator[File]:
        """The next file of this share; as long as it is open, `drain` knows that the caller is uploading."""
        draw = self._mix.draw(self._share.next_number())
        if draw.content not in self._contents:
            maker = plugins.find("content", draw.content)
            self._contents[draw.content] = maker(Path(tempfile.gettempdir()))
        file = self._contents[draw.content].open(f"{self._plan.run_id}-{draw.number:06d}", draw.size_bytes, draw.seed)
        uploading = gevent.getcurrent()
        self._under_way.add(uploading)
        try:
            yield file
        finally:
            self._under_way.discard(uploading)
            file.close()

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
