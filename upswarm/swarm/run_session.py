"""The process that decides about a run, and its life with Locust: a local run, or a master.

A run ends in `test_stopping`, which Locust fires first however a run is stopped: by its shape, by the web UI, by
Ctrl-C, by SIGTERM. There the load is drained, the last reports are gathered and the verdict is made. Locust itself
would wait half a second and hope.
"""

from __future__ import annotations

import os
import signal
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import STATE_STOPPED, LocalRunner, MasterRunner
from locust.web import WebUI

from upswarm.errors import EXIT_GENERATOR, UpswarmError
from upswarm.swarm.beside import at_its_end, failures
from upswarm.swarm.hosts import Hosts
from upswarm.swarm.muster import check_tasks
from upswarm.swarm.options import chosen_overrides
from upswarm.swarm.outputs import LocustOutputs
from upswarm.swarm.signals import end_on
from upswarm.swarm.steering import Steering
from upswarm.swarm.uncaught import uncaught
from upswarm.swarm.uploading.load import GRACE_S, HURRY_S
from upswarm.swarm.web.webform import guard_swarm
from upswarm.swarm.wishes import Wishes
from upswarm.workload.kinds import FixedLoad

_PREPARING_S = 5.0
LOOK_S = 0.05
"""How often somebody looks whether what he waits for has come."""


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
        self._tidying: gevent.Greenlet | None = None
        self._ending: Any = None  # the greenlet in which Locust ends the run
        self._has_begun = False
        self._cut_off = self._leaving = self._preparing = False
        self._outputs = LocustOutputs(environment)
        self._hosts = Hosts(environment)
        self.steering = Steering(environment, sys.stderr if self._outputs.prints_json else sys.stdout)
        environment.events.test_start.add_listener(self._start)
        environment.events.spawning_complete.add_listener(self._spawned)
        environment.events.test_stopping.add_listener(self._stop)
        environment.events.test_stop.add_listener(self._stopped)
        environment.events.quitting.add_listener(self._quit)
        if self._headless:
            end_on(self._end, signal.SIGINT, signal.SIGTERM)
        else:  # Locust's own end, which it knows for SIGTERM alone
            end_on(lambda: os.kill(os.getpid(), signal.SIGTERM), signal.SIGINT)
        self._prepare_or_exit()
        if web_ui is not None:
            guard_swarm(web_ui, environment, self.steering)

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

    def _prepare_or_exit(self) -> None:
        """What is wrong is said before any user starts."""
        try:
            check_tasks(self._environment)
            if self._headless or self._options.autostart:
                self._preparing = True
                self.steering.prepare(self._wishes())
        except UpswarmError as error:
            self._preparing = False
            if self._leaving:  # that has been said
                sys.exit(self._environment.process_exit_code)
            print(error, file=sys.stderr)
            sys.exit(error.exit_code)
        self._preparing = False
        if self._options.autostart:
            self._options.run_time = None  # Locust would stop what runs so long after this run: perhaps the next one

    def _wishes(self) -> Wishes:
        return Wishes(
            scenario=self._options.scenario,
            reports=Path(self._options.reports),
            target=self._environment.host,
            users=self._options.num_users,
            spawn_rate_per_s=self._options.spawn_rate,
            duration_s=self._options.run_time,
            rate=self._options.rate,
            overrides=chosen_overrides(vars(self._options)),
        )

    def _start(self, **_: Any) -> None:
        self._hosts.open(self.steering.plan.target_url, given=self.steering.target_given)
        started_s = self.steering.clock.now()
        self.steering.start(self._begin(started_s), started_s)
        self._ending, self._has_begun = None, False
        self._progress = gevent.spawn(self._show_progress)
        plan = self.steering.plan
        if plan.workload.ends_s is not None:
            gevent.spawn_later(plan.workload.ends_s, self._time_is_up, plan.run_id)
        if isinstance(plan.workload, FixedLoad):
            gevent.spawn(self._await_used_up, plan.run_id)

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
        complete = self.steering.complete
        faults = self._faults(complete=complete)
        self._drain((self._environment.stop_timeout or GRACE_S) if complete else HURRY_S, complete=complete)
        if self._progress is not None:
            self._progress.kill()
        faults += failures(self._runner)
        faults += [f"the generator failed: {sentence}" for sentence in uncaught()]
        self._environment.process_exit_code = self.steering.finish(faults).exit_code
        self._hosts.close()
        self._finishing = None

    def _faults(self, *, complete: bool) -> list[str]:
        if complete:
            return []
        workload, cut_off = self.steering.plan.workload, f"the run was cut off after {self.steering.elapsed_s:.1f} s"
        if isinstance(workload, FixedLoad):
            return [f"{cut_off}, before all of {workload} had ended"]
        if not (self._headless or self._cut_off):
            return []  # somebody pressed Stop
        planned_s = workload.planned_s
        return [f"{cut_off}, before its shape ended it" if planned_s is None else f"{cut_off} of {planned_s:g} s"]

    def _end(self) -> None:
        """Stop what is running, in order, and hurry where it is being stopped; where nothing runs yet, leave."""
        if self.steering.running and self._finishing is not None:
            self._hurry()
        elif self.steering.running:
            self._runner.quit()
        elif not self._leaving:
            self._leaving = True
            preparing = self._preparing
            self._environment.events.quitting.fire(environment=self._environment, reverse=True)
            if not (preparing and self._is_prepared_soon()):
                sys.exit(self._environment.process_exit_code)

    def _is_prepared_soon(self) -> bool:
        """Whether whoever prepares a run has seen that it is not wanted any more, and leaves."""
        with gevent.Timeout(_PREPARING_S, False):
            while self._preparing:
                gevent.sleep(LOOK_S)
        return not self._preparing

    def _give_up(self, reason: str) -> None:
        print(reason, file=sys.stderr)
        self._environment.process_exit_code = EXIT_GENERATOR
        self._end()

    def _quit(self, **_: Any) -> None:
        """Locust takes the exit code right after this; on SIGTERM nothing has been stopped yet."""
        if self.steering.running:
            self._cut_off = True
            self._runner.stop()
        if self._finishing is not None:
            self._finishing.join()
        at_once = self._headless or self._options.autostart
        if at_once and self.steering.last_run is None and self._environment.process_exit_code is None:
            print("the run was cut off before it started", file=sys.stderr)
            self._environment.process_exit_code = EXIT_GENERATOR
        if self._tidying is not None:
            self._tidying.join()
        self.steering.premises.discard()
        problem = self._outputs.write(self.steering.last_run)
        if problem is not None:
            print(problem, file=sys.stderr)
            self._environment.process_exit_code = self._environment.process_exit_code or EXIT_GENERATOR
