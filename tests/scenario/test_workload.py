"""The rooms of a closed and an open load, of iterations and of a replay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from upswarm.errors import ScenarioError
from upswarm.scenario.loader import parse
from upswarm.scenario.quantities import RatePerS
from upswarm.scenario.workload import ArrivalsRoom, IterationsRoom, ReplayRoom, WorkloadRoom
from upswarm.workload.arrivals import Arrivals, Spacing
from upswarm.workload.iterations import Iterations
from upswarm.workload.kinds import FixedLoad, OpenLoad
from upswarm.workload.rates import Ramp, Rates
from upswarm.workload.replay import Replay

ARRIVALS = {
    "stages": [{"rate": "5/s", "hold": "1m"}, {"to": "1200/min", "over": "2m"}, {"hold": "30s"}],
    "spacing": "poisson",
    "max_in_flight": 200,
}


def messages(room: type[Any], value: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        room.model_validate(value)
    return [each["msg"].removeprefix("Value error, ") for each in caught.value.errors()]


def test_arrivals_are_read_stage_by_stage() -> None:
    room = ArrivalsRoom.model_validate(ARRIVALS)
    rates = Rates((Ramp(60, 5, 5), Ramp(120, 5, 20), Ramp(30, 20, 20)))
    assert room.build(seed=3) == OpenLoad(Arrivals(rates, Spacing.POISSON, 3), max_in_flight=200, max_wait_s=0)


def test_every_default_is_worth_having() -> None:
    room = ArrivalsRoom()
    assert (room.build(0).schedule.count, room.build(0).planned_s, room.max_in_flight) == (50, 10, 500)


def test_a_ramp_begins_at_nothing_where_no_rate_was_reached() -> None:
    assert ArrivalsRoom.model_validate({"stages": [{"to": "10/s", "over": "4s"}]}).build(0).schedule.count == 20


@pytest.mark.parametrize(
    "stage",
    [{}, {"rate": "5/s"}, {"to": "5/s"}, {"over": "5s"}, {"rate": "5/s", "over": "5s"}, {"to": "5/s", "hold": "5s"},
     {"to": "5/s", "over": "5s", "hold": "5s"}, {"rate": "5/s", "to": "9/s", "over": "5s"},
     {"rate": "5/s", "hold": "1s", "over": "1s"}],
)  # fmt: skip
def test_a_stage_is_one_of_three(stage: dict[str, str]) -> None:
    expected = "expected {rate: RATE, hold: DURATION}, {to: RATE, over: DURATION} or {hold: DURATION}"
    assert messages(ArrivalsRoom, {"stages": [stage]})[0] == expected


@pytest.mark.parametrize("stages", [[{"hold": "1m"}], [{"rate": "0/s", "hold": "1m"}], [{"rate": "5/s", "hold": "0s"}]])
def test_arrivals_that_never_come_are_a_mistake(stages: list[dict[str, str]]) -> None:
    expected = "expected a rate above 0/s for more than 0s; nothing would be uploaded"
    assert messages(ArrivalsRoom, {"stages": stages}) == [expected]


@pytest.mark.parametrize("rate", [5, "5", "5s", "-5/s", "5/week"])
def test_a_rate_needs_its_time(rate: Any) -> None:
    message, *_ = messages(ArrivalsRoom, {"stages": [{"rate": rate, "hold": "1m"}]})
    assert message == f"expected a rate such as 200/s or 30/m, found {rate!r}"


@given(st.floats(0, 1e9))
def test_a_rate_is_written_so_that_it_is_read_back(rate: float) -> None:
    rates = TypeAdapter(RatePerS)
    assert rates.validate_python(f"{rate:.20f}/s") == pytest.approx(rate, abs=1e-12)
    written = rates.dump_python(rate)
    assert rates.validate_python(written) == rate


def test_iterations_are_read() -> None:
    assert IterationsRoom.model_validate({"count": 1000, "users": 10}).build() == FixedLoad(Iterations(1000, 10))
    assert messages(IterationsRoom, {}) == ["Field required"]
    assert messages(IterationsRoom, {"count": 0}) == ["Input should be greater than or equal to 1"]


def test_a_replay_is_a_path_beside_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text("1s,2B\n")
    scenario = parse("workload: {replay: day.csv}", str(tmp_path / "s.yaml"), {})
    assert scenario.build_workload() == OpenLoad(Replay((1.0,), (2,)), max_in_flight=500, max_wait_s=0)


def test_a_replay_that_was_read_already_is_not_read_again() -> None:
    recorded = Replay((1.0,), (2,))
    assert ReplayRoom.model_validate("gone.csv").build(recorded) == OpenLoad(recorded, 500, 0)


def test_a_replay_without_a_file_is_a_mistake_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(
        ScenarioError, match=r"s\.yaml:1:20: workload\.replay(\.path)?: expected a CSV file, found none"
    ):
        parse("workload: {replay: gone.csv}", str(tmp_path / "s.yaml"), {})


def test_a_mistake_in_the_file_is_reported_with_its_own_place(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text("1s,2x\n")
    scenario = parse("workload: {replay: day.csv}", str(tmp_path / "s.yaml"), {})
    with pytest.raises(ScenarioError, match=r"day\.csv:1:4: size: expected a size"):
        scenario.build_workload()
    (tmp_path / "day.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(ScenarioError, match=r"day\.csv.*not UTF-8"):
        scenario.build_workload()


def test_a_workload_is_exactly_one_of_four() -> None:
    both = {"arrivals": {}, "iterations": {"count": 3}}
    assert messages(WorkloadRoom, both) == [
        "expected exactly one of users, arrivals, iterations, replay, found arrivals and iterations"
    ]
    assert messages(WorkloadRoom, {"arrivals": None})[0].endswith("found none")


def test_a_workload_that_says_nothing_is_closed() -> None:
    for workload in (WorkloadRoom(), WorkloadRoom.model_validate({})):
        assert workload.users is not None
        assert workload.users.build().peak_users == 4


@pytest.mark.parametrize(
    "workload",
    [{"arrivals": ARRIVALS}, {"iterations": {"count": 7}}, {"replay": "day.csv"}, {}, {"users": {"think_time": "3s"}}],
)
def test_what_was_resolved_is_read_back_as_the_same(workload: dict[str, Any]) -> None:
    room = WorkloadRoom.model_validate(workload)
    assert WorkloadRoom.model_validate(room.model_dump(mode="json", exclude_none=True)) == room
