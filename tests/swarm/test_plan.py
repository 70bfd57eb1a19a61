"""What the master sends to its workers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from upswarm.scenario.loader import parse
from upswarm.swarm.plan import Plan, share_of
from upswarm.workload.kinds import Override


def test_a_plan_arrives_as_it_was_sent_with_its_secret() -> None:
    text = "target: {url: http://h:1, auth: {bearer: '${TOKEN}'}}\nfiles: [1MiB]"
    scenario = parse(text, "s.yaml", {"TOKEN": "hunter2"})
    plan = Plan.of("run-1", scenario, "http://h:1")
    arrived = Plan.of_document(json.loads(json.dumps(plan.to_document(["a", "b"]))))
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
    assert Plan.of_document(json.loads(json.dumps(plan.to_document(["a"])))) == plan


def test_shares_go_by_the_order_of_the_workers() -> None:
    document = {"worker_ids": ["b", "a"]}
    shares = {worker_id: share_of(document, worker_id, 7) for worker_id in ("a", "b")}
    assert [shares["b"].next_number() for _ in range(3)] == [0, 2, 4]
    assert [shares["a"].next_number() for _ in range(3)] == [1, 3, 5]


def test_a_late_worker_draws_beyond_the_others() -> None:
    share = share_of({"worker_ids": ["a", "b"]}, "c", 2)
    assert [share.next_number() for _ in range(2)] == [2, 5]
