"""What a run comes to that is over, as far as its workers are concerned."""

from __future__ import annotations

import pytest

from upswarm.reports.workers import warnings
from upswarm.results.measurements import Measurements
from upswarm.results.run_file import Run
from upswarm.scenario.loader import resolve
from upswarm.swarm.judging import Incidents, judge
from upswarm.swarm.plan import Plan
from upswarm.swarm.verdicts import Verdicts
from upswarm.swarm.workers.gathering import Gathering, Reporting


def judged(allowed: int, *, heard: set[str], gone: set[str], full: str = "") -> Run:
    """A run of workers a and b, of whom these have told everything, and those went before the end."""
    plan = Plan.of("run-1", resolve({"workload": {"allowed_lost_workers": allowed}}), "http://h:1")
    gathering = Gathering("run-1", ["a", "b"])
    for worker_id in heard:
        gathering.take(worker_id, Reporting("run-1", "h").report(Measurements(), last=True))
    if full:
        confines = {"memory_limit_bytes": 64 << 20, "memory_used_ratio": 0.97}
        gathering.take(full, Reporting("run-1", "h").report(Measurements(), confines=confines))
    incidents = Incidents([f"worker {each} went" for each in sorted(gone)], gone)
    return judge(
        plan, gathering, incidents, [], Verdicts.of(plan.scenario), started_wall_s=0.0, elapsed_s=9.0, most_users=1
    )


def test_a_worker_that_is_lost_or_leaves_fails_the_run() -> None:
    assert "worker b was lost before it had reported everything" in judged(0, heard={"a"}, gone={"b"}).generator_faults
    assert "worker b left before the end" in judged(0, heard={"a", "b"}, gone={"b"}).generator_faults


def test_a_lost_worker_whose_container_was_full_may_have_been_ended_for_that() -> None:
    (fault,) = (each for each in judged(0, heard={"a"}, gone={"b"}, full="b").generator_faults if "worker b" in each)
    assert fault.endswith(
        "its container had 97 % of 64.0 MiB taken, so the kernel may have ended it for want of memory"
    )


def test_unless_the_scenario_allows_it_and_then_it_is_told_once() -> None:
    run = judged(1, heard={"a"}, gone={"b"})
    assert not any("worker" in fault for fault in run.generator_faults)
    assert run.notes == ("worker b went",)


def test_also_one_that_was_lost_only_in_the_end_is_told_of() -> None:
    assert judged(1, heard={"a"}, gone=set()).notes == ("worker b was lost before it had reported everything",)


def test_it_does_not_allow_so_many() -> None:
    faults = judged(1, heard=set(), gone={"a", "b"}).generator_faults
    assert sum("was lost" in fault for fault in faults) == 2


@pytest.mark.parametrize("allowed", [False, True])
def test_a_generator_that_used_up_its_cpu_fails_the_run_unless_the_scenario_allows_it(allowed: bool) -> None:
    plan = Plan.of("run-1", resolve({"workload": {"allow_saturated_generator": allowed}}), "http://h:1")
    gathering, busy = Gathering("run-1", ["a"]), Measurements()
    for second in range(5):
        busy.record_cpu(0.97, 1.0, float(second))
    gathering.take("a", Reporting("run-1", "h").report(busy, last=True))
    run = judge(plan, gathering, Incidents(), [], Verdicts.of(plan.scenario),
                started_wall_s=0.0, elapsed_s=9.0, most_users=1)  # fmt: skip
    said = [fault for fault in run.generator_faults if "the generator was the bottleneck" in fault]
    assert (len(said), len(warnings(run))) == ((0, 1) if allowed else (1, 0)), "it is told once"


def test_a_run_that_nobody_was_left_to_end_is_no_measurement() -> None:
    assert "no worker was left at the end" in judged(2, heard={"a", "b"}, gone={"a", "b"}).generator_faults
