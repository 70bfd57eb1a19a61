"""The process that decides about runs, a local run or a master: its own beginning, and its own end."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner
from locust.web import WebUI

from upswarm.errors import EXIT_GENERATOR, UpswarmError
from upswarm.results.events import check_path
from upswarm.scenario.urls import EMBEDDED
from upswarm.swarm.muster import check_tasks
from upswarm.swarm.options import chosen_overrides
from upswarm.swarm.run_life import LOOK_S, RunLife
from upswarm.swarm.signals import end_on
from upswarm.swarm.target import checked
from upswarm.swarm.web.webform import guard_swarm
from upswarm.swarm.wishes import Wishes

_PREPARING_S = 5.0


class RunSession(RunLife):
    """Prepares a run or opens the web UI, and leaves with the exit code that the last run has earned."""

    def __init__(self, environment: Environment, runner: LocalRunner | MasterRunner, web_ui: WebUI | None) -> None:
        super().__init__(environment, runner)
        self._leaving = self._preparing = False
        environment.events.quitting.add_listener(self._quit)
        if self._headless:
            # SIGTERM comes from somebody who will not wait for an audit, and whose server may be ending too.
            gevent.signal_handler(signal.SIGTERM, self.steering.auditing.cut_short)
            end_on(self._end, signal.SIGINT, signal.SIGTERM)
        else:  # Locust's own end, which it knows for SIGTERM alone
            end_on(lambda: os.kill(os.getpid(), signal.SIGTERM), signal.SIGINT)
        self._prepare_or_exit()
        if web_ui is not None:
            guard_swarm(web_ui, environment, self.steering)

    def _prepare_or_exit(self) -> None:
        """What is wrong is said before any user starts."""
        try:
            check_tasks(self._environment)
            checked(self._environment.host or EMBEDDED)
            if self._options.events:
                check_path(Path(self._options.events))
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
            drill=self._options.drill,
            baseline=self._options.baseline,
        )

    def _end(self) -> None:
        """Stop what is running, in order, and hurry where it is being stopped; where nothing runs yet, leave."""
        if self.steering.running and self._finishing is not None:
            self._hurry()
            self.steering.auditing.cut_short()
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
        if not self._headless:
            self.steering.auditing.cut_short()
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
