"""A worker's life with Locust: it is told the plan, uploads, reports, and sends a last report when it has drained."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event
from locust.env import Environment
from locust.rpc import Message
from locust.runners import WorkerRunner

from upswarm.errors import EXIT_OK
from upswarm.swarm.gathering import DRAIN, LAST_REPORT, REPORT
from upswarm.swarm.handover import ANSWER, GRANT, OFFER, Handover
from upswarm.swarm.load import HURRY_S, Load
from upswarm.swarm.plan import Plan, share_of
from upswarm.swarm.signals import end_on, ignore_ctrl_c
from upswarm.swarm.stalls import remember_default_options
from upswarm.transfer.suspended import Suspended


class WorkerSession:
    """Everything that a worker does for a run; the verdict is the master's."""

    def __init__(self, environment: Environment, runner: WorkerRunner) -> None:
        assert environment.parsed_options is not None
        self._environment = environment
        self._runner = runner
        self._options = environment.parsed_options
        self._load: Load | None = None
        self._over = False
        environment.process_exit_code = EXIT_OK
        remember_default_options()
        environment.events.test_start.add_listener(self._start)
        environment.events.report_to_master.add_listener(self._report)
        environment.events.test_stopping.add_listener(self._stop)
        runner.register_message(DRAIN, self._drain, concurrent=True)
        self._handover = Handover(runner.send_message, self._take_up)
        runner.register_message(OFFER, lambda msg, **_: self._handover.offered(msg.data))
        runner.register_message(GRANT, lambda msg, **_: self._handover.granted(msg.data))
        runner.register_message(ANSWER, lambda msg, **_: self._handover.answered(msg.data))
        if self._options.processes:
            ignore_ctrl_c()
        else:
            end_on(runner.quit, signal.SIGINT)

    @property
    def load(self) -> Load:
        """This worker's part of the run; users who start when it is over already find it, and nothing to do."""
        assert self._load is not None
        return self._load

    def _start(self, **_: Any) -> None:
        document = self._options.upswarm_plan
        share = share_of(document, self._runner.client_id, self._runner.worker_index)
        self._over = False
        self._load = Load(self._environment, Plan.of_document(document), share, self._handover.offer)
        if self._load.used_up is not None:
            gevent.spawn(self._leave_when_used_up, self._load, self._load.used_up)

    def _leave_when_used_up(self, load: Load, used_up: Event) -> None:
        used_up.wait()
        load.await_guests()
        if load is self._load:
            self._drain_and_report(HURRY_S)

    def _take_up(
        self, run_id: str, suspended: Suspended, granted: Callable[[], bool], ended: Callable[[], None]
    ) -> bool:
        load = self._load
        return load is not None and load.run_id == run_id and load.take_up(suspended, granted, ended)

    def _report(self, data: dict[str, Any], **_: Any) -> None:
        if self._load is not None and not self._over:
            data[REPORT] = self._load.report()

    def _drain(self, environment: Environment, msg: Message, **_: Any) -> None:
        self._drain_and_report(msg.data["grace_s"], complete=msg.data["complete"])

    def _stop(self, **_: Any) -> None:
        """The worker itself was told to stop, perhaps without a word from the master."""
        self._drain_and_report(HURRY_S)

    def _drain_and_report(self, grace_s: float, *, complete: bool = False) -> None:
        if self._load is None or self._load.draining:
            return
        self._load.drain(grace_s, complete=complete)
        report, self._over = self._load.report(last=True), True
        self._runner.send_message(LAST_REPORT, report)
