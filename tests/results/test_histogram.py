import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upswarm.results.histogram import Histogram

times = st.lists(st.floats(1e-6, 3600), min_size=1, max_size=40)


def histogram_of(values_s):
    histogram = Histogram()
    for value_s in values_s:
        histogram.record(value_s)
    return histogram


def test_without_data_nothing_is_known():
    empty = Histogram()
    assert empty.count == 0
    assert (empty.percentile_s(50), empty.mean_s, empty.min_s, empty.max_s) == (None, None, None, None)
    assert list(empty.counts()) == []


@pytest.mark.parametrize(
    ("percentile", "value_s"), [(0, 0.001), (1, 0.001), (50, 0.050), (90, 0.090), (99, 0.099), (99.9, 0.1), (100, 0.1)]
)
def test_percentiles_of_the_first_hundred_milliseconds(percentile, value_s):
    hundred = histogram_of(n / 1000 for n in range(1, 101))
    assert hundred.percentile_s(percentile) == pytest.approx(value_s, rel=1e-3)


@settings(max_examples=25)
@given(times, st.floats(0.1, 100))
def test_a_percentile_is_a_time_that_so_many_do_not_exceed(values_s, percentile):
    found_s = histogram_of(values_s).percentile_s(percentile)
    within = sum(value_s <= found_s * 1.001 + 1e-6 for value_s in values_s)
    assert within >= math.ceil(round(percentile * len(values_s) / 100, 9))
    assert any(found_s == pytest.approx(value_s, rel=1.1e-3, abs=1e-6) for value_s in values_s)


@settings(max_examples=25)
@given(times)
def test_three_digits_are_kept(values_s):
    histogram = histogram_of(values_s)
    assert histogram.min_s == pytest.approx(min(values_s), rel=1e-3, abs=1e-6)
    assert histogram.max_s == pytest.approx(max(values_s), rel=1e-3, abs=1e-6)
    assert histogram.mean_s == pytest.approx(sum(values_s) / len(values_s), rel=1e-3, abs=1e-6)
    assert histogram.count == len(values_s)


@pytest.mark.parametrize(
    ("recorded_s", "kept_s"), [(0, 1e-6), (-5, 1e-6), (1e-9, 1e-6), (7200, 3600), (math.inf, 3600)]
)
def test_what_lies_outside_counts_as_the_nearest_end(recorded_s, kept_s):
    assert histogram_of([recorded_s]).max_s == pytest.approx(kept_s, rel=1e-3)
    assert histogram_of([recorded_s]).count == 1


@given(st.lists(times, max_size=5))
def test_adding_the_parts_is_recording_the_whole(parts):
    total = Histogram()
    for part in parts:
        total.add(histogram_of(part))
    whole = histogram_of([value_s for part in parts for value_s in part])
    assert facts(total) == facts(whole)


@given(times, times)
def test_what_was_added_is_not_changed(one, other):
    left, right = histogram_of(one), histogram_of(other)
    before = facts(right)
    left.add(right)
    left.record(1.0)
    assert facts(right) == before


@pytest.mark.parametrize("text", ["x", "not base64!", "AAAA", "HISTFAAAAB", "7" * 100])
def test_a_text_that_is_no_histogram_is_a_value_error(text):
    with pytest.raises(ValueError, match="expected an encoded histogram"):
        Histogram.decode(text)


@given(times)
def test_the_text_form_survives_the_round_trip(values_s):
    histogram = histogram_of(values_s)
    assert facts(Histogram.decode(histogram.encode())) == facts(histogram)


def test_an_empty_text_is_an_empty_histogram():
    assert Histogram.decode("").count == 0
    assert Histogram.decode(Histogram().encode()).count == 0


@settings(max_examples=25)
@given(times)
def test_the_counts_rise_and_add_up(values_s):
    pairs = list(histogram_of(values_s).counts())
    assert [at_s for at_s, _ in pairs] == sorted({at_s for at_s, _ in pairs})
    assert sum(count for _, count in pairs) == len(values_s)


def facts(histogram):
    """Its ends, and every count of every bucket: the encoded form is those."""
    return histogram.count, histogram.min_s, histogram.max_s, histogram.encode()


@settings(max_examples=25)
@given(times)
def test_asking_in_between_changes_no_answer(values_s):
    asked = Histogram()
    for value_s in values_s:
        asked.record(value_s)
        assert asked.percentile_s(100) == asked.max_s
    unasked = histogram_of(values_s)
    assert all(asked.percentile_s(each) == unasked.percentile_s(each) for each in (1, 50, 99, 100))
