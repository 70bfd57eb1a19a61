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

NOBODY: set[str] = set()


def judged(
    allowed: int, *, heard: set[str], gone: set[str], silent: set[str] = NOBODY, full: str = "", stood_s: float = 0.0
) -> Run:
    """A run of workers a and b, of whom these have told everything, and those left or were silent before the end."""
    plan = Plan.of("run-1", resolve({"workload": {"allowed_lost_workers": allowed}}), "http://h:1")
    gathering = Gathering("run-1", ["a", "b"])
    for worker_id in heard:
        measured = Measurements()
        measured.generator.lag.record(stood_s)
        gathering.take(worker_id, Reporting("run-1", "h").report(measured, last=True))
    if full:
        confines = {"memory_limit_bytes": 64 << 20, "memory_used_ratio": 0.97}
        gathering.take(full, Reporting("run-1", "h").report(Measurements(), confines=confines))
    incidents = Incidents([f"worker {each} went" for each in sorted(gone | silent)], gone, silent)
    return judge(
        plan, gathering, incidents, [], Verdicts.of(plan.scenario), started_wall_s=0.0, elapsed_s=9.0, most_users=1
    )


def test_a_worker_that_is_lost_or_leaves_fails_the_run() -> None:
    assert "worker b was lost before it had reported everything" in judged(0, heard={"a"}, gone={"b"}).generator_faults
    assert "worker b left before the end" in judged(0, heard={"a", "b"}, gone={"b"}).generator_faults


@pytest.mark.parametrize("allowed", [0, 1])
@pytest.mark.parametrize(("stood_s", "why"), [(5.6, "it stood still for up to 5.6 s: "), (0.4, "it was at work, so ")])
def test_a_worker_that_was_only_silent_did_not_leave_and_its_own_lag_tells_why(allowed, stood_s, why) -> None:
    run = judged(allowed, heard={"a", "b"}, gone=set(), silent={"b"}, stood_s=stood_s)
    said = [each for each in (run.notes if allowed else run.generator_faults) if "worker b was silent" in each]
    assert len(said) == 1
    assert why in said[0]


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


@pytest.mark.parametrize("allowed", [0, 1])
def test_arrivals_that_were_nobodys_fail_the_run_unless_workers_may_be_lost(allowed: int) -> None:
    load = {"arrivals": {"stages": [{"rate": "10/s", "hold": "10s"}]}, "allowed_lost_workers": allowed}
    plan, gathering = Plan.of("run-1", resolve({"workload": load}), "http://h:1"), Gathering("run-1", ["a"])
    measured = Measurements()
    measured.arrivals.begun = 90
    gathering.take("a", Reporting("run-1", "h").report(measured, last=True))
    run = judge(plan, gathering, Incidents(), [], Verdicts.of(plan.scenario),
                started_wall_s=0.0, elapsed_s=10.0, most_users=1, complete=True)  # fmt: skip
    faults, notes = ([each for each in said if "nobody's" in each] for said in (run.generator_faults, run.notes))
    assert (len(faults), len(notes)) == ((0, 1) if allowed else (1, 0))


def test_a_run_that_nobody_was_left_to_end_is_no_measurement() -> None:
    assert "no worker was left at the end" in judged(2, heard={"a", "b"}, gone={"a", "b"}).generator_faults
