"""Scenarios that come with upswarm and take little, run for a second: embedded, or against a server of others.

That the long and large ones are valid, and what they would do, is in `tests/scenario/test_library.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.journey import foreign
from tests.journey.ahead import Ahead, ahead
from tests.journey.runs import Ended, Workshop
from upswarm import resources
from upswarm.results.run_file import Run
from upswarm.scenario.forecast import Forecast
from upswarm.scenario.loader import load
from upswarm.scenario.urls import EMBEDDED

AT_A_TIME = 3
SHORT_S = 60
SCENARIOS = {path.stem: load(path) for path in sorted(resources.folder("scenarios").glob("*.yaml"))}
SMALL_BYTES = 256 << 20
SHORT = [
    name
    for name, scenario in SCENARIOS.items()
    if scenario.drill is None  # whose acts need their time: test_drills.py
    and (scenario.build_workload().planned_s or 0) <= SHORT_S
    and Forecast.of(scenario, scenario.build_workload()).mean_size_bytes <= SMALL_BYTES
]
Runs = Ahead[tuple[Ended, Run]]


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Of the scenarios that are asked for, and whose servers are there."""
    asked = [name for name in SHORT if any(item.name.endswith(f"[{name}]") for item in request.session.items)]
    there = [name for name in asked if name not in foreign.MISSING]
    with ahead({name: partial(run, name, tmp_path_factory.mktemp(name)) for name in there}, AT_A_TIME) as runs:
        yield runs


def run(name: str, folder: Path) -> tuple[Ended, Run]:
    """Run it, with the server that it wants."""
    if name not in foreign.SERVERS:
        return run_shortened(name, Workshop(folder))
    with foreign.SERVERS[name](folder) as environ:
        return run_shortened(name, Workshop(folder, **environ))


def run_shortened(name: str, workshop: Workshop) -> tuple[Ended, Run]:
    """A second of it with one user, or two in which somebody arrives."""
    shortened = ["--duration", "2s"] if SCENARIOS[name].workload.users is None else ["--duration", "1s", "--users", "1"]
    ended = workshop.upswarm("run", name, *shortened)
    assert "Traceback" not in ended.err
    assert ended.code in {0, 3}, ended.out + ended.err  # a second may be too short for what must hold
    return ended, workshop.run()


@pytest.mark.parametrize("name", SHORT)
def test_a_scenario_that_comes_with_upswarm_runs(name: str, runs: Runs) -> None:
    if name in foreign.MISSING:
        pytest.skip(foreign.MISSING[name])
    ended, run = runs.of(name)
    assert run.scenario["name"] == name
    assert run.generator_faults == ()
    assert run.measurements.uploads.finished > 0, ended.out
    assert run.measurements.uploads.failed == 0, ended.out


def test_few_take_long() -> None:
    assert set(SCENARIOS) - set(SHORT) == {"soak", "steady", "large-sparse", "crash-drill", "disk-full-drill"}


def test_a_scenario_without_a_server_of_its_own_finds_one_here() -> None:
    assert {name for name, scenario in SCENARIOS.items() if scenario.target.url != EMBEDDED} == set(foreign.SERVERS)
