from __future__ import annotations

import itertools
import math
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm.workload.rates import Ramp, Rates

MORNING = Rates((Ramp(60, 5, 5), Ramp(120, 5, 20), Ramp(30, 0, 0), Ramp(60, 20, 0)))
"""5/s for a minute, up to 20/s, a pause, and down to nothing: 300, 1500, 0 and 600 arrivals."""

quarters = st.integers(0, 400).map(lambda quarter: quarter / 4)
ramps = st.builds(Ramp, st.integers(0, 3600).map(float), quarters, quarters)
rates = st.builds(lambda each: Rates(tuple(each)), st.lists(ramps, min_size=1, max_size=6))


@pytest.mark.parametrize(
    ("elapsed_s", "expected"),
    [(0, 0), (1, 5), (60, 300), (120, 300 + 60 * (5 + 12.5) / 2), (180, 1800), (200, 1800), (210, 1800), (240, 2250),
     (270, 2400), (999, 2400), (-1, 0)],
)  # fmt: skip
def test_what_comes_until_a_moment_is_the_area_until_then(elapsed_s, expected):
    assert MORNING.expected_by(elapsed_s) == expected


@pytest.mark.parametrize(
    ("expected", "time_s"),
    [(0, 0), (5, 1), (299, 59.8), (300, 60), (825, 120), (1800, 210), (2250, 240), (2400, math.inf)],
)
def test_a_number_of_arrivals_has_come_at_one_moment(expected, time_s):
    assert MORNING.time_of(expected) == pytest.approx(time_s, abs=1e-9)


def test_rates_know_their_length_their_peak_and_their_sum():
    assert (MORNING.duration_s, MORNING.peak_per_s, MORNING.expected) == (270, 20, 2400)


def test_no_ramps_bring_nothing():
    nothing = Rates(())
    assert (nothing.duration_s, nothing.peak_per_s, nothing.expected) == (0, 0, 0)
    assert nothing.time_of(0) == math.inf


def test_in_a_pause_nothing_is_due_and_the_next_waits_for_its_end():
    pause_first = Rates((Ramp(10, 0, 0), Ramp(10, 1, 1)))
    assert [pause_first.time_of(n) for n in (0, 1, 9)] == [10, 11, 19]


def test_a_ramp_without_length_is_a_jump_and_brings_nothing():
    jump = Rates((Ramp(0, 0, 100), Ramp(10, 1, 1)))
    assert (jump.expected, jump.peak_per_s, jump.time_of(0)) == (10, 1, 0)
    assert Ramp(0, 3, 7).rate_at(0) == 7


@pytest.mark.parametrize(("per_hour", "hours"), [(57, 1), (115, 1), (7, 3), (1000, 24), (86_399, 24)])
def test_rounding_adds_no_arrival(per_hour, hours):
    """57 * (1 / 3600) * 3600 is a bit more than 57 in floats, and 115 a bit less."""
    per_s = per_hour * (1 / 3600)
    assert Rates((Ramp(hours * 3600.0, per_s, per_s),)).expected == per_hour * hours


def test_rounding_does_not_put_an_arrival_before_a_pause():
    per_s = 57 * (1 / 3600)
    assert per_s * 3600 > 57
    paused = Rates((Ramp(3600, per_s, per_s), Ramp(600, 0, 0), Ramp(10, 1, 1)))
    assert paused.time_of(57) == 4200


def exact_time_s(ramp: Ramp, expected: float) -> Decimal:
    """The root of `first * t + (last - first) / (2 * over) * t² = expected`, in 60 digits."""
    over, first, last, area = map(Decimal, (ramp.over_s, ramp.first_per_s, ramp.last_per_s, expected))
    slope = (last - first) / over
    if slope == 0:
        return area / first
    return ((first * first + 2 * slope * area).sqrt() - first) / slope


@given(st.integers(1, 86_400).map(float), quarters, quarters, st.floats(0, 1))
def test_a_ramp_is_turned_round_to_the_microsecond(over_s, first_per_s, last_per_s, part):
    ramp = Ramp(over_s, first_per_s, last_per_s)
    number = math.floor(ramp.expected * part)
    if number < ramp.expected:
        with localcontext(prec=60):
            exact_s = exact_time_s(ramp, number)
        assert ramp.time_of(number) == pytest.approx(float(exact_s), abs=1e-6, rel=0)


def test_the_last_arrivals_before_a_rate_dies_out_are_exact_too():
    """Where the rate is nearly 0 the usual formula loses half of its digits."""
    dying = Ramp(86_400, 1000, 0)
    for left in (1, 2, 3):
        number = dying.expected - left
        exact_s = 86_400 - math.sqrt(2 * left * 86_400 / 1000)
        assert dying.time_of(number) == pytest.approx(exact_s, abs=1e-9, rel=0)


@given(rates, st.floats(0, 20_000))
def test_turning_round_and_back_gives_the_same(curve, elapsed_s):
    expected = curve.expected_by(elapsed_s)
    if expected < curve.expected:
        time_s = curve.time_of(expected)
        assert curve.expected_by(time_s) == pytest.approx(expected, abs=1e-6)
        assert time_s >= elapsed_s - 1e-3 * (1 + elapsed_s)


@given(rates)
def test_arrivals_come_in_order_and_within_the_run(curve):
    numbers = [curve.expected * part / 50 for part in range(50)]
    times_s = [curve.time_of(number) for number in numbers] if curve.expected else []
    assert times_s == sorted(times_s)
    assert all(0 <= time_s <= curve.duration_s for time_s in times_s)


@given(rates)
def test_the_sum_is_what_sampling_the_curve_finds(curve):
    areas = (
        sum(ramp.rate_at(ramp.over_s * (step + 0.5) / 64) for step in range(64)) * ramp.over_s / 64
        for ramp in curve.ramps
        if ramp.over_s
    )
    assert curve.expected == pytest.approx(sum(areas), abs=1e-6)


@given(rates, st.floats(0, 20_000))
def test_a_run_lasts_exactly_as_long_as_asked_and_starts_as_before(curve, duration_s):
    other = curve.lasting(duration_s)
    assert other.duration_s == pytest.approx(duration_s)
    for moment_s in (0.0, min(duration_s, curve.duration_s) / 3, min(duration_s, curve.duration_s)):
        assert other.expected_by(moment_s) == pytest.approx(curve.expected_by(moment_s), abs=1e-6)


def test_a_longer_run_holds_the_last_rate():
    longer = Rates((Ramp(10, 0, 8),)).lasting(20)
    assert longer.expected == 40 + 80
    assert Rates(()).lasting(5) == Rates((Ramp(5, 0, 0),))


@given(rates, st.integers(1, 5))
def test_cutting_a_ramp_in_pieces_changes_nothing(curve, pieces):
    cut = [
        Ramp(ramp.over_s / pieces, ramp.rate_at(begin_s), ramp.rate_at(begin_s + ramp.over_s / pieces))
        for ramp in curve.ramps
        if ramp.over_s
        for begin_s in itertools.islice(itertools.count(0, ramp.over_s / pieces), pieces)
    ]
    assert Rates(tuple(cut)).expected == pytest.approx(curve.expected, abs=1e-6)
