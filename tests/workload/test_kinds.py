"""What a run asks of its workload, whatever kind it is of."""

from __future__ import annotations

import pytest

from upswarm.errors import UsageError
from upswarm.workload.arrivals import Arrivals
from upswarm.workload.iterations import Iterations
from upswarm.workload.kinds import ClosedLoad, FixedLoad, OpenLoad, Override, Workload
from upswarm.workload.mix import ContentSpec, FileDraw
from upswarm.workload.rates import Ramp, Rates
from upswarm.workload.replay import Replay
from upswarm.workload.stages import Stage, Stages

CLOSED = ClosedLoad(Stages((Stage(2, 4), Stage(8))), think_time_s=1)
OPEN = OpenLoad(Arrivals(Rates((Ramp(10, 5, 5),))), max_in_flight=7)
RECORDED = OpenLoad(Replay((0.0, 2.0, 2.0, 5.0), (1, 2, 3, 4)), max_in_flight=1)
FIXED = FixedLoad(Iterations(100, 3))


@pytest.mark.parametrize(
    ("workload", "planned_s", "ends_s", "peak_users", "words"),
    [
        (CLOSED, 10, 10, 4, "4 users"),
        (OPEN, 10, 10, 7, "up to 5 arrivals/s, at most 7 in flight"),
        (RECORDED, 5, 5, 1, "4 recorded arrivals, at most 1 in flight"),
        (FIXED, None, None, 3, "100 uploads by 3 users"),
        (FixedLoad(Iterations(1, 3), limit_s=9), None, 9, 1, "1 upload by 1 user"),
        (OpenLoad(Replay((0.0,), (1,)), 2), 0, 0, 2, "1 recorded arrival, at most 2 in flight"),
    ],
)
def test_what_a_run_asks(
    workload: Workload, planned_s: float | None, ends_s: float | None, peak_users: int, words: str
) -> None:
    assert (workload.planned_s, workload.ends_s, workload.peak_users) == (planned_s, ends_s, peak_users)
    assert str(workload) == words


@pytest.mark.parametrize(("workers", "users"), [(1, 7), (2, 8), (3, 9), (7, 7), (10, 10)])
def test_every_worker_has_a_user_for_each_of_its_slots(workers: int, users: int) -> None:
    assert OPEN.users_at(0, workers) == users
    assert FixedLoad(Iterations(100, 7)).users_at(3600, workers) == users


def test_a_run_is_over_when_its_time_is() -> None:
    assert [load.users_at(10, 1) for load in (CLOSED, OPEN, RECORDED, FixedLoad(Iterations(5), 10))] == [None] * 4
    assert FIXED.users_at(1e9, 1) == 3


def test_a_record_of_one_moment_has_users_too() -> None:
    assert OpenLoad(Replay((0.0, 0.0), (1, 2)), max_in_flight=5).users_at(0, 1) == 5


def test_a_duration_cuts_and_lengthens() -> None:
    assert CLOSED.overridden(Override(duration_s=3)).planned_s == 3
    for duration_s, count in ((4, 20), (20, 100)):
        cut = OPEN.overridden(Override(duration_s=duration_s))
        assert (cut.planned_s, cut.schedule.count, cut.max_in_flight) == (duration_s, count, 7)
    assert FIXED.overridden(Override(duration_s=3)) == FixedLoad(Iterations(100, 3), 3)


def test_a_record_is_cut_and_does_not_go_on() -> None:
    assert RECORDED.overridden(Override(duration_s=3)).schedule == Replay((0.0, 2.0, 2.0), (1, 2, 3))
    assert RECORDED.overridden(Override(duration_s=2)).schedule == Replay((0.0,), (1,))
    assert RECORDED.overridden(Override(duration_s=60)) == RECORDED


def test_users_change_where_they_are_what_the_load_is() -> None:
    assert CLOSED.overridden(Override(users=9)).peak_users == 9
    assert FIXED.overridden(Override(users=9)) == FixedLoad(Iterations(100, 9))
    with pytest.raises(UsageError, match=r"expected no number of users, for uploads .* arrive by a schedule, found 9"):
        OPEN.overridden(Override(users=9))


@pytest.mark.parametrize(
    ("workload", "wish"),
    [(CLOSED, Override(users=0)), (CLOSED, Override(duration_s=0)), (OPEN, Override(duration_s=0)),
     (RECORDED, Override(duration_s=0)), (FIXED, Override(duration_s=0))],
)  # fmt: skip
def test_nothing_left_is_an_error(workload: Workload, wish: Override) -> None:
    with pytest.raises(UsageError, match="nothing would be uploaded"):
        workload.overridden(wish)


def test_only_a_record_has_sizes_of_its_own() -> None:
    draw = FileDraw(2, ContentSpec("sparse"), 1000, seed=1)
    assert [load.sized(draw).size_bytes for load in (CLOSED, OPEN, FIXED)] == [1000] * 3
    assert RECORDED.sized(draw) == FileDraw(2, ContentSpec("sparse"), 3, seed=1)


def test_a_spawn_rate_is_for_loads_whose_users_come_by_themselves() -> None:
    closed = CLOSED.overridden(Override(users=9, spawn_rate_per_s=3))
    fixed = FIXED.overridden(Override(users=9, spawn_rate_per_s=3))
    assert [closed.users_at(t, 1) for t in (1, 2, 3, 4)] == [3, 6, 9, 9]
    assert [fixed.users_at(t, 1) for t in (0, 1, 2, 3, 9)] == [1, 4, 7, 9, 9]
    assert [fixed.users_at(t, 2) for t in (0, 1, 2, 3)] == [2, 4, 8, 10]  # one on each worker at least
    with pytest.raises(UsageError, match=r"expected no spawn rate, for uploads arrive by a schedule, found 3 users/s"):
        OPEN.overridden(Override(spawn_rate_per_s=3))


def test_a_closed_load_can_be_edited_while_it_runs() -> None:
    edited = CLOSED.edited(5, 12, 4)
    assert [edited.users_at(t, 1) for t in (4, 5, 6, 7, 9.9, 10)] == [4, 4, 8, 12, 12, None]
    assert (edited.peak_users, edited.planned_s, edited.think_time_s) == (12, 10, CLOSED.think_time_s)
