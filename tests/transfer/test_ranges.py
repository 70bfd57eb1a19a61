import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm.transfer.ranges import NOTHING, Ranges

spans = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)))


def points(some):
    return {point for start, end in some for point in range(start, end)}


@pytest.mark.parametrize(
    ("given_spans", "merged"),
    [
        ([], ()),
        ([(3, 3)], ()),
        ([(5, 3)], ()),
        ([(0, 4), (4, 6)], ((0, 6),)),
        ([(8, 9), (0, 1)], ((0, 1), (8, 9))),
        ([(0, 9), (2, 3)], ((0, 9),)),
        ([(0, 5), (3, 8), (20, 21)], ((0, 8), (20, 21))),
    ],
)
def test_spans_are_sorted_and_merged(given_spans, merged):
    assert Ranges.of(given_spans).spans == merged


@given(spans)
def test_ranges_are_the_set_of_their_points_in_the_fewest_spans(some):
    ranges = Ranges.of(some)
    assert points(ranges) == points(some)
    assert ranges.total_bytes == len(points(some))
    flat = [edge for span in ranges for edge in span]
    assert flat == sorted(set(flat))


@given(spans, spans)
def test_a_union_is_the_union_of_the_points(one, other):
    assert points(Ranges.of(one) | Ranges.of(other)) == points(one) | points(other)


@given(spans)
def test_equal_sets_are_equal_values(some):
    assert Ranges.of(some) == Ranges.of(reversed(some)) == Ranges.of((p, p + 1) for p in points(some))


@given(spans, st.integers(0, 50))
def test_what_is_missing_is_the_whole_without_what_is_held(some, size_bytes):
    missing = Ranges.of(some).missing(size_bytes)
    assert points(missing) == set(range(size_bytes)) - points(some)
    assert missing == Ranges.of(missing)


@given(spans, st.integers(0, 40), st.integers(0, 40))
def test_covering_is_having_every_point(some, start, end):
    assert Ranges.of(some).covers(start, end) == (set(range(start, end)) <= points(some))


def test_nothing_covers_only_the_empty_range():
    assert NOTHING.covers(5, 5)
    assert not NOTHING.covers(5, 6)
    assert NOTHING.missing(7) == Ranges(((0, 7),))


@given(spans, st.integers(0, 40), st.integers(0, 40))
def test_what_lies_within_is_what_has_both_points(some, low, high):
    assert points(Ranges.of(some).within(low, high)) == points(some) & set(range(low, high))
