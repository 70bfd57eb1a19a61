"""A worker's life with Locust: it is told the plan, uploads, reports, and sends a last report when it has drained."""

from __future__ import annotations

import signal
from typing import Any

from locust.env import Environment
from locust.rpc import Message
from locust.runners import WorkerRunner

from upswarm.errors import EXIT_OK
from upswarm.swarm.gathering import DRAIN, LAST_REPORT, REPORT
from upswarm.swarm.load import HURRY_S, Load
from upswarm.swarm.plan import Plan, share_of
from upswarm.swarm.signals import end_on, ignore_ctrl_c


class WorkerSession:
    """Everything that a worker does for a run; the verdict is the master's."""

    def __init__(self, environment: Environment, runner: WorkerRunner) -> None:
        assert environment.parsed_options is not None
        self._environment = environment
        self._runner = runner
        self._options = environment.parsed_options
        self._load: Load | None = None
        environment.process_exit_code = EXIT_OK
        environment.events.test_start.add_listener(self._start)
        environment.events.report_to_master.add_listener(self._report)
        environment.events.test_stopping.add_listener(self._stop)
        runner.register_message(DRAIN, self._drain, concurrent=True)
        if self._options.processes:
            ignore_ctrl_c()
        else:
            end_on(runner.quit, signal.SIGINT)

    @property
    def load(self) -> Load:
        """This worker's part of the run that is going on."""
        assert self._load is not None
        return self._load

    def _start(self, **_: Any) -> None:
        document = self._options.upswarm_plan
        share = share_of(document, self._runner.client_id, self._runner.worker_index)
        self._load = Load(self._environment, Plan.of_document(document), share)

    def _report(self, data: dict[str, Any], **_: Any) -> None:
        if self._load is not None:
            data[REPORT] = self._load.report()

    def _drain(self, environment: Environment, msg: Message, **_: Any) -> None:
        self._drain_and_report(msg.data["grace_s"])

    def _stop(self, **_: Any) -> None:
        """The worker itself was told to stop, perhaps without a word from the master."""
        self._drain_and_report(HURRY_S)

    def _drain_and_report(self, grace_s: float) -> None:
        if self._load is None or self._load.draining:
            return
        self._load.drain(grace_s)
        report, self._load = self._load.report(last=True), None
        self._runner.send_message(LAST_REPORT, report)
