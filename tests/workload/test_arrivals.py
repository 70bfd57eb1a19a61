from __future__ import annotations

import math
import statistics
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upswarm.workload import poisson
from upswarm.workload.arrivals import Arrivals, Spacing
from upswarm.workload.poisson import event_at
from upswarm.workload.rates import Ramp, Rates
from upswarm.workload.shares import Share

FIVE_A_SECOND = Rates((Ramp(60, 5, 5),))
UP_AND_DOWN = Rates((Ramp(10, 0, 30), Ramp(5, 0, 0), Ramp(20, 30, 2)))

spacings = st.sampled_from(Spacing)
ramps = st.builds(Ramp, st.integers(0, 40).map(float), st.integers(0, 20).map(float), st.integers(0, 20).map(float))
schedules = st.builds(
    lambda each, spacing, seed: Arrivals(Rates(tuple(each)), spacing, seed),
    st.lists(ramps, min_size=1, max_size=4),
    spacings,
    st.integers(0, 2**64),
)


def times_of(arrivals: Arrivals) -> list[float]:
    """All arrivals, asked for one after the other."""
    times_s: list[float] = []
    while (due_s := arrivals.due_s(len(times_s))) is not None:
        times_s.append(due_s)
    return times_s


def test_constant_spacing_begins_at_once_and_is_even():
    times_s = times_of(Arrivals(FIVE_A_SECOND))
    assert len(times_s) == 300
    assert times_s[:3] == [0, 0.2, 0.4]
    assert times_s == pytest.approx([n / 5 for n in range(300)])


def test_a_ramp_brings_more_and_more():
    times_s = times_of(Arrivals(Rates((Ramp(10, 0, 10),))))
    assert len(times_s) == 50
    assert times_s == pytest.approx([math.sqrt(2 * n) for n in range(50)])


def test_after_the_last_one_there_is_none():
    arrivals = Arrivals(FIVE_A_SECOND)
    assert (arrivals.due_s(299), arrivals.due_s(300), arrivals.due_s(10**12)) == (59.8, None, None)


@given(schedules)
def test_there_are_as_many_as_are_counted_in_order_and_within_the_run(arrivals):
    times_s = times_of(arrivals)
    assert len(times_s) == arrivals.count
    assert times_s == sorted(times_s)
    assert all(0 <= time_s <= arrivals.duration_s for time_s in times_s)


@given(st.lists(ramps, min_size=1, max_size=4), st.floats(0, 200))
def test_at_every_moment_the_rates_integrate_to_the_arrivals_so_far(each, elapsed_s):
    arrivals = Arrivals(Rates(tuple(each)))
    come = sum(1 for time_s in times_of(arrivals) if time_s < elapsed_s)
    assert come == pytest.approx(arrivals.rates.expected_by(elapsed_s), abs=1 + 1e-6)


@given(schedules, st.integers(1, 7), st.integers(1, 9))
def test_the_workers_together_have_the_schedule_of_one(arrivals, workers, slots):
    taken: list[tuple[int, float]] = []
    for index in range(workers):
        share = Share.of(index, workers, slots)
        while (number := share.first) is not None and (due_s := arrivals.due_s(number)) is not None:
            taken.append((share.draw(), due_s))
    assert sorted(taken) == list(enumerate(times_of(arrivals)))


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 10**8), min_size=1, max_size=20))
def test_an_arrival_is_the_same_whatever_was_asked_before(seed, numbers):
    forgetful = []
    for number in numbers:
        for cache in (poisson._span, poisson._edge, poisson._positions):
            cache.cache_clear()
        forgetful.append(event_at(seed, number))
    assert [event_at(seed, number) for number in numbers] == forgetful


def test_another_seed_is_another_schedule_and_the_same_seed_the_same():
    first, same, other = (times_of(Arrivals(UP_AND_DOWN, Spacing.POISSON, seed)) for seed in (1, 1, 2))
    assert first == same
    assert first[0] != other[0]


def test_a_longer_run_begins_with_the_arrivals_of_the_shorter():
    short, long = (Arrivals(FIVE_A_SECOND.lasting(seconds), Spacing.POISSON, 3) for seconds in (30, 600))
    assert times_of(long)[: short.count] == times_of(short)


def test_the_schedule_of_a_seed_is_the_same_on_every_machine():
    """Written down once: should this change, old scenarios have other arrivals, and that belongs in the changelog."""
    events = [0.389629, 1.084361, 3.688017, 269.735052, 269.876133, 1070.456707, 10002102.274794]
    assert [round(event_at(7, number), 6) for number in (0, 1, 2, 255, 256, 1000, 10**7)] == events


def gaps(seed: int, first: int, count: int) -> list[float]:
    events = [event_at(seed, number) for number in range(first, first + count + 1)]
    return [later - earlier for earlier, later in pairwise(events)]


@pytest.mark.parametrize("first", [0, 10**7, 10**11])
def test_poisson_gaps_are_exponential(first):
    """Mean 1, variance 1, and of each length as many as there should be; bounds are five standard deviations."""
    count = 20_000
    found = gaps(11, first, count)
    assert statistics.mean(found) == pytest.approx(1, abs=5 / math.sqrt(count))
    assert statistics.variance(found) == pytest.approx(1, abs=5 * math.sqrt(8 / count))
    for length in (0.01, 0.1, 0.5, 1, 2, 4):
        share = math.exp(-length)
        bound = 5 * math.sqrt(share * (1 - share) / count)
        assert sum(gap > length for gap in found) / count == pytest.approx(share, abs=bound)


def test_poisson_gaps_know_nothing_of_each_other():
    """Neighbours, and gaps as far apart as the blocks in which they are drawn."""
    count = 20_000
    found = [gap - 1 for gap in gaps(5, 0, count)]
    for lag in (1, 2, 255, 256, 257, 512):
        pairs = list(zip(found, found[lag:], strict=False))
        assert statistics.fmean(one * other for one, other in pairs) == pytest.approx(0, abs=5 / math.sqrt(len(pairs)))


def test_as_many_poisson_events_come_in_a_minute_as_in_any_other_give_or_take_a_root():
    """Counts of 400 windows of length 50: mean 50, variance 50. Sums of blocks that are wrong would show here."""
    windows, length = 400, 50
    counts = [0] * windows
    number = 0
    while (event := event_at(23, number)) < windows * length:
        counts[int(event // length)] += 1
        number += 1
    assert statistics.mean(counts) == pytest.approx(length, abs=5 * math.sqrt(length / windows))
    assert statistics.variance(counts) == pytest.approx(length, rel=5 * math.sqrt(2 / windows))


@pytest.mark.parametrize("number", [10**4, 10**7, 10**10])
def test_the_sum_of_many_gaps_is_near_their_number(number):
    """Over 30 seeds: the sum of n gaps has mean n and variance n."""
    sums = [(event_at(seed, number - 1) - number) / math.sqrt(number) for seed in range(30)]
    assert statistics.mean(sums) == pytest.approx(0, abs=5 / math.sqrt(30))
    assert 0.4 < statistics.variance(sums) < 2.2  # a chi-squared of 29 degrees, divided by 29


def test_the_ten_millionth_arrival_takes_a_few_steps():
    steps = (poisson._span, poisson._edge, poisson._positions)
    before = sum(step.cache_info().misses for step in steps)
    event_at(987_654_321, 10**7)
    assert sum(step.cache_info().misses for step in steps) - before < 60


def test_poisson_arrivals_follow_the_rate():
    """Of 30 seeds, the mean number in each part of the run is its integral; and a pause stays empty."""
    runs = [times_of(Arrivals(UP_AND_DOWN, Spacing.POISSON, seed)) for seed in range(30)]
    for begin_s, end_s, expected in ((0, 5, 37.5), (5, 10, 112.5), (15, 25, 230), (25, 35, 90)):
        counts = [sum(begin_s <= time_s < end_s for time_s in run) for run in runs]
        assert statistics.mean(counts) == pytest.approx(expected, abs=5 * math.sqrt(expected / 30))
    assert not any(10 < time_s < 15 for run in runs for time_s in run)
