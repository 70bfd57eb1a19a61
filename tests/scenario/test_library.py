"""Scenarios that come with upswarm: found by name, valid, documented, and described by the committed schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from upswarm import resources
from upswarm.errors import UsageError
from upswarm.scenario import library
from upswarm.scenario.forecast import Forecast
from upswarm.scenario.loader import load, parse
from upswarm.scenario.schema import markdown, schema


@pytest.mark.parametrize("name", library.names())
def test_every_scenario_is_valid_and_says_what_it_would_do(name: str) -> None:
    scenario = load(library.find(name))
    assert scenario.name == name
    assert scenario.about
    assert list(Forecast.of(scenario, scenario.workload.users.build()).lines())


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match='did you mean "smoke"'):
        library.find("smok")


def test_a_path_is_found_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("seed: 1\n")
    assert library.find(str(path)) == path


def test_the_committed_schema_is_the_one_of_the_types() -> None:
    committed = json.loads((resources.folder("scenarios") / "scenario.schema.json").read_text())
    assert committed == schema(), "run `make schema`"


def test_a_forecast_counts_requests_and_bytes() -> None:
    scenario = parse("files: [12MiB]\ntransfer: {chunk_size: 5MiB}\n", "s.yaml", {})
    forecast = Forecast.of(scenario, scenario.workload.users.build())
    assert forecast.mean_size_bytes == 12 << 20
    assert forecast.requests_per_upload == 5  # init, three chunks, finalize
    slow = next(forecast.bounds())
    assert slow.size_bytes == pytest.approx(10 * (10 << 20))  # ten seconds of 10 MiB/s


def test_think_time_bounds_a_forecast() -> None:
    text = "files: [1B]\nworkload: {users: {stages: [{to: 2, over: 0s}, {hold: 10s}], think_time: 4s}}"
    scenario = parse(text, "s.yaml", {})
    bounds = list(Forecast.of(scenario, scenario.workload.users.build()).bounds())
    assert [bound.uploads for bound in bounds] == [5, 5, 5]  # 20 user-seconds, 4 s each


def test_scenarios_md_documents_every_key_as_the_types_do() -> None:
    text = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text()
    assert markdown() in text, "put what `python -m upswarm.scenario.schema --markdown` prints into docs/scenarios.md"
