"""The one end of a run that decides: it prepares, counts the time, adds up, judges and writes. Workers have none."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any, TextIO

from locust.env import Environment

from upswarm.errors import UsageError
from upswarm.reports.outputs import github, leaving
from upswarm.reports.progress import Volumes, progress_line
from upswarm.reports.summary import terminal_summary
from upswarm.results.marks import Mark, MarkKind
from upswarm.results.run_file import Run
from upswarm.results.thresholds import Verdict
from upswarm.swarm.auditing import Auditing
from upswarm.swarm.checkpoints import Checkpoints
from upswarm.swarm.drill.drill import Drill
from upswarm.swarm.judging import Incidents, judge
from upswarm.swarm.plan import Plan
from upswarm.swarm.premises import Premises
from upswarm.swarm.preparation import Preparation, prepare
from upswarm.swarm.telemetry.followers import Followers
from upswarm.swarm.verdicts import Verdicts
from upswarm.swarm.web.watching import Watch
from upswarm.swarm.wishes import Wishes
from upswarm.swarm.workers.gathering import Gathering
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
        self._prepared: Preparation | None = None
        self._plan: Plan | None = None
        self.premises = Premises()
        self.auditing = Auditing()
        self._gathering = Gathering("", [])
        self._started_s: float | None = None
        self._started_wall_s = 0.0
        self._interval = Volumes()
        self._interval_from_s = 0.0
        self._holding = False
        self._workers = 1
        self.cuts = 0
        self._incidents = Incidents()
        self.used_up = self.ended = False
        self._most_users = 0
        self.last_run: Run | None = None
        self.watch = Watch()
        self._checkpoints: Checkpoints | None = None
        self.followers = Followers()
        self._drill: Drill | None = None

    @property
    def running(self) -> bool:
        """Whether a run has been started and not been finished."""
        return self._started_s is not None

    @property
    def prepared(self) -> Preparation:
        """The run that was prepared last."""
        assert self._prepared is not None
        return self._prepared

    @property
    def plan(self) -> Plan:
        """Its plan, as it has been changed since."""
        assert self._plan is not None
        return self._plan

    @property
    def verdicts(self) -> Verdicts:
        """The thresholds of that plan."""
        return self.prepared.verdicts

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
        """Make everything ready that a run needs; raises `UpswarmError`, and then nothing runs."""
        self._prepared = prepare(wishes, self._environment, self.premises)
        self._plan = self._prepared.plan
        self._holding = self.used_up = self.ended = False

    def start(self, worker_ids: list[str], started_s: float) -> None:
        """The users are about to start, in a run that counts from this moment."""
        self._gathering = self.verdicts.gathering(self.plan.run_id, worker_ids)
        self._workers = len(worker_ids)
        self._incidents = Incidents()
        self._started_s, self._started_wall_s = started_s, self.clock.wall() - (self.clock.now() - started_s)
        self._interval, self._interval_from_s, self._most_users = Volumes(), 0.0, 0
        self.watch.begin()
        self._checkpoints = Checkpoints(self.premises.folder, partial(self._judged, going_on=True))
        self.auditing.begin(self.premises.folder)
        print(f"{self.plan.scenario.name}: uploading to {self.plan.target_url}", file=self._out, flush=True)
        self.followers.begin()
        acts = self.prepared.acts
        self._drill = Drill(acts, self.premises.site, self, self._say) if acts else None

    def users_now(self) -> int | None:
        """How many users there should be; None when the run has lasted long enough, or is being ended."""
        if self._holding or self.used_up:
            return None
        return self.plan.workload.users_at(self.elapsed_s, self._workers)

    def note(self, sentence: str, kind: MarkKind = MarkKind.NOTE) -> None:
        """Something happened to the generator that the report has to tell, and that need not be a fault.

        It is a mark too, in as many of these words as stand before a colon.
        """
        self._incidents.notes.append(f"after {self.elapsed_s:.1f} s {sentence}")
        self.mark(kind, sentence.partition(": ")[0])

    def mark(self, kind: MarkKind, sentence: str, until_s: float | None = None, *, at_s: float | None = None) -> None:
        """Something happens, now or `at_s`, that the report shall show; `until_s` of the run, where that is known."""
        self._incidents.marks.append(Mark(self.elapsed_s if at_s is None else at_s, kind, sentence, until_s))

    def standing(self) -> tuple[Verdict, ...]:
        """The thresholds as they stand, by what all workers have reported."""
        return self.verdicts.standing(self._gathering, self.watch.known_s(self.elapsed_s))

    def ends_early(self) -> bool:
        """Whether a threshold that may end the run does not hold; it is noted then."""
        verdict = self.verdicts.breach(self._gathering, self.watch.known_s(self.elapsed_s))
        if verdict is not None:
            self.note(f"a threshold ended the run: {verdict.threshold} did not hold, with {verdict.observed}")
        return verdict is not None

    def end_drill(self) -> list[str]:
        """Whatever is broken on purpose is mended before the run ends; what could not be done, in sentences."""
        drill, self._drill = self._drill, None
        return drill.end() if drill is not None else []

    def _say(self, sentence: str) -> None:
        if not self.followers.drawing:
            print(sentence, file=self._out, flush=True)

    def crew_changed(self, workers: int, *, joined: str = "", lost: str = "", silent: bool = False) -> None:
        """Workers came or went, and so many share the load now; lost is whoever did not stay, or fell `silent`."""
        self._workers = workers
        self.cuts += 1
        if joined:
            self._gathering.expect(joined, self.elapsed_s)
        if lost:
            (self._incidents.silent if silent else self._incidents.left).add(lost)
            self._gathering.went(lost, self.elapsed_s)

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
            self.auditing.keep(report)
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
        if not self.followers.drawing:
            print(line, file=self._out, flush=True)
        if self._checkpoints is not None:
            self._checkpoints.look(elapsed_s)

    def _judged(self, faults: Iterable[str] = (), *, complete: bool = False, going_on: bool = False) -> Run:
        return judge(
            self.plan,
            self._gathering,
            self._incidents,
            faults,
            self.verdicts,
            started_wall_s=self._started_wall_s,
            elapsed_s=self.elapsed_s,
            most_users=self._most_users,
            complete=complete,
            going_on=going_on,
        )

    def finish(self, faults: list[str], *, complete: bool) -> Run:
        """Judge, leave the run's files, print the summary, tell GitHub; `faults` are the generator's own."""
        self.followers.end()
        folder = self.premises.folder
        run = replace(self._judged(faults, complete=complete), server=self.prepared.server_counts.end())
        if self._checkpoints is not None and self.plan.scenario.audit is not None:
            self._checkpoints.keep(run)
        run = self.auditing.audited(run, self.plan, self.waiting_for(), self._out)
        run, left = leaving.leave(run, folder)
        if left:
            self.watch.ended(run, folder)
        self._started_s, self.last_run = None, run
        summary = terminal_summary(run, colour=self._out.isatty())
        print(f"\n{summary}\n{leaving.lines(left)}", end="", file=self._out, flush=True)
        for line in github.told(run, os.environ):
            print(line, file=self._out, flush=True)
        self.premises.close()
        return run
