"""The one end of a run that decides: it prepares, counts the time, adds up, judges and writes. Workers have none."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import locust
from locust.env import Environment

from upswarm import __version__
from upswarm.errors import UsageError
from upswarm.files import new_folder
from upswarm.reports.html import write_report
from upswarm.reports.progress import Volumes, progress_line
from upswarm.reports.summary import terminal_summary
from upswarm.results.metrics import Summary
from upswarm.results.run_file import Machine, Run, WorkerRecord
from upswarm.scenario import library, loader
from upswarm.scenario.model import Scenario
from upswarm.scenario.target import EMBEDDED
from upswarm.swarm.beside import agreed
from upswarm.swarm.embedded import EmbeddedServer
from upswarm.swarm.gathering import Gathering
from upswarm.swarm.plan import Plan
from upswarm.swarm.target import check_reachable, chosen
from upswarm.swarm.watching import Watch
from upswarm.swarm.wishes import Wishes
from upswarm.transfer.clock import SystemClock
from upswarm.workload.kinds import ClosedLoad
from upswarm.workload.led import LedLoad

_TIMER_S = 0.05  # a timer may be early by so much


class Steering:
    """Steers one run after the other. A run is prepared, started and finished, in this order."""

    def __init__(self, environment: Environment, out: TextIO = sys.stdout) -> None:
        self._environment = environment
        self._out = out
        self.clock = SystemClock()
        self._plan: Plan | None = None
        self._embedded: EmbeddedServer | None = None
        self._spent: EmbeddedServer | None = None
        self._folder: Path | None = None
        self._gathering = Gathering("", [])
        self._started_s: float | None = None
        self._started_wall = 0.0
        self._interval = Volumes()
        self._interval_from_s = 0.0
        self._holding = False
        self._workers = 1
        self.cuts = 0
        self._notes: list[str] = []
        self._lost: set[str] = set()
        self.used_up = self.ended = False
        self.target_given = False
        self._most_users = 0
        self.last_run: Run | None = None
        self.watch = Watch()

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
    def gathering(self) -> Gathering:
        """What has been gathered of the run that goes on; not to be changed."""
        return self._gathering

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run was started."""
        return 0.0 if self._started_s is None else self.clock.now() - self._started_s

    @property
    def complete(self) -> bool:
        """Whether the run has lasted as long as planned, has used up its uploads, or was `ended` by who leads it."""
        planned_s = self.plan.workload.planned_s
        return self.ended or (self.used_up if planned_s is None else self.elapsed_s >= planned_s - _TIMER_S)

    def prepare(self, wishes: Wishes) -> None:
        """Read the scenario, find the target and make a folder; raises `UpswarmError`, and then nothing runs."""
        self.discard()
        scenario = wishes.overrides.applied_to(loader.load(library.find(wishes.scenario)), wishes.target)
        override = wishes.override()
        workload = scenario.build_workload().overridden(override)  # before a folder is made and a server started
        workload = agreed(workload, self._environment, wishes.duration_s)
        self._folder = _new_folder(wishes.reports, scenario.name)
        try:
            target_url = self._find_target(wishes.target, scenario)
        except Exception:
            self.discard()
            raise
        self._plan = replace(Plan.of(self._folder.name, scenario, target_url, override), workload=workload)
        self.target_given = wishes.target is not None
        self._holding = self.used_up = self.ended = False

    def start(self, worker_ids: list[str], started_s: float) -> None:
        """The users are about to start, in a run that counts from this moment."""
        self._gathering = Gathering(self.plan.run_id, worker_ids)
        self._workers = len(worker_ids)
        self._notes, self._lost = [], set()
        self._started_s, self._started_wall = started_s, self.clock.wall() - (self.clock.now() - started_s)
        self._interval, self._interval_from_s, self._most_users = Volumes(), 0.0, 0
        self.watch.begin()
        print(f"{self.plan.scenario.name}: uploading to {self.plan.target_url}", file=self._out, flush=True)

    def users_now(self) -> int | None:
        """How many users there should be; None when the run has lasted long enough, or is being ended."""
        if self._holding or self.used_up:
            return None
        return self.plan.workload.users_at(self.elapsed_s, self._workers)

    def note(self, sentence: str) -> None:
        """Something happened to the generator that the report has to tell, and that need not be a fault."""
        self._notes.append(f"after {self.elapsed_s:.1f} s {sentence}")

    def crew_changed(self, workers: int, *, joined: str | None = None, lost: str | None = None) -> None:
        """Workers came or went, and so many share the load now; lost is whoever did not stay until the end."""
        self._workers = workers
        self.cuts += 1
        if joined is not None:
            self._gathering.expect(joined)
        if lost is not None:
            self._lost.add(lost)

    def following(self, worker_id: str) -> tuple[int, ...]:
        """A worker's share as it last reported it."""
        return self._gathering.following(worker_id)

    def edit_users(self, users: int, spawn_rate_per_s: float) -> None:
        """From now on so many users, who come or go at this rate; raises `UsageError` where that can't be."""
        workload = self.plan.workload
        if not isinstance(workload, ClosedLoad) or isinstance(workload, LedLoad):
            raise UsageError(f"the users of this run can't be edited, for it is {workload}",
                             hint="stop it, and start another one")  # fmt: skip
        if self._holding or self.users_now() is None:
            raise UsageError("the run is about to end, so its users can't be edited any more")
        self._plan = replace(self.plan, workload=workload.edited(self.elapsed_s, users, spawn_rate_per_s))
        self.note(f"somebody changed the number of users to {users}")

    def hold_users(self) -> None:
        """The run is being ended: until the next one is prepared, users neither come nor go by the stages."""
        self._holding = True

    def take(self, worker_id: str, report: dict[str, Any]) -> None:
        """Add a worker's report."""
        measurements = self._gathering.take(worker_id, report)
        if measurements is not None:
            self._interval = self._interval.plus(measurements)
            self.watch.heard(worker_id, report, measurements, self.elapsed_s)

    def waiting_for(self) -> set[str]:
        """The workers whose last report is not there yet."""
        return self._gathering.waiting_for()

    def show_progress(self, users: int) -> None:
        """Print one line about now."""
        elapsed_s, self._most_users = self.elapsed_s, max(users, self._most_users)
        line = progress_line(
            self._gathering.total,
            self._interval,
            elapsed_s=elapsed_s,
            planned_s=self.plan.workload.planned_s,
            interval_s=elapsed_s - self._interval_from_s,
            users=users,
        )
        self._interval, self._interval_from_s = Volumes(), elapsed_s
        print(line, file=self._out, flush=True)

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
        else:
            self.watch.ended(run, self._folder)
        self._started_s, self.last_run = None, run
        summary = terminal_summary(run, colour=self._out.isatty())
        print(f"\n{summary}\n{written}", end="", file=self._out, flush=True)
        self._spent, self._embedded = self._embedded, None
        self._forget_folder()
        return run

    def tidy(self) -> None:
        """Stop the embedded server of a run that is over, now that no user needs it any more."""
        spent, self._spent = self._spent, None
        if spent is not None:
            spent.stop()

    def discard(self) -> None:
        """Stop the embedded server, and remove the folder of a run that left nothing in it."""
        self.tidy()
        if self._embedded is not None:
            self._embedded.stop()
            self._embedded = None
        self._forget_folder()

    def _forget_folder(self) -> None:
        if self._folder is not None:
            with suppress(OSError):
                self._folder.rmdir()
            self._folder = None

    def _judge(self, faults: list[str]) -> Run:
        plan, total, elapsed_s = self.plan, self._gathering.total, self.elapsed_s
        workers = tuple(self._gathering.records())
        lost = self._losses(workers)
        idle = ["no request was sent"] if total.attempts == 0 else []
        summary = Summary(total, elapsed_s)
        return Run(
            run_id=plan.run_id,
            scenario=plan.scenario.resolved(),
            target=plan.target_url,
            started_at=datetime.fromtimestamp(self._started_wall, UTC).isoformat(timespec="seconds"),
            elapsed_s=elapsed_s,
            planned_s=plan.workload.planned_s,
            peak_users=plan.workload.peak_users or self._most_users,
            workload=str(plan.workload),
            measurements=total,
            verdicts=tuple(threshold.judge(summary) for threshold in plan.scenario.build_thresholds()),
            workers=workers,
            machine=_machine(),
            generator_faults=(*faults, *lost, *idle),
            notes=tuple(self._notes),
        )

    def _losses(self, workers: tuple[WorkerRecord, ...]) -> list[str]:
        """Sentences about workers that did not stay until the end; none where the scenario allows as many."""
        unheard = {each.worker_id for each in workers if each.lost}
        left = sorted(self._lost - unheard)
        losses = [f"worker {each} was lost before it had reported everything" for each in sorted(unheard)]
        losses += [f"worker {each} left before the end" for each in left]
        if len(losses) > self.plan.scenario.workload.allowed_lost_workers:
            return losses
        self._notes += losses
        return []

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
