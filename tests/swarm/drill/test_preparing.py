"""What a drill needs before it begins, and how it is said when something of that is missing."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from upswarm.errors import UsageError
from upswarm.scenario.loader import parse
from upswarm.scenario.model import Scenario
from upswarm.swarm.drill.preparing import prepared
from upswarm.swarm.target import aimed
from upswarm.swarm.wishes import Wishes
from upswarm.workload.drill import Act, ActKind
from upswarm.workload.kinds import Override

DRILL = "drill: {acts: [{do: kill_worker, at: 1s}, {do: kill_server, at: 2s}]}\n"


def prepare(text: str, *, processes: int | None = None, drill: bool = True, target: str | None = None,
            duration_s: float | None = None) -> tuple[Scenario, tuple[Act, ...]]:  # fmt: skip
    scenario = aimed(target, parse(text, "s.yaml", {}))
    workload = scenario.build_workload().overridden(Override(duration_s=duration_s))
    wishes = Wishes("s.yaml", Path(), drill=drill)
    return prepared(scenario, workload, wishes, Namespace(processes=processes))


def test_a_run_without_a_drill_is_left_as_it_is() -> None:
    scenario, acts = prepare("seed: 4", drill=False)
    assert scenario == parse("seed: 4", "s.yaml", {})
    assert acts == ()


def test_a_scenario_without_a_drill_gets_one_by_chance() -> None:
    scenario, acts = prepare("seed: 4")
    assert scenario.drill is not None
    assert len(acts) == 1
    assert prepare("seed: 4")[1] == acts


def test_a_drill_brings_an_audit_of_everything_unless_something_is_said_of_it() -> None:
    scenario, _ = prepare(DRILL, processes=2)
    assert scenario.audit is not None
    assert scenario.audit.sample == 1
    assert prepare(DRILL + "audit: false", processes=2)[0].audit is None


def test_the_run_allows_for_the_workers_that_its_drill_kills() -> None:
    scenario, acts = prepare(DRILL + "workload: {allowed_lost_workers: 2}", processes=2)
    assert scenario.workload.allowed_lost_workers == 3
    assert [act.kind for act in acts] == [ActKind.KILL_WORKER, ActKind.KILL_SERVER]


@pytest.mark.parametrize(("processes", "found"), [(None, "none"), (1, "1")])
def test_a_worker_can_be_killed_only_where_another_one_goes_on(processes: int | None, found: str) -> None:
    with pytest.raises(UsageError) as caught:
        prepare(DRILL, processes=processes)
    assert str(caught.value) == (
        f"drill: expected more than 1 worker process of this run, for kill_worker kills 1, found {found}\n"
        "  give --processes 2 or more, or take kill_worker out of a copy of the scenario"
    )


def test_a_shorter_run_has_to_have_room_for_its_acts() -> None:
    with pytest.raises(UsageError, match=r"drill: expected a run of at least 5\.50 s, .* found 3\.00 s"):
        prepare(DRILL, processes=2, duration_s=3)


def test_the_server_of_somebody_else_is_not_broken() -> None:
    with pytest.raises(UsageError, match="target: expected the target `embedded`, for a drill breaks only a server"):
        prepare(DRILL, processes=2, target="http://127.0.0.1:9")
