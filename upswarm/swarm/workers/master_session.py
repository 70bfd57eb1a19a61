"""A master: its workers upload and report, and it waits for the last report of each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gevent
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.runners import STATE_MISSING, STATE_RUNNING, WORKER_REPORT_INTERVAL, MasterRunner
from locust.web import WebUI

from upswarm.results.marks import MarkKind
from upswarm.swarm.muster import limit_the_wait
from upswarm.swarm.run_life import LOOK_S
from upswarm.swarm.run_session import RunSession
from upswarm.swarm.uploading.load import HURRY_S
from upswarm.swarm.workers.crew import Crew
from upswarm.swarm.workers.handover import ANSWER, OFFER, WITHDRAW, Switchboard
from upswarm.swarm.workers.reception import Reception
from upswarm.swarm.workers.seal import Seal
from upswarm.swarm.workers.wire import DRAIN, GIVEN, LAST_REPORT, REPORT, TROUBLE, USED_UP, Document, Wire
from upswarm.transfer.clock import SystemClock
from upswarm.workload.led import LedLoad

_REPORT_MARGIN_S = 15.0
_WAY_S = 0.1
"""A schedule counts from so much later than the master says, so that it is not late for having to travel."""
_STOOD_STILL_S = 3.0
_HELD_BACK = "workers that do not hear it begin nothing that is due or counted, so arrivals are late, or dropped"


class CrewDispatcher(UsersDispatcher):
    """Locust's own, that moves users only when the shape says so, and only to those who are in the `crew` then.

    Otherwise Locust would do so within the greenlet that receives messages, and be deaf for a second. And who leaves in
    order has left the crew a moment before Locust hears of it.
    """

    dispatch_in_progress = True

    def __init__(self, crew: Callable[[], Crew], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._crew = crew

    def new_dispatch(self, *arguments: Any, **more: Any) -> None:
        """As Locust does, without those who have gone."""
        for node in list(self._worker_nodes):
            if node.id in self._crew().gone:
                self.remove_worker(node)
        super().new_dispatch(*arguments, **more)


class MasterSession(RunSession):
    """A run of many workers, which report by themselves."""

    _progress_every_s = WORKER_REPORT_INTERVAL  # a line more often would show their rhythm, not the target's

    def __init__(self, environment: Environment, runner: MasterRunner, web_ui: WebUI | None) -> None:
        self._master = runner
        environment.dispatcher_class = partial(CrewDispatcher, self._the_crew)  # type: ignore[assignment]
        assert environment.parsed_options is not None
        environment.parsed_options.enable_rebalancing = False  # the shape sees to it
        self._crew: Crew | None = None
        self._troubles: dict[str, str] = {}
        self._wire = wire = Wire(runner, Seal.of_environment())
        self._reception = Reception(wire, runner, SystemClock())
        self._switchboard = switchboard = Switchboard(wire.send, self._who_uploads)
        wire.on(OFFER, switchboard.offered)
        wire.on(ANSWER, switchboard.answered)
        wire.on(WITHDRAW, switchboard.withdrawn)
        wire.on(GIVEN, self._given)
        wire.on(USED_UP, self._worker_used_up)
        wire.on(TROUBLE, self._trouble_came)
        wire.on(LAST_REPORT, self._last_report_came)
        environment.events.worker_report.add_listener(self._report_came)
        super().__init__(environment, runner, web_ui)
        limit_the_wait(runner, self._options, self._give_up)

    def _begin(self, started_s: float) -> list[str]:
        self._switchboard.open()
        self._troubles = {}
        worker_ids = self._reception.here()
        tell = partial(self.steering.note, kind=MarkKind.WORKER)
        self._crew = Crew(self._wire, self.steering.plan, worker_ids, started_s, tell)
        gevent.spawn(self._look_after, self._crew, self.steering.plan.run_id)
        return worker_ids

    def _go(self, zero_s: float) -> None:
        self._the_crew().go(zero_s + _WAY_S)

    def _the_crew(self) -> Crew:
        assert self._crew is not None
        return self._crew

    def _collect(self) -> None:
        """Reports come by themselves."""

    def _used_up(self) -> bool:
        return self._crew is not None and self._crew.used_up

    def _hurry(self) -> None:
        self._send_drain(HURRY_S, complete=True)

    def _send_drain(self, grace_s: float, *, complete: bool) -> None:
        message = {"run_id": self.steering.plan.run_id, "grace_s": grace_s, "complete": complete}
        for worker_id in self.steering.waiting_for():
            self._wire.send(DRAIN, message, worker_id)

    def _drain(self, grace_s: float, *, complete: bool) -> None:
        self._switchboard.close()
        self._send_drain(grace_s, complete=complete)
        with gevent.Timeout(grace_s + _REPORT_MARGIN_S, False):
            while self._who_uploads():
                gevent.sleep(LOOK_S)
                for worker_id in filter(self._is_missing, self.steering.waiting_for()):
                    self._switchboard.gone(worker_id)

    def _faults(self, *, complete: bool) -> list[str]:
        troubles = [f"worker {worker_id} could not take part: {why}" for worker_id, why in self._troubles.items()]
        return troubles or super()._faults(complete=complete)

    def _look_after(self, crew: Crew, run_id: str) -> None:
        """Locust has no event for a worker that comes, and none for one that goes.

        A master that stands still loses nobody: it reads what its workers have said meanwhile before a second of its
        own has passed, and Locust counts such seconds.
        """
        looked_s = self.steering.clock.now()
        while self._is_going_on(run_id):
            stood_s, looked_s = self.steering.clock.now() - looked_s, self.steering.clock.now()
            if stood_s > _STOOD_STILL_S:
                self.steering.note(f"the master had stood still for {stood_s:.1f} s: {_HELD_BACK}")
            active, known = dict.fromkeys(self._reception.here()), {*crew.worker_ids, *crew.gone}
            for worker_id in crew.worker_ids:
                if worker_id not in active:
                    self._lose(crew, worker_id)
            for worker_id in active:
                if worker_id not in known:
                    crew.join(worker_id)
                    self._crew_changed(crew, joined=worker_id)
            gevent.sleep(LOOK_S)

    def _lose(self, crew: Crew, worker_id: str) -> None:
        self._reception.give_up(worker_id)
        crew.lose(worker_id, self.steering.following(worker_id), self.steering.clock.now())
        self._switchboard.gone(worker_id)
        self._crew_changed(crew, lost=worker_id, silent=True)

    def _crew_changed(self, crew: Crew, *, joined: str = "", lost: str = "", silent: bool = False) -> None:
        """Our own shape sees to the users; where another one leads them, or none, it is done here."""
        self.steering.crew_changed(len(crew.worker_ids), joined=joined, lost=lost, silent=silent)
        led = isinstance(self.steering.plan.workload, LedLoad)
        if led and self._master.state == STATE_RUNNING and self._master.spawning_completed:
            gevent.spawn(self._master.start, self._master.target_user_count, self._master.spawn_rate)

    def _who_uploads(self) -> list[str]:
        return [worker_id for worker_id in self.steering.waiting_for() if not self._is_missing(worker_id)]

    def _is_missing(self, worker_id: str) -> bool:
        """Whether nothing more will come; what has left Locust has said everything before."""
        client = self._master.clients.get(worker_id)
        return client is None or client.state == STATE_MISSING or worker_id in self._troubles

    def _report_came(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        report = self._wire.heard(REPORT, client_id, data[REPORT]) if REPORT in data else None
        if report is not None and self.steering.running:
            self.steering.take(client_id, report)
            self._the_crew().remind(client_id)

    def _last_report_came(self, worker_id: str, report: Document) -> None:
        if not self.steering.running:
            return
        self.steering.take(worker_id, report)
        crew = self._crew
        if crew is not None and self._is_going_on(report["run_id"]) and worker_id in crew.worker_ids:
            crew.leave(worker_id, report["following"])
            self._switchboard.gone(worker_id)
            self._crew_changed(crew, lost=worker_id)

    def _given(self, giver: str, message: Document) -> None:
        if self._crew is not None:
            self._crew.given(giver, message)

    def _worker_used_up(self, worker_id: str, message: Document) -> None:
        if self._crew is not None:
            self._crew.note_used_up(worker_id, message)

    def _trouble_came(self, worker_id: str, message: Document) -> None:
        """A worker can't take part: then it is not the run that was asked for."""
        if self._is_going_on(message["run_id"]):
            self._troubles[worker_id] = message["sentence"]
            gevent.spawn(self._runner.quit if self._headless else self._runner.stop)
