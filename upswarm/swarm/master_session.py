"""A master: its workers upload and report, and it waits for the last report of each."""

from __future__ import annotations

from typing import Any

import gevent
from locust.env import Environment
from locust.rpc import Message
from locust.runners import STATE_MISSING, WORKER_REPORT_INTERVAL, MasterRunner
from locust.web import WebUI

from upswarm.swarm.gathering import DRAIN, LAST_REPORT, REPORT
from upswarm.swarm.handover import ANSWER, OFFER, WITHDRAW, Switchboard
from upswarm.swarm.run_session import LOOK_S, RunSession

_REPORT_MARGIN_S = 15.0


class MasterSession(RunSession):
    """A run of many workers, which report by themselves."""

    _progress_every_s = WORKER_REPORT_INTERVAL  # a line more often would show their rhythm, not the target's

    def __init__(self, environment: Environment, runner: MasterRunner, web_ui: WebUI | None) -> None:
        self._master = runner
        environment.events.worker_report.add_listener(self._reported)
        runner.register_message(LAST_REPORT, self._last_report_came)
        self._switchboard = switchboard = Switchboard(runner.send_message, self._who_uploads)
        runner.register_message(OFFER, lambda msg, **_: switchboard.offered(msg.node_id, msg.data))
        runner.register_message(ANSWER, lambda msg, **_: switchboard.answered(msg.node_id, msg.data))
        runner.register_message(WITHDRAW, lambda msg, **_: switchboard.withdrawn(msg.node_id, msg.data))
        super().__init__(environment, runner, web_ui)

    def _begin(self) -> list[str]:
        self._switchboard.open()
        clients = self._master.clients
        ready = [client.id for client in (*clients.ready, *clients.spawning, *clients.running)]
        worker_ids = sorted(ready, key=self._master.get_worker_index)
        self._options.upswarm_plan = self.steering.plan.to_document(worker_ids)  # goes out with the spawn message
        return worker_ids

    def _collect(self) -> None:
        """Reports come by themselves."""

    def _used_up(self) -> bool:
        """A worker that has used up its uploads sends its last report."""
        return all(self._is_missing(worker_id) for worker_id in self.steering.waiting_for())

    def _drain(self, grace_s: float, *, complete: bool) -> None:
        self._switchboard.close()
        self._master.send_message(DRAIN, {"grace_s": grace_s, "complete": complete})
        with gevent.Timeout(grace_s + _REPORT_MARGIN_S, False):
            while any(not self._is_missing(worker_id) for worker_id in self.steering.waiting_for()):
                gevent.sleep(LOOK_S)

    def _who_uploads(self) -> list[str]:
        return [worker_id for worker_id in self.steering.waiting_for() if not self._is_missing(worker_id)]

    def _is_missing(self, worker_id: str) -> bool:
        client = self._master.clients.get(worker_id)
        return client is not None and client.state == STATE_MISSING

    def _reported(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        if REPORT in data:
            self.steering.take(client_id, data[REPORT])

    def _last_report_came(self, environment: Environment, msg: Message, **_: Any) -> None:
        self.steering.take(msg.node_id, msg.data)
