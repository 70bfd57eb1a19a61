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
    assert list(Forecast.of(scenario, scenario.build_workload()).lines())


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
    forecast = Forecast.of(scenario, scenario.build_workload())
    assert forecast.mean_size_bytes == 12 << 20
    assert forecast.requests_per_upload == 5  # init, three chunks, finalize
    text = "\n".join(forecast.lines())
    assert "at most   8 uploads, 100.0 MiB, 42 requests if the target takes 10.0 MiB/s" in text  # in ten seconds


def test_of_other_protocols_only_the_most_requests_are_known() -> None:
    """tus has no finalize, and `put` no init either."""
    scenario = parse("target: {protocol: tus}\nfiles: [4MiB]\nworkload: {iterations: {count: 7}}\n", "s.yaml", {})
    lines = list(Forecast.of(scenario, scenario.build_workload()).lines())
    assert lines[2] == "upload    4.0 MiB in at most 3.0 requests on average (init, chunks, finalize)"
    assert lines[3] == "in all    7 uploads, 28.0 MiB, at most 21 requests"


def test_a_forecast_says_what_is_audited_for_to_read_back_moves_every_byte_again() -> None:
    scenario = parse("files: [1B]\naudit: {sample: 10%, check: [size, digest]}\n", "s.yaml", {})
    assert "audits    10 % of the files afterwards: size, digest" in [
        *Forecast.of(scenario, scenario.build_workload()).lines()
    ]


def test_think_time_bounds_a_forecast() -> None:
    text = "files: [1B]\nworkload: {users: {stages: [{to: 2, over: 0s}, {hold: 10s}], think_time: 4s}}"
    scenario = parse(text, "s.yaml", {})
    volumes = [line for line in Forecast.of(scenario, scenario.build_workload()).lines() if line.startswith("at most")]
    assert [line.split()[2] for line in volumes] == ["5", "5", "5"]  # 20 user-seconds, 4 s each


@pytest.mark.parametrize(
    ("workload", "duration", "volume"),
    [
        ("arrivals: {stages: [{rate: 5/s, hold: 10s}, {to: 20/s, over: 10s}], max_in_flight: 30}",
         "20.0 s, up to 20 arrivals/s, at most 30 in flight", "175 uploads, 700.0 MiB, 525 requests, up to 80.0 MiB/s"),
        ("iterations: {count: 7, users: 3}", "as long as it takes, 7 uploads by 3 users",
         "7 uploads, 28.0 MiB, 21 requests"),
    ],
)  # fmt: skip
def test_what_arrives_and_what_is_counted_is_known_before(workload: str, duration: str, volume: str) -> None:
    text = f"files: [4MiB]\ntransfer: {{chunk_size: 5MiB}}\nworkload: {{{workload}}}\n"
    scenario = parse(text, "s.yaml", {})
    lines = list(Forecast.of(scenario, scenario.build_workload()).lines())
    assert lines[1] == f"for       {duration}"
    assert lines[3] == f"in all    {volume}"


def test_a_replay_has_the_sizes_of_its_record(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text("0s,1MiB\n2s,3MiB\n")
    scenario = parse("files: [1GiB]\nworkload: {replay: day.csv}\n", str(tmp_path / "s.yaml"), {})
    lines = list(Forecast.of(scenario, scenario.build_workload()).lines())
    assert lines[1] == "for       2.00 s, 2 recorded arrivals, at most 500 in flight"
    assert lines[3] == "in all    2 uploads, 4.0 MiB, 6 requests"


@pytest.mark.parametrize(
    ("count", "said"), [(0, ""), (1, ", fails on purpose by 1 rule"), (2, ", fails on purpose by 2 rules")]
)
def test_a_forecast_says_that_the_server_fails_on_purpose(count: int, said: str) -> None:
    rules = ["{phase: any, share: 1%, status: 500}"] * count
    scenario = parse(f"target: {{embedded: {{faults: [{', '.join(rules)}]}}}}", "s.yaml", {})
    first = next(Forecast.of(scenario, scenario.build_workload()).lines())
    assert first == f"target    embedded, protocol chunked{said}"


def test_scenarios_md_documents_every_key_as_the_types_do() -> None:
    text = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text()
    assert markdown() in text, "put what `python -m upswarm.scenario.schema --markdown` prints into docs/scenarios.md"


@pytest.mark.parametrize("name", ["", "\0", "x" * 5000, "/", "."])
def test_a_name_that_no_file_can_have_is_found_as_little_as_any_other(name: str) -> None:
    with pytest.raises(UsageError, match="expected a scenario"):
        library.find(name)
