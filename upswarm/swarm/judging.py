"""A run that is over becomes a `Run`: measurements, verdicts, and what there is to say of the generator itself."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version

from upswarm import __version__
from upswarm.results import generator, shortages
from upswarm.results.marks import Mark
from upswarm.results.run_file import Machine, Run, WorkerRecord
from upswarm.swarm.accounts import imbalance
from upswarm.swarm.limits import Limits
from upswarm.swarm.marking import marks_of
from upswarm.swarm.plan import Plan
from upswarm.swarm.verdicts import Verdicts
from upswarm.swarm.workers.gathering import Gathering

_STOOD_STILL_S = 2.0
"""A worker is heard of once a second, and lost after four or five. One that was so late is the reason itself."""


@dataclass(slots=True)
class Incidents:
    """What happened to the generator meanwhile: sentences, and the ids of workers that did not stay until the end.

    They `left` in order, or were `silent` for so long that the others went on without them.
    """

    notes: list[str] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    marks: list[Mark] = field(default_factory=list)


def judge(
    plan: Plan,
    gathering: Gathering,
    incidents: Incidents,
    faults: Iterable[str],
    verdicts: Verdicts,
    *,
    started_wall_s: float,
    elapsed_s: float,
    most_users: int,
    complete: bool = False,
    going_on: bool = False,
) -> Run:
    """The run as its file will tell it; `faults` are the generator's own, and losses may be among them.

    It is `complete` where it lasted as long as planned. While it is `going_on`, nobody is lost for not having reported
    everything, and nothing is missing.
    """
    total, workers, allowances = gathering.total, tuple(gathering.records()), plan.scenario.workload
    losses = {} if going_on else _losses(workers, incidents)
    allowed = len(losses) <= allowances.allowed_lost_workers
    told = incidents.left | {each.worker_id for each in workers if each.lost and each.worker_id in incidents.silent}
    untold = [sentence for worker_id, sentence in losses.items() if worker_id not in told]
    astray = "" if going_on else imbalance(plan.workload, total, gathering.left_over(), complete=complete)
    forgiven = allowed and allowances.allowed_lost_workers > 0
    idle = ["no request was sent"] if total.attempts == 0 else []
    if losses and len(losses) == len(workers):
        idle.append("no worker was left at the end")
    saturated = generator.faults((each.worker_id, each.health) for each in workers)
    return Run(
        run_id=plan.run_id,
        scenario=plan.scenario.resolved(),
        target=plan.target_url,
        started_at=datetime.fromtimestamp(started_wall_s, UTC).isoformat(timespec="seconds"),
        elapsed_s=elapsed_s,
        planned_s=plan.workload.planned_s,
        peak_users=plan.workload.peak_users or most_users,
        workload=str(plan.workload),
        measurements=total,
        verdicts=verdicts.standing(gathering, elapsed_s),
        workers=workers,
        machine=_machine(),
        generator_faults=(
            *faults,
            *([] if allowed else losses.values()),
            *([astray] if astray and not forgiven else []),
            *shortages.faults(total),
            *idle,
            *([] if allowances.allow_saturated_generator else saturated),
        ),
        notes=(
            *incidents.notes,
            *(untold if allowed else []),
            *([astray] if astray and forgiven else []),
            *verdicts.notes,
        ),
        marks=tuple(marks_of(plan.workload, incidents.marks, elapsed_s=elapsed_s, warm_up_s=plan.scenario.warm_up)),
        warm_up_s=plan.scenario.warm_up,
        settled=gathering.settled,
        aborted_by="" if verdicts.aborted is None else verdicts.aborted.threshold,
    )


def _losses(workers: Iterable[WorkerRecord], incidents: Incidents) -> dict[str, str]:
    """A sentence for each worker that was lost, or left early; those that went during the run are in the notes too."""
    known = {each.worker_id: each for each in workers}
    unheard = {each for each, record in known.items() if record.lost}
    losses = {
        each: f"worker {each} was lost before it had reported everything{_why(known[each])}" for each in sorted(unheard)
    }
    losses |= {each: _revived(known[each]) for each in sorted(incidents.silent - unheard)}
    return losses | {each: f"worker {each} left before the end" for each in sorted(incidents.left - unheard)}


def _why(lost: WorkerRecord) -> str:
    if not lost.health.short_of_memory:
        return ""
    return f"; its container had {lost.health.memory_story} taken, so the kernel may have ended it for want of memory"


def _revived(worker: WorkerRecord) -> str:
    """It was taken for lost, and reported everything in the end."""
    late_s = worker.health.lag_max_s or 0.0
    why = (
        f"it stood still for up to {late_s:.1f} s: it was stopped, or its machine had no CPU for it"
        if late_s >= _STOOD_STILL_S
        else "it was at work, so the line to it was cut, or the master was too busy to hear it"
    )
    return f"worker {worker.worker_id} was silent for so long that the others went on without it; {why}"


def _machine() -> Machine:
    limits = Limits.here()
    return Machine(
        host=platform.node(),
        system=platform.platform(),
        cpus=os.cpu_count() or 1,
        python=platform.python_version(),
        upswarm=__version__,
        locust=version("locust"),
        usable_cpus=limits.cpus,
        memory_limit_bytes=limits.memory_bytes,
    )
