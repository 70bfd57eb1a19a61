"""What the users of one process upload with: connections, uploaders and files, as the plan says."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cached_property, partial
from platform import node

from locust.env import Environment

from upswarm.content.base import File
from upswarm.results.recorder import Recorder
from upswarm.swarm.plan import Plan
from upswarm.swarm.telemetry import wishes
from upswarm.swarm.uploading.bridge import Context, LocustBridge, Several
from upswarm.swarm.uploading.lanes import together
from upswarm.transfer.auth import unsigned
from upswarm.transfer.bandwidth import Pace
from upswarm.transfer.budget import RetryBudget
from upswarm.transfer.clock import Clock
from upswarm.transfer.exchange import Exchange
from upswarm.transfer.originals import Originals
from upswarm.transfer.records import Observer
from upswarm.transfer.transport import Transport
from upswarm.transfer.uploader import Elsewhere, Uploader
from upswarm.workload.mix import FileDraw, Mix


class Equipment:
    """Made once for each run and process; what it measures goes to the recorder and to Locust's listeners.

    Further `observers` are told of everything too.
    """

    def __init__(
        self,
        environment: Environment,
        plan: Plan,
        recorder: Recorder,
        clock: Clock,
        elsewhere: Elsewhere,
        *,
        observers: Sequence[Observer] = (),
    ) -> None:
        scenario = plan.scenario
        self._plan = plan
        self._recorder = recorder
        self._clock = clock
        self._elsewhere = elsewhere
        self._traces = wishes.traces(clock, plan.target_url)
        self._observers = observers if self._traces is None else (*observers, self._traces)
        self._settings = scenario.transfer.build(scenario.seed)
        budget_ratio = self._settings.retry.budget_ratio
        self._budget = None if budget_ratio is None else RetryBudget(budget_ratio)
        self._protocol = scenario.build_protocol(node())
        self._endpoint = self._protocol.caps.endpoint(plan.target_url)
        auth = scenario.target.auth
        self._sign = auth.build(self._endpoint, clock) if auth else unsigned
        self._line = scenario.transfer.bandwidth.worker_limit()
        self._bridge = partial(LocustBridge, environment, str(scenario.target.protocol), plan.target_url, clock)
        self._originals = Originals()

    def open_transports(self) -> list[Transport]:
        """Connections for one user: as many as chunks of one upload travel at the same time."""
        transfer = self._plan.scenario.transfer
        return [transfer.open_transport(self._endpoint) for _ in range(transfer.parallel_chunks)]

    def uploader(self, *transports: Transport, context: Context = dict) -> Uploader:
        """An uploader over these transports, for one user; what can't travel at the same time takes the first.

        Locust's listeners get the `context` with each request.
        """
        dice = random.Random()
        observer = Several(self._recorder, *self._observers, self._bridge(context))  # whose listeners may raise
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
            elsewhere=self._elsewhere,
        )

    def draw(self, number: int) -> FileDraw:
        """The file with this number of the run, before it is made."""
        return self._plan.workload.sized(self._mix.draw(number))

    def open_file(self, draw: FileDraw) -> File:
        """The file that was drawn."""
        name = f"{self._plan.run_id}-{draw.number:06d}"
        return self._originals.open(name, draw)

    def _exchange(self, transport: Transport, observer: Observer, dice: random.Random, pace: Pace | None) -> Exchange:
        traces, sign = self._traces, self._sign
        exchange = Exchange(
            transport, observer, clock=self._clock, dice=dice, retry=self._settings.retry,
            sign=sign if traces is None else traces.signing(sign, lambda: exchange.file_name),
            budget=self._budget, pace=pace,
        )  # fmt: skip
        return exchange

    @cached_property
    def _mix(self) -> Mix:
        """Made by the first user, whose errors the master hears of: this machine may lack a corpus that others have."""
        return self._plan.scenario.build_mix()
