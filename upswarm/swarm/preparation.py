"""From a wish to a run that can start: what is wrong is said here, and nothing runs yet."""

from __future__ import annotations

from dataclasses import dataclass, replace

from locust.env import Environment

from upswarm.scenario import library, loader
from upswarm.scenario.expectations import check_warm_up
from upswarm.swarm.beside import agreed
from upswarm.swarm.drill.preparing import prepared
from upswarm.swarm.plan import Plan
from upswarm.swarm.premises import Premises
from upswarm.swarm.server_counts import ServerCounts
from upswarm.swarm.target import aimed
from upswarm.swarm.verdicts import Verdicts
from upswarm.swarm.wishes import Wishes
from upswarm.workload.drill import Act


@dataclass(frozen=True, slots=True)
class Preparation:
    """A run before it starts: its plan, what it will be judged by, and what will be broken on purpose.

    `target_given`: its target was wished for, and is not the scenario's own.
    """

    plan: Plan
    verdicts: Verdicts
    server_counts: ServerCounts
    acts: tuple[Act, ...]
    target_given: bool


def prepare(wishes: Wishes, environment: Environment, premises: Premises) -> Preparation:
    """Read the scenario, find the target and make a folder; raises `UpswarmError`, and then nothing runs."""
    premises.discard()
    scenario = wishes.overrides.applied_to(loader.load(library.find(wishes.scenario)), wishes.target)
    override = wishes.override()
    workload = scenario.build_workload().overridden(override)  # before a folder is made and a server started
    workload = agreed(workload, environment, wishes.duration_s)
    check_warm_up(scenario.warm_up, workload)
    verdicts = Verdicts.of(scenario, wishes.baseline)
    scenario = aimed(wishes.target, scenario)
    scenario, acts = prepared(scenario, workload, wishes, environment.parsed_options)
    target_url = premises.open(wishes.reports, scenario)
    plan = replace(Plan.of(premises.folder.name, scenario, target_url, override), workload=workload)
    counts = ServerCounts(scenario, target_url, embedded=premises.embedded)
    return Preparation(plan, verdicts, counts, acts, target_given=wishes.target is not None)
