"""The room `drill`: what it comes to, and what is refused."""

from __future__ import annotations

import pytest

from upswarm.errors import ScenarioError
from upswarm.scenario.loader import parse, resolve
from upswarm.scenario.model import Scenario
from upswarm.workload.drill import ActKind, Slowness


def scenario(drill: str, rest: str = "") -> Scenario:
    return parse(f"seed: 9\ndrill: {drill}\n{rest}", "s.yaml", {})


def test_acts_become_what_is_done_and_when() -> None:
    found = scenario(
        "{acts: [{do: kill_server, at: 1s}, {do: kill_server_worker, at: 3s}, "
        "{do: slow_network, at: 4s, for: 2s, delay: 100ms, bandwidth: 1MiB/s}]}"
    )
    assert found.drill is not None
    acts = found.drill.fit(found.seed, 10)
    assert [(act.kind, act.at_s, act.for_s) for act in acts] == [
        (ActKind.KILL_SERVER, 1, 0.5),
        (ActKind.KILL_SERVER_WORKER, 3, 0),
        (ActKind.SLOW_NETWORK, 4, 2),
    ]
    assert acts[2].slowness == Slowness(0.1, 0.0, 1 << 20)
    assert found.drill.needs_network


@pytest.mark.parametrize(
    "written",
    [
        "{random: {}}",
        "{random: {every: 3s, of: [stop_server], from: 1s, for: [200ms, 1s]}, recovery: 1s}",
        "{acts: [{do: fill_disk, at: 1s, for: 2s}], disk: 64MiB}",
    ],
)
def test_what_workers_get_is_what_was_written(written: str) -> None:
    before = scenario(written)
    assert resolve(before.resolved()) == before


@pytest.mark.parametrize(
    ("written", "place", "message"),
    [
        ("{acts: [{do: kill_sever, at: 1s}]}", "drill.acts[0].do", 'did you mean "kill_server"?'),
        ("{acts: [{do: stop_server, at: 1s}]}", "drill.acts[0]", "expected how long stop_server lasts"),
        ("{acts: [{do: kill_worker, at: 1s, for: 1s}]}", "drill.acts[0].for", "expected none, for kill_worker is over"),
        ("{acts: [{do: stop_server, at: 1s, for: 1s, delay: 1s}]}", "drill.acts[0].delay", "only with slow_network"),
        ("{acts: [{do: slow_network, at: 1s, for: 1s}]}", "drill.acts[0].do", "expected delay, jitter or bandwidth"),
        ("{acts: [{do: stop_server, at: 1s, for: 2s}, {do: kill_server, at: 2s}]}", "drill.acts[1].at",
         "expected 3.00 s or later, when stop_server is over"),
        ("{acts: [{do: stop_server, at: 50s, for: 1s}]}", "drill", "expected a run of at least 54.0 s"),
        ("{random: {every: 9s}}", "drill", "expected a run of at least 14.0 s"),
        ("{random: {every: 1s}}", "drill.random.every", "expected at least the 1.50 s that an act may last"),
        ("{random: {for: [2s, 1s]}}", "drill.random.for", "expected the shorter time first"),
        ("{}", "drill", "expected exactly one of acts, random, found none"),
    ],
)  # fmt: skip
def test_every_mistake_is_named(written: str, place: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario(written)
    (mistake,) = str(caught.value).splitlines()[1:]
    assert f": {place}: " in mistake
    assert message in mistake


def test_a_drill_needs_a_server_of_its_own_and_an_end() -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario("{random: {}}", "target: http://127.0.0.1:9\nworkload: {iterations: {count: 3}}")
    assert "target: expected the target `embedded`, for a drill breaks only" in str(caught.value)
    assert "drill: expected a workload that says when it ends" in str(caught.value)
