import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm.results.levels import MOST, Levels


def test_of_each_second_the_highest_is_kept():
    levels = Levels()
    for at_s, value in ((0.0, 1), (0.4, 3), (0.9, 2), (2.5, 4)):
        levels.record(at_s, value)
    assert levels.points() == [(0.0, 3), (2.0, 4)]
    assert levels.highest == 4


def test_where_nobody_looked_there_is_nothing():
    assert Levels().points() == []
    assert Levels().highest == 0


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 1000)), min_size=1, max_size=50))
def test_however_long_it_lasts_there_are_few_points_and_the_highest_is_among_them(looks):
    levels = Levels()
    for at_s, value in looks:
        levels.record(at_s, value)
    points = levels.points()
    assert len(points) <= MOST
    assert max(value for _, value in points) == levels.highest == max(value for _, value in looks)


def test_the_stretches_of_ten_hours_are_four_minutes_wide():
    levels = Levels()
    for second in range(0, 36000, 3):
        levels.record(second, second % 7)
    assert levels.width_s == pytest.approx(256)
    assert len(levels.points()) == 141
