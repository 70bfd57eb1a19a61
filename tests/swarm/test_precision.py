import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm.swarm.precision import bucket_ms


@given(st.floats(1e-3, 1e7))
def test_a_time_is_counted_within_a_third_of_a_percent(time_ms):
    assert bucket_ms(time_ms) == pytest.approx(time_ms, rel=0.003)


@pytest.mark.parametrize("time_ms", [0, -1, 0.0])
def test_what_took_no_time_is_counted_as_that(time_ms):
    assert bucket_ms(time_ms) == 0


def test_many_different_times_are_few_keys_and_what_is_shown_has_four_digits():
    keys = {bucket_ms(time_ms / 7) for time_ms in range(700, 70_000)}
    assert len(keys) < 256 * 7
    assert all(key == float(f"{key:.4g}") for key in keys)
