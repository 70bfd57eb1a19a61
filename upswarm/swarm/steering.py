"""The one end of a run that decides: it prepares, counts the time, adds up, judges and writes. Workers have none."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import locust

from upswarm import __version__
from upswarm.errors import UpswarmError, UsageError
from upswarm.files import new_folder
from upswarm.reports.html import write_report
from upswarm.reports.progress import progress_line
from upswarm.reports.summary import terminal_summary
from upswarm.results.measurements import Measurements
from upswarm.results.metrics import Summary
from upswarm.results.run_file import Machine, Run
from upswarm.scenario import library, loader
from upswarm.scenario.model import Scenario
from upswarm.scenario.target import EMBEDDED
from upswarm.swarm.embedded import EmbeddedServer
from upswarm.swarm.gathering import Gathering
from upswarm.swarm.plan import Plan
from upswarm.swarm.target import check_reachable, chosen
from upswarm.transfer.clock import SystemClock
from upswarm.units import UnitError, parse_rate
from upswarm.workload.kinds import Override

_TIMER_S = 0.05  # a timer may be early by so much


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for, on the command line or in the web form; None leaves it to the scenario."""

    scenario: str
    reports: Path
    target: str | None = None
    users: int | None = None
    spawn_rate_per_s: float | None = None
    duration_s: float | None = None
    rate: str = ""

    def override(self) -> Override:
        """What is wished of the workload; raises `UsageError`."""
        try:
            rate_per_s = parse_rate(self.rate) if self.rate else None
        except UnitError as error:
            raise UsageError(f"--rate: {error}") from error
        return Override(self.users, self.spawn_rate_per_s, self.duration_s, rate_per_s)


class Steering:
    """Steers one run after the other. A run is prepared, started and finished, in this order."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._plan: Plan | None = None
        self._embedded: EmbeddedServer | None = None
        self._folder: Path | None = None
        self._gathering = Gathering("", [])
        self._started_s: float | None = None
        self._started_wall = 0.0
        self._interval = Measurements()
        self._interval_from_s = 0.0
        self._holding = False
        self._workers = 1
        self.used_up = False
        self.last_run: Run | None = None

    @property
    def running(self) -> bool:
        """Whether a run has been started and not been finished."""
        return self._started_s is not None

    @property
    def plan(self) -> Plan:
        """The plan that was prepared last."""
        assert self._plan is not None
        return self._plan

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run was started."""
        return 0.0 if self._started_s is None else self._clock.now() - self._started_s

    @property
    def complete(self) -> bool:
        """Whether the run has lasted as long as planned, or has used up its uploads."""
        planned_s = self.plan.workload.planned_s
        return self.used_up if planned_s is None else self.elapsed_s >= planned_s - _TIMER_S

    def prepare(self, wishes: Wishes) -> None:
        """Read the scenario, find the target and make a folder; raises `UpswarmError`, and then nothing runs."""
        self.discard()
        scenario = loader.load(library.find(wishes.scenario))
        override = wishes.override()
        scenario.build_workload().overridden(override)  # before a folder is made and a server started
        self._folder = _new_folder(wishes.reports, scenario.name)
        try:
            target_url = self._find_target(wishes.target, scenario)
        except UpswarmError:
            self.discard()
            raise
        self._plan = Plan.of(self._folder.name, scenario, target_url, override)
        self._holding = self.used_up = False

    def start(self, worker_ids: list[str]) -> None:
        """The users are about to start."""
        self._gathering = Gathering(self.plan.run_id, worker_ids)
        self._workers = len(worker_ids)
        self._started_s, self._started_wall = self._clock.now(), self._clock.wall()
        self._interval, self._interval_from_s = Measurements(), 0.0
        print(f"{self.plan.scenario.name}: uploading to {self.plan.target_url}", flush=True)

    def users_now(self) -> int | None:
        """How many users there should be; None when the run has lasted long enough, or is being ended."""
        if self._holding or self.used_up:
            return None
        return self.plan.workload.users_at(self.elapsed_s, self._workers)

    def hold_users(self) -> None:
        """The run is being ended: until the next one is prepared, users neither come nor go by the stages."""
        self._holding = True

    def take(self, worker_id: str, report: dict[str, Any]) -> None:
        """Add a worker's report."""
        measurements = self._gathering.take(worker_id, report)
        if measurements is not None:
            self._interval.add(measurements)

    def waiting_for(self) -> set[str]:
        """The workers whose last report is not there yet."""
        return self._gathering.waiting_for()

    def left(self) -> set[str]:
        """The workers that have sent their last report already."""
        return self._gathering.left()

    def show_progress(self, users: int) -> None:
        """Print one line about now."""
        elapsed_s = self.elapsed_s
        line = progress_line(
            self._gathering.total,
            self._interval,
            elapsed_s=elapsed_s,
            planned_s=self.plan.workload.planned_s,
            interval_s=elapsed_s - self._interval_from_s,
            users=users,
        )
        self._interval, self._interval_from_s = Measurements(), elapsed_s
        print(line, flush=True)

    def finish(self, faults: list[str]) -> Run:
        """Judge, write the run file and the report, print the summary; `faults` are the generator's own.

        A report that can't be written is one more of them: whoever looks for it later must not find a success.
        """
        assert self._folder is not None
        run = self._judge(faults)
        try:
            written = f"run file  {run.save(self._folder)}\nreport    {write_report(run, self._folder)}\n"
        except OSError as error:
            fault = f"the report could not be written: {error}"
            run, written = replace(run, generator_faults=(*run.generator_faults, fault)), ""
        self._started_s, self.last_run = None, run
        print(f"\n{terminal_summary(run, colour=sys.stdout.isatty())}\n{written}", end="", flush=True)
        self.discard()
        return run

    def discard(self) -> None:
        """Stop the embedded server, and remove the folder of a run that left nothing in it."""
        if self._embedded is not None:
            self._embedded.stop()
            self._embedded = None
        if self._folder is not None:
            with suppress(OSError):
                self._folder.rmdir()
            self._folder = None

    def _judge(self, faults: list[str]) -> Run:
        plan, total, elapsed_s = self.plan, self._gathering.total, self.elapsed_s
        workers = tuple(self._gathering.records())
        lost = [f"worker {each.worker_id} was lost before it had reported everything" for each in workers if each.lost]
        idle = ["no request was sent"] if total.attempts == 0 else []
        summary = Summary(total, elapsed_s)
        return Run(
            run_id=plan.run_id,
            scenario=plan.scenario.resolved(),
            target=plan.target_url,
            started_at=datetime.fromtimestamp(self._started_wall, UTC).isoformat(timespec="seconds"),
            elapsed_s=elapsed_s,
            planned_s=plan.workload.planned_s,
            peak_users=plan.workload.peak_users,
            workload=str(plan.workload),
            measurements=total,
            verdicts=tuple(threshold.judge(summary) for threshold in plan.scenario.build_thresholds()),
            workers=workers,
            machine=_machine(),
            generator_faults=(*faults, *lost, *idle),
        )

    def _find_target(self, wished: str | None, scenario: Scenario) -> str:
        url, settings = chosen(wished, scenario), scenario.target.embedded
        if url == EMBEDDED:
            self._embedded = EmbeddedServer(settings.environ(scenario.seed) if settings is not None else {})
            return self._embedded.url
        check_reachable(url, scenario.transfer.open_transport(url))
        return url


def _new_folder(reports: Path, name: str) -> Path:
    """A folder that no other run has, named after the moment and the scenario."""
    return new_folder(reports, f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{name}")


def _machine() -> Machine:
    return Machine(
        host=platform.node(),
        system=platform.platform(),
        cpus=os.cpu_count() or 1,
        python=platform.python_version(),
        upswarm=__version__,
        locust=locust.__version__,
    )
