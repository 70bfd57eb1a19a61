from __future__ import annotations

from itertools import cycle

from hypothesis import given
from hypothesis import strategies as st

from upswarm.workload.iterations import Iterations, Quota
from upswarm.workload.shares import Share


def quota_of(iterations: Iterations, index: int = 0, workers: int = 1) -> Quota:
    return iterations.quota(Share.of(index, workers, iterations.slots))


@given(st.integers(1, 300), st.integers(1, 20), st.integers(1, 8))
def test_exactly_so_many_uploads_begin_each_of_another_file(count, users, workers):
    quotas = [quota_of(Iterations(count, users), index, workers) for index in range(workers)]
    taken: list[int] = []
    for quota in quotas:
        while (number := quota.next_number()) is not None:
            taken.append(number)
    assert sorted(taken) == list(range(count))


def test_users_of_different_speed_share_what_is_left():
    quota = quota_of(Iterations(count=7, users=3))
    done = {"quick": [], "slow": []}
    for user in cycle(["quick", "quick", "slow"]):
        number = quota.next_number()
        if number is None:
            break
        done[user].append(number)
    assert done == {"quick": [0, 1, 3, 4, 6], "slow": [2, 5]}


def test_after_the_last_one_there_is_none_ever():
    quota = quota_of(Iterations(count=1))
    assert [quota.next_number() for _ in range(4)] == [0, None, None, None]
