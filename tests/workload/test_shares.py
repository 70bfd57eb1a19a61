from __future__ import annotations

from itertools import chain, islice, takewhile

from hypothesis import given
from hypothesis import strategies as st

from upswarm.workload.mix import Share
from upswarm.workload.shares import SlotShare

crews = st.tuples(st.integers(1, 12), st.integers(1, 40))


def numbers(index: int, workers: int, slots: int, end: int) -> list[int]:
    return list(takewhile(lambda number: number < end, SlotShare(index, workers, slots).numbers()))


@given(crews, st.integers(0, 400))
def test_all_workers_together_take_each_number_once(crew, end):
    workers, slots = crew
    taken = [numbers(index, workers, slots, end) for index in range(workers)]
    assert sorted(chain.from_iterable(taken)) == list(range(end))
    assert all(each == sorted(each) for each in taken)


@given(crews)
def test_the_slots_are_divided_and_none_is_lost(crew):
    workers, slots = crew
    owned = [len(SlotShare(index, workers, slots).own) for index in range(workers)]
    assert sum(owned) == slots
    assert max(owned) - min(owned) <= 1


@given(crews, st.integers(1, 9))
def test_a_worker_takes_as_much_of_the_work_as_of_the_slots(crew, turns):
    workers, slots = crew
    for index in range(workers):
        share = SlotShare(index, workers, slots)
        assert len(numbers(index, workers, slots, turns * slots)) == turns * len(share.own)


def test_unequal_slots_are_unequal_shares():
    assert numbers(0, 2, 3, 12) == [0, 2, 3, 5, 6, 8, 9, 11]
    assert numbers(1, 2, 3, 12) == [1, 4, 7, 10]


def test_a_worker_without_a_slot_takes_nothing():
    assert list(SlotShare(3, 4, 2).numbers()) == []


def test_a_worker_that_comes_late_takes_nothing_from_the_others():
    assert list(SlotShare(2, 2, 100).numbers()) == []


@given(st.integers(1, 9), st.integers(1, 9), st.data())
def test_with_equal_slots_it_is_the_share_of_the_files(workers, each, data):
    index = data.draw(st.integers(0, workers - 1))
    files = Share(index, workers)
    expected = [files.next_number() for _ in range(30)]
    assert list(islice(SlotShare(index, workers, workers * each).numbers(), 30)) == expected
