from __future__ import annotations

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from upswarm.workload.shares import Share

crews = st.tuples(st.integers(1, 12), st.integers(1, 40))


def numbers(share: Share, end: int) -> list[int]:
    taken = []
    while share.first is not None and share.first < end:
        taken.append(share.draw())
    return taken


@given(crews, st.integers(0, 400))
def test_all_workers_together_take_each_number_once(crew, end):
    workers, slots = crew
    taken = [numbers(Share.of(index, workers, slots), end) for index in range(workers)]
    assert sorted(chain.from_iterable(taken)) == list(range(end))
    assert all(each == sorted(each) for each in taken)


@given(crews)
def test_the_slots_are_divided_and_none_is_lost(crew):
    workers, slots = crew
    owned = [len(Share.of(index, workers, slots)) for index in range(workers)]
    assert sum(owned) == slots
    assert max(owned) - min(owned) <= 1


@given(crews, st.integers(1, 9))
def test_a_worker_takes_as_much_of_the_work_as_of_the_slots(crew, turns):
    workers, slots = crew
    for index in range(workers):
        share = Share.of(index, workers, slots)
        assert len(numbers(share, turns * slots)) == turns * len(share)


def test_unequal_slots_are_unequal_shares():
    assert numbers(Share.of(0, 2, 3), 12) == [0, 2, 3, 5, 6, 8, 9, 11]
    assert numbers(Share.of(1, 2, 3), 12) == [1, 4, 7, 10]


def test_a_worker_without_a_slot_takes_nothing():
    assert numbers(Share.of(3, 4, 2), 100) == []


@given(crews, st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.integers(0, 9), st.integers(0, 30))))
def test_however_often_slots_change_hands_each_number_is_drawn_once(crew, exchanges):
    workers, slots = crew
    shares = [Share.of(index, workers, slots) for index in range(workers)]
    drawn: list[int] = []
    for giver, taker, count, draws in exchanges:
        busy = shares[giver % workers]
        drawn += [busy.draw() for _ in range(draws) if busy]
        shares[taker % workers].take(busy.give(count))
    end = max(drawn, default=0) + slots
    drawn += chain.from_iterable(numbers(share, end) for share in shares)
    assert sorted(drawn) == list(range(end))


def test_a_share_goes_back_to_what_was_drawn_and_has_not_ended():
    share = Share.of(1, 2, 6)
    assert [share.draw() for _ in range(7)] == [1, 3, 5, 7, 9, 11, 13]
    assert share.following == (15, 17, 19)
    assert share.back_to(()) == share.following
    assert share.back_to({13, 9}) == (9, 13, 17)
    assert share.back_to({13, 7, 5}) == (5, 7, 15)
    share.give(1)
    assert share.back_to({13, 9}) == (9, 17), "what was given away is another's"
