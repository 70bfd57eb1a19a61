"""A worker's life with Locust: it is told the plan, uploads, reports, and sends a last report when it has drained."""

from __future__ import annotations

import math
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from gevent.event import AsyncResult, Event
from locust.env import Environment
from locust.runners import STATE_CLEANUP, WorkerRunner

from upswarm.errors import EXIT_OK
from upswarm.swarm.forks import end_with_parent
from upswarm.swarm.hosts import Hosts
from upswarm.swarm.plan import Plan
from upswarm.swarm.signals import end_on, ignore_ctrl_c
from upswarm.swarm.uncaught import uncaught
from upswarm.swarm.uploading.load import GRACE_S, HURRY_S, Load
from upswarm.swarm.uploading.stalls import remember_default_options
from upswarm.swarm.workers.handover import ANSWER, GRANT, OFFER, Handover
from upswarm.swarm.workers.introduction import Introduction
from upswarm.swarm.workers.seal import Seal
from upswarm.swarm.workers.wire import (
    DRAIN,
    GIVE,
    GIVEN,
    GO,
    LAST_REPORT,
    PLAN,
    REPORT,
    RETIRE,
    TAKE,
    TROUBLE,
    USED_UP,
    Document,
    Wire,
)
from upswarm.transfer.clock import SystemClock
from upswarm.transfer.suspended import Suspended
from upswarm.workload.shares import Share

_LOOK_S = 0.05
_IN_TOUCH_S = 3.0
_PATHS = ("reports", "events")
"""Where files go is a matter of each machine; Locust gives its workers the master's options when users come."""


class WorkerSession:
    """Everything that a worker does for a run; the verdict is the master's."""

    def __init__(self, environment: Environment, runner: WorkerRunner) -> None:
        assert environment.parsed_options is not None
        self._environment = environment
        self._runner = runner
        self._load: Load | None = None
        self._hosts = Hosts(environment)
        self._begun = AsyncResult()
        self._handed = 0
        self._over = False
        self._master_heard_s: float | None = None
        self._word_came_s = -math.inf
        self._reported = Event()
        environment.process_exit_code = EXIT_OK
        options = environment.parsed_options
        options.json = options.json_file = options.html_file = None  # the master has the numbers, and writes them
        self._own_paths = {name: getattr(options, name) for name in _PATHS}
        remember_default_options()
        environment.events.test_start.add_listener(self._start)
        environment.events.report_to_master.add_listener(self._report)
        environment.events.heartbeat_received.add_listener(self._master_came)
        environment.events.test_stopping.add_listener(self._stop)
        environment.events.quitting.add_listener(self._stop)  # on SIGTERM, Locust says good-bye before it stops
        self._wire = wire = Wire(runner, Seal.of_environment())
        self._clock = SystemClock()
        self._introduction = Introduction(wire, runner, self._clock)
        environment.events.quitting.add_listener(self._introduction.leave_for_silence)
        self._handover = Handover(self._send, self._take_up)
        self._listen(wire)
        if environment.parsed_options.processes:
            ignore_ctrl_c()
            end_with_parent(self._leave)
        else:
            end_on(runner.quit, signal.SIGINT)

    def load(self) -> Load:
        """This worker's part of the run; waits for the plan, where Locust sends users ahead of it.

        Users who start when the run is over already find it, and nothing to do.
        """
        load: Load = self._begun.get()
        return load

    def _listen(self, wire: Wire) -> None:
        wire.on(PLAN, self._plan_came)
        wire.on(GO, self._of_this_run(self._go))
        wire.on(GIVE, self._of_this_run(self._give))
        wire.on(TAKE, self._of_this_run(self._take))
        wire.on(DRAIN, self._of_this_run(self._drain), concurrent=True)
        wire.on(RETIRE, self._of_this_run(self._retire), concurrent=True)
        wire.on(OFFER, lambda _, data: self._handover.offered(data))
        wire.on(GRANT, lambda _, data: self._handover.granted(data))
        wire.on(ANSWER, lambda _, data: self._handover.answered(data))

    def _of_this_run(self, handle: Callable[[Load, Document], None]) -> Callable[[str, Document], None]:
        def handled(_: str, message: Document) -> None:
            load = self._load
            if load is not None and load.run_id == message["run_id"]:
                handle(load, message)

        return handled

    def _send(self, kind: str, document: Mapping[str, Any]) -> None:
        self._wire.send(kind, document, self._runner.client_id)

    def _start(self, **_: Any) -> None:
        """Locust starts a run. Its plan is here already, but where this worker joins a run that is going on."""
        if self._load is None or self._load.draining:
            self._begun = AsyncResult()

    def _plan_came(self, _: str, document: Document) -> None:
        vars(self._environment.parsed_options).update(self._own_paths)
        try:
            plan, share = Plan.of_document(document), _share_of(document)
            started_s = self._introduction.master_clock.here_s(document["started_s"])
            load = Load(self._environment, plan, share, started_s, offer=self._handover.offer, in_touch=self._in_touch)
        except Exception as error:  # whatever it is, nobody looks at this worker's terminal
            self._send(TROUBLE, {"run_id": document["run_id"], "sentence": str(error)})
            return
        self._hosts.lend(plan.target_url)
        self._load, self._handed, self._over = load, 0, False
        self._reported.clear()
        if self._begun.ready():
            self._begun = AsyncResult()
        self._begun.set(load)
        self._tell_when_used_up(load)

    def _go(self, load: Load, message: Document) -> None:
        load.begin(self._introduction.master_clock.here_s(message["zero_s"]))

    def _give(self, load: Load, message: Document) -> None:
        self._send(GIVEN, {**message, "following": load.give(message["count"])})

    def _take(self, load: Load, message: Document) -> None:
        self._handed += 1
        load.take(message["following"])
        self._tell_when_used_up(load)

    def _tell_when_used_up(self, load: Load) -> None:
        if load.used_up is not None:
            gevent.spawn(self._tell_used_up, load)

    def _tell_used_up(self, load: Load) -> None:
        assert load.used_up is not None
        load.used_up.wait()
        if load is self._load:
            self._send(USED_UP, {"run_id": load.run_id, "handed": self._handed})

    def _master_came(self, **_: Any) -> None:
        """The first word after a silence may be an old one: perhaps it was this process that stood still."""
        silent_s, self._word_came_s = self._clock.now() - self._word_came_s, self._clock.now()
        if silent_s < _IN_TOUCH_S:
            self._master_heard_s = self._clock.now()

    def _in_touch(self) -> bool:
        """Whether the master can't have given this worker up: it does so four seconds after the last heartbeat."""
        return self._master_heard_s is None or self._clock.now() - self._master_heard_s < _IN_TOUCH_S

    def _take_up(
        self, run_id: str, suspended: Suspended, granted: Callable[[], bool], ended: Callable[[], None]
    ) -> bool:
        load = self._load
        return load is not None and load.run_id == run_id and load.take_up(suspended, granted, ended)

    def _report(self, data: dict[str, Any], **_: Any) -> None:
        if self._load is not None and not self._over:
            data[REPORT] = self._wire.sealed(REPORT, self._runner.client_id, self._load.report())

    def _drain(self, load: Load, message: Document) -> None:
        """Said a second time, it is to hurry."""
        load.hurry(message["grace_s"])
        self._drain_and_report(load, message["grace_s"], complete=message["complete"])

    def _retire(self, load: Load, message: Document) -> None:
        """The master has heard nothing from this worker for some seconds, and goes on without it.

        Its share is others' by now: what is due there is neither begun nor dropped here.
        """
        if not load.draining:
            load.give(sys.maxsize)
            self._drain_and_report(load, HURRY_S)
            self._runner.quit()

    def _leave(self) -> None:
        """At once, but for users who are being stopped in order."""
        while self._runner.state == STATE_CLEANUP:
            gevent.sleep(_LOOK_S)
        self._runner.quit()

    def _stop(self, **_: Any) -> None:
        """The worker itself was told to stop, perhaps without a word from the master."""
        if self._load is not None:
            self._load.hurry(HURRY_S)
            self._drain_and_report(self._load, HURRY_S)
            self._reported.wait(GRACE_S)

    def _drain_and_report(self, load: Load, grace_s: float, *, complete: bool = False) -> None:
        if load.draining:
            return
        load.drain(grace_s, complete=complete)
        for sentence in uncaught():
            self._environment.events.user_error.fire(user_instance=None, exception=RuntimeError(sentence), tb=None)
        self._runner._send_stats()  # Locust's own last numbers: on its way out it gives them half a second
        report, self._over = load.report(last=True), True
        self._send(LAST_REPORT, report)
        self._reported.set()


def _share_of(document: Document) -> Share:
    """The part that the plan gives to this worker; whoever joins later begins with none, and is handed some."""
    if document["share"] is None:
        return Share(document["slots"])
    index, workers = document["share"]
    return Share.of(index, workers, document["slots"])
