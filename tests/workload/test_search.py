"""The search ends, stays inside its bounds, and finds the edge to the precision that was asked for."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm.workload.search import Bounds, Search

precisions = st.floats(0.001, 0.5)
whole_bounds = st.tuples(st.integers(1, 50), st.integers(0, 5000), precisions).map(
    lambda each: Bounds(each[0], each[0] + each[1], each[2])
)
rate_bounds = st.tuples(st.floats(0.01, 50), st.floats(0, 5000), precisions).map(
    lambda each: Bounds(each[0], each[0] + each[1], each[2], whole=False)
)
bounds = st.one_of(whole_bounds, rate_bounds)


def searched(bounds: Bounds, holds) -> tuple[Search, list[float]]:
    """A search to its end, and the loads that it asked for."""
    search, asked = Search(bounds), []
    while (load := search.next_load()) is not None:
        asked.append(load)
        search.judged(load, holds=holds(load))
    return search, asked


def most_steps(bounds: Bounds) -> float:
    doublings = math.log2(bounds.most / bounds.least) + 2
    return doublings + math.log2(1 / bounds.precision_ratio) + 2


def test_it_doubles_until_one_gives_in_and_halves_the_gap():
    _, asked = searched(Bounds(1, 1000, 0.05), lambda load: load <= 42)
    assert asked == [1, 2, 4, 8, 16, 32, 64, 48, 40, 44, 42]


def test_rates_are_searched_as_finely_as_asked():
    search, asked = searched(Bounds(1, 1000, 0.1, whole=False), lambda load: load <= 5.2)
    assert asked == [1, 2, 4, 8, 6, 5, 5.5]
    assert (search.held, search.gave_in) == (5, 5.5)


@given(bounds, st.floats(0.001, 6000))
def test_where_loads_hold_up_to_an_edge_it_is_found(bounds, edge):
    search, _ = searched(bounds, lambda load: load <= edge)
    if edge < bounds.least:
        assert (search.held, search.gave_in) == (None, bounds.least)
    elif edge >= bounds.most:
        assert (search.held, search.gave_in) == (bounds.most, None)
    elif search.gave_in is not None:
        gap = search.gave_in - search.held
        assert search.held <= edge < search.gave_in
        assert gap <= bounds.precision_ratio * search.held or (bounds.whole and gap == 1)


@given(bounds, st.randoms(use_true_random=False))
def test_whatever_it_is_told_it_ends_and_says_only_what_it_was_told(bounds, dice):
    told = {}

    def holds(load):
        assert load not in told, "no load is asked for twice"
        told[load] = dice.random() < 0.5
        return told[load]

    search, asked = searched(bounds, holds)
    assert len(asked) <= most_steps(bounds)
    assert all(bounds.least <= load <= bounds.most for load in asked)
    assert search.held is None or told[search.held]
    assert search.gave_in is None or not told[search.gave_in]
    assert search.held is None or search.gave_in is None or search.held < search.gave_in


@given(whole_bounds, st.randoms(use_true_random=False))
def test_users_are_whole(bounds, dice):
    _, asked = searched(bounds, lambda load: dice.random() < 0.7)
    assert all(load.is_integer() for load in map(float, asked))


@given(st.integers(2, 2000), st.floats(0, 0.2), st.randoms(use_true_random=False))
def test_a_judge_who_errs_near_the_edge_moves_the_answer_no_further_than_that(edge, fuzz, dice):
    low, high = edge * (1 - fuzz), edge * (1 + fuzz)

    def holds(load):
        return load < low or (load <= high and dice.random() < 0.5)

    search, _ = searched(Bounds(1, 10_000, 0.05), holds)
    assert search.held is None or search.held <= high
    assert search.gave_in >= low


def test_the_next_load_stays_until_it_has_been_judged():
    search = Search(Bounds(3, 100, 0.05))
    assert (search.next_load(), search.next_load()) == (3, 3)
    with pytest.raises(ValueError, match="expected a judgement of 3, found one of 4"):
        search.judged(4, holds=True)
    search.judged(3, holds=False)
    assert search.next_load() is None
    with pytest.raises(ValueError, match="expected a judgement of None"):
        search.judged(3, holds=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 10, 0.05), "expected a smallest load above 0 and no larger than the largest, 10; found 0"),
        ((11, 10, 0.05), "no larger than the largest, 10; found 11"),
        ((1, 10, 0.0), "expected a precision above 0, found 0"),
        ((1.5, 10, 0.05), "expected whole numbers, found 1.5 and 10"),
    ],
)
def test_bounds_between_which_nothing_can_be_searched_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Bounds(*arguments)
