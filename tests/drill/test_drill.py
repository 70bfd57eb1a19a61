"""The short form of the crash drill; `make drill` is the long one."""

from __future__ import annotations

from pathlib import Path

from tests.drill import drill, killer, plans


def test_nothing_acknowledged_is_lost_when_workers_master_and_all_are_killed(tmp_path: Path) -> None:
    outcome = drill.Drill(tmp_path, seed=1).run(drill.by_kills(10))
    assert outcome.losses == [], outcome.table()
    assert {killer.WORKER, killer.MASTER, killer.GROUP} <= set(outcome.kills)
    assert outcome.kills.total() >= 10
    # A drill in which nothing was done could lose nothing.
    done = (outcome.counts["chunk"], outcome.counts["finalized"], outcome.checked["files"], outcome.checked["resumed"])
    assert min(done) > 0, outcome.table()


def test_a_seed_is_a_drill() -> None:
    drawn = [[plans.draw(seed, client, number) for client in range(3) for number in range(9)] for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert [plan.content for plan in drawn[0]] == [plan.content for plan in drawn[1]]
    assert len({plan.filename for plan in drawn[0]}) == 27


def test_plans_have_all_ends_and_all_sizes() -> None:
    drawn = [plans.draw(1, 0, number) for number in range(300)]
    assert {plan.end for plan in drawn} == {plans.KEEP, plans.ABORT, plans.DELETE, plans.LEAVE, plans.VANISH}
    assert {0, 1} < {plan.size_bytes for plan in drawn}
    assert any(0 < plan.sent < len(plan.order) for plan in drawn)
    assert any(plan.order != tuple(sorted(plan.order)) for plan in drawn)
    assert all(sum(len(plan.chunk(index)) for index in plan.order) == plan.size_bytes for plan in drawn[:50])
