"""A look at the run that goes on, or at the last one, for the pages."""

from __future__ import annotations

from locust.env import Environment
from locust.runners import STATE_MISSING, MasterRunner

from upswarm.reports.conclusion import Conclusion
from upswarm.reports.live.live import Live, State
from upswarm.reports.rows import load
from upswarm.results.run_file import Run
from upswarm.swarm.steering import Steering
from upswarm.workload.moments import moment


def look(steering: Steering, environment: Environment) -> Live:
    """What is known at this moment. Nothing is changed by looking."""
    if steering.running:
        return _at_work(steering, environment)
    return Live() if steering.last_run is None else _ended(steering, steering.last_run)


def _at_work(steering: Steering, environment: Environment) -> Live:
    plan, gathering, watch, elapsed_s = steering.plan, steering.gathering, steering.watch, steering.elapsed_s
    runner = environment.runner
    records = list(gathering.records())
    missing = [each.worker_id for each in records if isinstance(runner, MasterRunner) and _lost(runner, each.worker_id)]
    return Live(
        state=State.RUNNING,
        run_id=plan.run_id,
        scenario=plan.scenario.name,
        about=plan.scenario.about,
        target=plan.target_url,
        load=str(plan.workload),
        stage=moment(plan.workload, elapsed_s),
        elapsed_s=elapsed_s,
        planned_s=plan.workload.planned_s,
        known_s=watch.known_s(elapsed_s),
        users=runner.user_count if runner is not None else 0,
        in_flight=watch.in_flight(elapsed_s),
        levels=watch.levels,
        measurements=gathering.total,
        verdicts=steering.standing(),
        workers=tuple(watch.workers(records, elapsed_s, missing=missing, over=False)),
    )


def _ended(steering: Steering, run: Run) -> Live:
    watch = steering.watch
    return Live(
        state=State.ENDED,
        run_id=run.run_id,
        scenario=run.scenario.get("name") or "unnamed",
        about=run.scenario.get("about") or "",
        target=run.target,
        load=load(run),
        elapsed_s=run.elapsed_s,
        planned_s=run.planned_s,
        known_s=run.elapsed_s,
        levels=watch.levels,
        measurements=run.measurements,
        verdicts=run.verdicts,
        workers=tuple(watch.workers(run.workers, run.elapsed_s, missing=[], over=True)),
        remarks=(*run.generator_faults, *run.notes),
        conclusion=Conclusion.of(run),
    )


def _lost(master: MasterRunner, worker_id: str) -> bool:
    """Whether Locust has lost sight of it, or knows it no more."""
    client = master.clients.get(worker_id)
    return client is None or client.state == STATE_MISSING
