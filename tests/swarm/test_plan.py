"""What the master sends to its workers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from upswarm.scenario.loader import parse
from upswarm.swarm.plan import Plan
from upswarm.workload.kinds import Override


def test_a_plan_arrives_as_it_was_sent_with_its_secret() -> None:
    text = "target: {url: http://h:1, auth: {bearer: '${TOKEN}'}}\nfiles: [1MiB]"
    scenario = parse(text, "s.yaml", {"TOKEN": "hunter2"})
    plan = Plan.of("run-1", scenario, "http://h:1")
    arrived = Plan.of_document(json.loads(json.dumps(plan.to_document())))
    assert arrived == plan
    assert "hunter2" not in repr(plan)


@pytest.mark.parametrize(
    "workload",
    ["{users: {think_time: 1s}}", "{arrivals: {spacing: poisson}}", "{iterations: {count: 30}}", "{replay: day.csv}"],
)
def test_a_worker_has_the_same_workload_without_any_file(tmp_path: Path, workload: str) -> None:
    record = tmp_path / "day.csv"
    record.write_text("1s,2B\n3s,4KiB\n")
    scenario = parse(f"workload: {workload}\nseed: 5", str(tmp_path / "s.yaml"), {})
    plan = Plan.of("run-1", scenario, "http://h:1", Override(duration_s=4))
    record.unlink()
    assert Plan.of_document(json.loads(json.dumps(plan.to_document()))) == plan
