"""The statistics against series whose answers are known: from tables, by hand, or by how they were made."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.results.runs import series
from tests.results.samples import attempt
from upswarm.results.batches import estimate, sectioned, settle, student_t, truncation
from upswarm.results.intervals import Intervals
from upswarm.results.metrics import METRICS

TIMES, GOODPUT = METRICS["chunk.response_time"], METRICS["goodput"]


@pytest.mark.parametrize(("freedom", "value"), [(1, 12.706), (4, 2.776), (9, 2.262), (30, 2.042), (500, 2.042)])
def test_students_t_is_that_of_the_tables(freedom, value):
    assert student_t(freedom) == value


def test_an_interval_by_hand():
    """Mean 10, squared deviations 4 + 1 + 0 + 1 + 4 = 10, variance 2.5, t of 4 is 2.776: 2.776 * sqrt(2.5 / 5)."""
    found = sectioned(10.0, [8, 9, 10, 11, 12])
    assert (found.value, found.high - found.value) == (10.0, pytest.approx(2.776 * 0.5**0.5))
    assert found.value - found.low == pytest.approx(found.high - found.value)


def test_parts_that_disagree_with_the_whole_widen_the_interval():
    assert sectioned(12.0, [10, 10, 10]).high > sectioned(10.0, [10, 10, 10]).high == 10.0


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    dice = random.Random(5)
    covered = 0
    for _ in range(1000):
        parts = [dice.gauss(3.0, 1.0) for _ in range(10)]
        found = sectioned(sum(parts) / len(parts), parts)
        covered += found.low <= 3.0 <= found.high
    assert 930 <= covered <= 970


def test_a_series_without_warm_up_loses_nothing():
    assert truncation([5.0] * 20) == 0


def test_a_warm_up_ends_where_it_was_made_to_end():
    dice = random.Random(3)
    start = [50.0, 40.0, 30.0, 20.0, 10.0]
    assert truncation(start + [5.0 + dice.gauss(0, 0.1) for _ in range(35)]) == 5


@pytest.mark.parametrize("values", [list(range(40)), [1.0] * 15 + [9.0] * 15, [0.9**at for at in range(10)]])
def test_what_still_changes_in_its_second_half_has_not_settled(values):
    assert truncation(values) is None


def test_too_few_values_tell_nothing():
    assert truncation([5.0] * 4) is None


@given(st.lists(st.floats(0, 100), max_size=60))
def test_never_more_than_the_first_half_is_warm_up(values):
    found = truncation(values)
    assert found is None or found < len(values) / 2


@pytest.mark.parametrize(("length_s", "batches", "each_s"), [(10.0, 9, 1.0), (2.0, 7, 0.25), (5.25, 10, 0.5)])
def test_the_settled_part_has_at_most_ten_batches_of_equal_length(length_s, batches, each_s):
    found = settle(series(lambda at_s: 0.1, length_s).intervals, length_s, [TIMES])
    assert [batch.elapsed_s for batch in found.batches] == [each_s] * batches
    assert found.whole.elapsed_s == batches * each_s
    assert found.whole.measurements.attempts == sum(batch.measurements.attempts for batch in found.batches)


def test_the_warm_up_is_in_no_batch():
    found = settle(series(lambda at_s: 2.0 if at_s < 3 else 0.1).intervals, 10.0, [TIMES])
    assert METRICS["chunk.response_time"].read(found.whole, "max") == pytest.approx(0.1, rel=0.01)
    assert found.whole.elapsed_s >= 6


def test_what_ended_after_the_run_is_in_no_batch():
    measured = series(lambda at_s: 0.1 if at_s < 10 else 3.0, length_s=12.0)
    found = settle(measured.intervals, 10.0, [TIMES])
    assert TIMES.read(found.whole, "max") < 1
    assert found.whole.elapsed_s < 10


def test_times_that_keep_growing_have_not_settled_and_their_second_half_is_taken():
    found = settle(series(lambda at_s: 0.1 + at_s).intervals, 10.0, [TIMES])
    assert not found.is_settled
    assert found.whole.elapsed_s == 5.0
    assert TIMES.read(found.whole, "min") == pytest.approx(5.1, rel=0.01)


def test_all_metrics_have_to_settle():
    measured = series(lambda at_s: 0.1 + at_s).intervals
    assert settle(measured, 10.0, [GOODPUT]).is_settled
    assert not settle(measured, 10.0, [GOODPUT, TIMES]).is_settled


def test_without_data_nothing_settles_and_a_run_may_be_too_short():
    assert not settle(Intervals(), 10.0, [TIMES]).is_settled
    assert settle(series(lambda at_s: 0.1, length_s=1.0).intervals, 1.0, [TIMES]) is None


def test_a_figure_is_that_of_the_whole_and_its_interval_that_of_the_batches():
    dice = random.Random(1)
    found = settle(series(lambda at_s: 0.1 + 0.02 * dice.random()).intervals, 10.0, [TIMES])
    p50 = estimate(found, TIMES, "p50")
    assert p50.value == TIMES.read(found.whole, "p50")
    assert p50.low < 0.11 < p50.high
    assert p50.high - p50.low < 0.01


def test_a_figure_that_hardly_any_batch_has_is_none():
    found = settle(series(lambda at_s: 0.1).intervals, 10.0, [TIMES])
    assert estimate(found, METRICS["probe.response_time"], "p50") is None


def test_what_no_batch_has_room_for_is_the_beginning():
    """Eleven intervals that count, in batches of two: the first of them is left out."""
    measured = series(lambda _: 0.1, 3.0)
    for _ in range(5):
        measured.record_attempt(attempt(took_s=0.1), 0.3)
    found = settle(measured.intervals, 3.0, [TIMES])
    assert (len(found.batches), found.whole.elapsed_s, found.whole.measurements.attempts) == (5, 2.5, 100)
