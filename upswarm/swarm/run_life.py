"""The life of a run with Locust, from its start to its verdict.

A run ends in `test_stopping`, which Locust fires first however a run is stopped: by its shape, by the web UI, by
Ctrl-C, by SIGTERM. There the load is drained, the last reports are gathered and the verdict is made. Locust itself
would wait half a second and hope.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import STATE_STOPPED, LocalRunner, MasterRunner

from upswarm.swarm.beside import at_its_end, failures
from upswarm.swarm.hosts import Hosts
from upswarm.swarm.outputs import LocustOutputs
from upswarm.swarm.steering import Steering
from upswarm.swarm.uncaught import uncaught
from upswarm.swarm.uploading.load import GRACE_S, HURRY_S
from upswarm.workload.kinds import FixedLoad

_JUDGE_EVERY_S = 1.0
LOOK_S = 0.05
"""How often somebody looks whether what he waits for has come."""


class RunLife(ABC):
    """One run after the other, in a process that decides about them: a local run, or a master."""

    _progress_every_s = 1.0

    def __init__(self, environment: Environment, runner: LocalRunner | MasterRunner) -> None:
        assert environment.parsed_options is not None
        self._environment = environment
        self._runner = runner
        self._options = environment.parsed_options
        self._headless = bool(self._options.headless)
        self._progress: gevent.Greenlet | None = None
        self._finishing: gevent.Greenlet | None = None
        self._tidying: gevent.Greenlet | None = None
        self._ending: Any = None  # the greenlet in which Locust ends the run
        self._has_begun = self._cut_off = False
        self._outputs = LocustOutputs(environment)
        self._hosts = Hosts(environment)
        self.steering = Steering(environment, sys.stderr if self._outputs.prints_json else sys.stdout)
        environment.events.test_start.add_listener(self._start)
        environment.events.spawning_complete.add_listener(self._spawned)
        environment.events.test_stopping.add_listener(self._stop)
        environment.events.test_stop.add_listener(self._stopped)

    @abstractmethod
    def _begin(self, started_s: float) -> list[str]:
        """Prepare the load of a run that counts from this moment, and return the ids of those who will report."""

    @abstractmethod
    def _go(self, zero_s: float) -> None:
        """The users are there: schedules count from this moment."""

    @abstractmethod
    def _collect(self) -> None:
        """Bring in what has been measured and does not come by itself."""

    @abstractmethod
    def _used_up(self) -> bool:
        """Whether the uploads of a run that has a fixed number of them have all ended."""

    @abstractmethod
    def _hurry(self) -> None:
        """The uploads under way in a run that is ending shall end as if it were cut off."""

    @abstractmethod
    def _drain(self, grace_s: float, *, complete: bool) -> None:
        """End the uploads, and return when every last report is here or lost."""

    def _start(self, **_: Any) -> None:
        self._hosts.open(self.steering.plan.target_url, given=self.steering.prepared.target_given)
        self.steering.prepared.server_counts.begin()
        started_s = self.steering.clock.now()
        self.steering.start(self._begin(started_s), started_s)
        self._ending, self._has_begun = None, False
        self._progress = gevent.spawn(self._show_progress)
        plan = self.steering.plan
        if plan.workload.ends_s is not None:
            gevent.spawn_later(plan.workload.ends_s, self._time_is_up, plan.run_id)
        if isinstance(plan.workload, FixedLoad):
            gevent.spawn(self._await_used_up, plan.run_id)
        if self.steering.verdicts.aborts:
            gevent.spawn(self._await_breach, plan.run_id)

    def _spawned(self, **_: Any) -> None:
        """Locust says so with each change of the number of users; the first time is when they are there."""
        if self.steering.running and not self._has_begun:
            self._has_begun = True
            self._go(self.steering.clock.now())

    def _await_used_up(self, run_id: str) -> None:
        """A run of so many uploads ends with the last of them."""
        while self._is_going_on(run_id):
            if self._used_up():
                self.steering.used_up = True
                self._time_is_up(run_id)
                return
            gevent.sleep(LOOK_S)

    def _await_breach(self, run_id: str) -> None:
        """A threshold may end the run early."""
        while self._is_going_on(run_id):
            gevent.sleep(_JUDGE_EVERY_S)
            if self._is_going_on(run_id) and self.steering.ends_early():
                self._time_is_up(run_id)
                return

    def _show_progress(self) -> None:
        while True:
            gevent.sleep(self._progress_every_s)
            self._collect()
            self.steering.show_progress(self._runner.user_count)

    def _time_is_up(self, run_id: str) -> None:
        """The shape would notice too, but it looks only once a second."""
        if self._is_going_on(run_id):
            if self._headless:
                self._runner.quit()
            else:
                self._runner.stop()

    def _is_going_on(self, run_id: str) -> bool:
        return self.steering.running and self._finishing is None and self.steering.plan.run_id == run_id

    def _stop(self, **_: Any) -> None:
        """Locust goes on to stop users, and may come here a second time, by `--run-time`, while the first is under way.

        So the second waits until the first has stopped them, for users can't be stopped twice; and the work is done in
        a greenlet of its own, for Locust may kill those that wait.
        """
        if self.steering.running and self._finishing is None:
            self._ending = gevent.getcurrent()
            self.steering.ended = at_its_end(self.steering.plan.workload, self._environment)
            self._finishing = gevent.spawn(self._finish)
        elif self._ending is not None:
            self._await_stopped()
        if self._finishing is not None:
            self._finishing.join()

    def _stopped(self, **_: Any) -> None:
        """The users are gone, unless Locust is about to end: then those of workers are still there until `_quit`."""
        if not self._headless:  # beside, for a shape that ended the run waits here, and the next run for the shape
            self._tidying = gevent.spawn(self.steering.premises.tidy)

    def _await_stopped(self) -> None:
        ending = self._ending
        while self._runner.state != STATE_STOPPED and not ending.dead and ending is not gevent.getcurrent():
            gevent.sleep(LOOK_S)

    def _finish(self) -> None:
        self.steering.hold_users()
        complete, in_order = self.steering.complete, self.steering.verdicts.aborted is not None
        faults = self._faults(complete=complete) + self.steering.end_drill()
        self._drain((self._environment.stop_timeout or GRACE_S) if complete or in_order else HURRY_S, complete=complete)
        if self._progress is not None:
            self._progress.kill()
        faults += failures(self._runner)
        faults += [f"the generator failed: {sentence}" for sentence in uncaught()]
        self._environment.process_exit_code = self.steering.finish(faults, complete=complete).exit_code
        self._hosts.close()
        self._finishing = None

    def _faults(self, *, complete: bool) -> list[str]:
        if complete or self.steering.verdicts.aborted is not None:
            return []
        workload, cut_off = self.steering.plan.workload, f"the run was cut off after {self.steering.elapsed_s:.1f} s"
        if isinstance(workload, FixedLoad):
            return [f"{cut_off}, before all of {workload} had ended"]
        if not (self._headless or self._cut_off):
            return []  # somebody pressed Stop
        planned_s = workload.planned_s
        return [f"{cut_off}, before its shape ended it" if planned_s is None else f"{cut_off} of {planned_s:g} s"]
