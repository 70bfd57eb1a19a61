"""The process that decides about a run, and its life with Locust: a local run, or a master.

A run ends in `test_stopping`, which Locust fires first however a run is stopped: by its shape, by the web UI, by
Ctrl-C, by SIGTERM. There the load is drained, the last reports are gathered and the verdict is made. Locust itself
would wait half a second and hope.
"""

from __future__ import annotations

import signal
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import gevent
from locust.env import Environment
from locust.rpc import Message
from locust.runners import STATE_MISSING, WORKER_REPORT_INTERVAL, LocalRunner, MasterRunner
from locust.web import WebUI

from upswarm.errors import EXIT_GENERATOR, UpswarmError
from upswarm.swarm.gathering import DRAIN, LAST_REPORT, REPORT
from upswarm.swarm.load import GRACE_S, HURRY_S, Load
from upswarm.swarm.signals import end_on
from upswarm.swarm.steering import Steering, Wishes
from upswarm.swarm.webform import guard_swarm
from upswarm.workload.mix import Share

_REPORT_MARGIN_S = 15.0
_LOCAL = "local"


class RunSession(ABC):
    """One run after the other, from the plan to the verdict."""

    _progress_every_s = 1.0

    def __init__(self, environment: Environment, runner: LocalRunner | MasterRunner, web_ui: WebUI | None) -> None:
        assert environment.parsed_options is not None
        self._environment = environment
        self._runner = runner
        self._options = environment.parsed_options
        self._headless = bool(self._options.headless)
        self._progress: gevent.Greenlet | None = None
        self._finishing: gevent.Greenlet | None = None
        self.steering = Steering()
        environment.events.test_start.add_listener(self._start)
        environment.events.test_stopping.add_listener(self._stop)
        environment.events.quitting.add_listener(self._quit)
        if self._headless or self._options.autostart:
            self._prepare_or_exit()
        if web_ui is not None:
            guard_swarm(web_ui, environment, self.steering.prepare)
        if self._headless:
            end_on(self._end, signal.SIGINT, signal.SIGTERM)

    @abstractmethod
    def _begin(self) -> list[str]:
        """Let the uploads begin, and return the ids of those who will report."""

    @abstractmethod
    def _collect(self) -> None:
        """Bring in what has been measured and does not come by itself."""

    @abstractmethod
    def _drain(self, grace_s: float) -> None:
        """End the uploads, and return when every last report is here or lost."""

    def _prepare_or_exit(self) -> None:
        """What is wrong is said before any user starts."""
        wishes = Wishes(
            scenario=self._options.scenario,
            reports=Path(self._options.reports),
            target=self._environment.host,
            users=self._options.num_users,
            spawn_rate_per_s=self._options.spawn_rate,
            duration_s=self._options.run_time,
        )
        try:
            self.steering.prepare(wishes)
        except UpswarmError as error:
            print(error, file=sys.stderr)
            sys.exit(error.exit_code)

    def _start(self, **_: Any) -> None:
        self.steering.start(self._begin())
        self._progress = gevent.spawn(self._show_progress)
        gevent.spawn_later(self.steering.plan.stages.duration_s, self._time_is_up, self.steering.plan.run_id)

    def _show_progress(self) -> None:
        while True:
            gevent.sleep(self._progress_every_s)
            self._collect()
            self.steering.show_progress(self._runner.user_count)

    def _time_is_up(self, run_id: str) -> None:
        """The shape would notice too, but it looks only once a second."""
        if self.steering.running and self._finishing is None and self.steering.plan.run_id == run_id:
            if self._headless:
                self._runner.quit()
            else:
                self._runner.stop()

    def _stop(self, **_: Any) -> None:
        """Locust may come here a second time, by the shape, while the first is under way, and goes on to stop users.

        So everyone waits; and the work is done in a greenlet of its own, for Locust may kill those that wait.
        """
        if self.steering.running and self._finishing is None:
            self._finishing = gevent.spawn(self._finish)
        if self._finishing is not None:
            self._finishing.join()

    def _finish(self) -> None:
        self.steering.hold_users()
        complete = self.steering.complete
        faults = self._faults(complete=complete)
        self._drain((self._environment.stop_timeout or GRACE_S) if complete else HURRY_S)
        if self._progress is not None:
            self._progress.kill()
        faults += [f"the generator failed: {each['msg']}" for each in self._runner.exceptions.values()]
        self._environment.process_exit_code = self.steering.finish(faults).exit_code
        self._finishing = None

    def _faults(self, *, complete: bool) -> list[str]:
        if complete:
            return [f"worker {worker_id} left before the end" for worker_id in self.steering.left()]
        if self._headless:
            planned_s = self.steering.plan.stages.duration_s
            return [f"the run was cut off after {self.steering.elapsed_s:.1f} s of {planned_s:g} s"]
        return []  # somebody pressed Stop

    def _end(self) -> None:
        """Stop what is running, in order; where nothing runs yet, leave."""
        if self.steering.running:
            self._runner.quit()
        else:
            self._environment.events.quitting.fire(environment=self._environment, reverse=True)
            sys.exit(self._environment.process_exit_code)

    def _quit(self, **_: Any) -> None:
        """Locust takes the exit code right after this; on SIGTERM nothing has been stopped yet."""
        if self.steering.running:
            self._runner.stop()
        if self._finishing is not None:
            self._finishing.join()
        if self.steering.last_run is None and self._headless:
            print("the run was cut off before it started", file=sys.stderr)
            self._environment.process_exit_code = EXIT_GENERATOR
        self.steering.discard()


class LocalSession(RunSession):
    """A run of this process alone: share 0 of 1."""

    _load: Load | None = None

    @property
    def load(self) -> Load:
        """The load of the run that is going on."""
        assert self._load is not None
        return self._load

    def _begin(self) -> list[str]:
        self._load = Load(self._environment, self.steering.plan, Share(0, 1))
        return [_LOCAL]

    def _collect(self) -> None:
        self.steering.take(_LOCAL, self.load.report())

    def _drain(self, grace_s: float) -> None:
        self.load.drain(grace_s)
        self.steering.take(_LOCAL, self.load.report(last=True))
        self._load = None


class MasterSession(RunSession):
    """A run of many workers, which report by themselves."""

    _progress_every_s = WORKER_REPORT_INTERVAL  # a line more often would show their rhythm, not the target's

    def __init__(self, environment: Environment, runner: MasterRunner, web_ui: WebUI | None) -> None:
        self._master = runner
        environment.events.worker_report.add_listener(self._reported)
        runner.register_message(LAST_REPORT, self._last_report_came)
        super().__init__(environment, runner, web_ui)

    def _begin(self) -> list[str]:
        clients = self._master.clients
        ready = [client.id for client in (*clients.ready, *clients.spawning, *clients.running)]
        worker_ids = sorted(ready, key=self._master.get_worker_index)
        self._options.upswarm_plan = self.steering.plan.to_document(worker_ids)  # goes out with the spawn message
        return worker_ids

    def _collect(self) -> None:
        """Reports come by themselves."""

    def _drain(self, grace_s: float) -> None:
        self._master.send_message(DRAIN, {"grace_s": grace_s})
        with gevent.Timeout(grace_s + _REPORT_MARGIN_S, False):
            while any(not self._is_missing(worker_id) for worker_id in self.steering.waiting_for()):
                gevent.sleep(0.05)

    def _is_missing(self, worker_id: str) -> bool:
        client = self._master.clients.get(worker_id)
        return client is not None and client.state == STATE_MISSING

    def _reported(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        if REPORT in data:
            self.steering.take(client_id, data[REPORT])

    def _last_report_came(self, environment: Environment, msg: Message, **_: Any) -> None:
        self.steering.take(msg.node_id, msg.data)
