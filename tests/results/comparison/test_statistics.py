"""The statistics of a comparison by hand: what each word needs, how noise is told, and where batches begin and end."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import stdev

import pytest

from tests.results.comparison.comparisons import named
from tests.results.runs import series
from tests.results.samples import attempt, finished
from upswarm.results.comparison.batches import MOST_BATCHES, batches
from upswarm.results.comparison.comparison import Change, Word, change_of, compare
from upswarm.results.comparison.gate import Gate, judge
from upswarm.results.comparison.noise import Noise, Resampled
from upswarm.results.comparison.sides import Figure, Side
from upswarm.results.measurements import Measurements
from upswarm.results.metrics import METRICS, Metric, Summary


class Told(Side):
    """A side whose figure, and how sure that is, was told."""

    def __init__(self, value: float, error: float, freedom: float) -> None:
        super().__init__("A", ())
        self._told = Figure(value, Noise(error, freedom))

    def figure(self, metric: Metric, aggregate: str) -> Figure:
        return self._told


def change(one: tuple[float, float, float], two: tuple[float, float, float], name: str = "goodput") -> Change:
    metric = METRICS[name]
    aggregate = "rate" if name.endswith("failed") else "p50" if name.endswith("time") else "mean"
    return change_of(Told(*one), Told(*two), metric, aggregate, 0.05, identical=False)


@pytest.mark.parametrize(
    ("errors", "freedoms", "half_width"),
    [
        ((3.0, 4.0), (4.0, 4.0), 5 * 3.499),  # Welch: 25² / (81/4 + 256/4) = 7.4
        ((0.0, 2.0), (9.0, 1.0), 2 * 63.657),
        ((0.0, 2.0), (9.0, 2.0), 2 * 9.925),
        ((0.0, 2.0), (9.0, 30.0), 2 * 2.750),
        ((0.0, 2.0), (9.0, 4000.0), 2 * 2.750),
    ],
)
def test_the_interval_of_a_change_is_welchs_with_99_per_cent(errors, freedoms, half_width):
    found = change((100.0, errors[0], freedoms[0]), (130.0, errors[1], freedoms[1]))
    assert (found.base, found.other, found.difference) == (100.0, 130.0, 30.0)
    assert (found.low, found.high) == (pytest.approx(30 - half_width), pytest.approx(30 + half_width))
    assert found.is_significant == (half_width < 30)


@pytest.mark.parametrize(
    ("name", "base", "other", "error", "word"),
    [
        ("goodput", 100, 106, 0.1, Word.BETTER),
        ("goodput", 100, 94, 0.1, Word.WORSE),
        ("chunk.response_time", 100, 106, 0.1, Word.WORSE),
        ("chunk.response_time", 100, 94, 0.1, Word.BETTER),
        ("sent", 100, 94, 0.1, Word.DIFFERENT),
        ("goodput", 100, 104, 0.1, Word.SAME),  # sure, and too small to matter
        ("goodput", 100, 96, 0.1, Word.SAME),
        ("goodput", 100, 105.1, 0.001, Word.BETTER),  # the band is that of the base
        ("goodput", 100, 94.9, 0.001, Word.WORSE),
        ("goodput", 100, 100, 1.7, Word.SAME),  # 5 % at most: 1.7 · √2 · 2.05
        ("goodput", 100, 100, 1.8, Word.UNCLEAR),
        ("goodput", 100, 120, 9.0, Word.UNCLEAR),
        ("chunk.failed", 0.0, 0.0009, 1e-6, Word.SAME),
        ("chunk.failed", 0.0, 0.0011, 1e-6, Word.WORSE),
        ("chunk.failed", 0.1, 0.12, 0.02, Word.UNCLEAR),
    ],
)
def test_a_word_needs_evidence_and_a_change_that_matters(name, base, other, error, word):
    found = change((base, error, 30.0), (other, error, 30.0), name)
    assert found.word is word
    assert found.is_significant == (found.low > 0 or found.high < 0)


def pieces(levels: list[float]) -> list[Summary]:
    """Each as much goodput, in bytes per second, as is said."""
    return [Summary(goodput(level), 1.0) for level in levels]


def goodput(level: float) -> Measurements:
    measurements = Measurements()
    measurements.record_attempt(attempt(), 0)
    measurements.record_outcome(finished(int(level)), 0)
    return measurements


def noise(levels: list[float], *, in_time: bool) -> Noise:
    found = Resampled(pieces(levels), in_time=in_time).noise(METRICS["goodput"], "mean")
    assert isinstance(found, Noise)
    return found


def test_the_noise_of_several_runs_is_the_standard_error_of_their_mean():
    levels = [900.0, 1000.0, 1040.0, 1100.0, 960.0]
    found = noise(levels, in_time=False)
    assert found.error == pytest.approx(stdev(levels) / math.sqrt(5), rel=0.06)
    assert found.freedom == 4


@pytest.mark.parametrize(
    ("levels", "dependence"),
    [
        ([1000.0, 3000.0] * 10, 1.0),
        ([1000.0] * 10 + [3000.0] * 10, 9.0),  # 0.8 is the most that is believed
        ([1000.0, 1000.0, 3000.0, 3000.0] * 5, (1 + 2 / 17) / (1 - 2 / 17)),  # (0.05 + 1/20) / (1 - 3/20)
    ],
)
def test_batches_that_resemble_their_neighbours_tell_less(levels, dependence):
    found = noise(levels, in_time=True)
    assert found.freedom == pytest.approx(20 / dependence - 1)
    assert found.error == pytest.approx(stdev(levels) / math.sqrt(20 / dependence), rel=0.06)


def test_eight_batches_with_data_are_enough_and_seven_are_not():
    goodput_of = METRICS["goodput"], "mean"
    assert isinstance(Resampled(pieces([1000.0, 1100.0] * 4), in_time=True).noise(*goodput_of), Noise)
    seven = pieces([1000.0, 1100.0, 1050.0, 1000.0, 1100.0, 1020.0, 1080.0])
    assert Resampled(seven, in_time=True).noise(*goodput_of) == "data in 7 batches only, 8 are needed"


def test_the_noise_of_a_percentile_is_that_of_the_time_at_its_rank():
    found = []
    for took_s in (0.1, 0.2, 0.3):
        measurements = Measurements()
        measurements.record_attempt(attempt(took_s=took_s), 0)
        found.append(Summary(measurements, 1.0))
    told = Resampled(found, in_time=False).noise(METRICS["chunk.response_time"], "p50")
    assert isinstance(told, Noise)
    # Of three that are drawn the second: 0.1 s and 0.3 s in 7 of 27 draws each.
    assert told.error == pytest.approx(math.sqrt(14 / 27 * 0.1**2 * 3 / 2), rel=0.06)


@pytest.mark.parametrize(("warm_up_s", "first_s"), [(0.0, 0.0), (4.0, 4.0), (4.1, 4.25)])
@pytest.mark.parametrize("elapsed_s", [20.0, 20.1, 19.9])
def test_batches_hold_all_that_is_judged_and_each_of_it_once(warm_up_s, first_s, elapsed_s):
    measurements = series(lambda _: 0.1, 20.0, per_s=8)
    run = replace(named(measurements, elapsed_s), warm_up_s=warm_up_s, settled=Measurements() if warm_up_s else None)
    cut = batches(run)
    assert len(cut) == MOST_BATCHES
    assert sum(each.measurements.attempts for each in cut) == (20.0 - first_s) * 8
    assert sum(each.elapsed_s for each in cut) == pytest.approx(elapsed_s - first_s)
    assert all(each.measurements.attempts == pytest.approx(each.elapsed_s * 8, abs=2) for each in cut)


@pytest.mark.parametrize(("times", "sparse"), [(999, True), (1000, False)])
def test_ten_times_have_to_lie_beyond_a_percentile(times, sparse):
    side = Side("A", [named(series(lambda _: 0.1, times / 100, per_s=100), times / 100)])
    assert side.summary.measurements.attempts == times
    assert (side.figure(METRICS["chunk.response_time"], "p99").noise is None) == sparse


def test_a_rate_is_never_surer_than_independent_events_would_be():
    side = Side("A", [named(series(lambda _: 0.1, 10.0, per_s=10), 10.0)])
    found = side.figure(METRICS["chunk.failed"], "rate")
    rate = 0.5 / 101
    assert found.value == 0.0
    assert found.noise is not None
    assert found.noise.error == pytest.approx(math.sqrt(rate * (1 - rate) / 100))


@pytest.mark.parametrize(
    ("text", "base", "other", "fails"),
    [
        ("goodput mean < -10%", 100, 89, True),
        ("goodput mean < -10%", 100, 91, False),
        ("goodput mean < -10%", 89, 100, False),
        ("goodput mean > +12%", 89, 100, True),  # of the base, not of the other
        ("goodput mean < -10% and < -50B/s", 100, 80, False),
        ("goodput mean < -10% and < -50B/s", 100, 40, True),
        ("goodput mean > +10%", 0, 1, True),
        ("goodput mean < -10%", 0, 1, False),
    ],
)
def test_a_gate_asks_for_the_change_from_the_base_to_the_other(text, base, other, fails):
    gate = Gate.parse(text)
    sides = [Side(letter, [named(goodput(level), 1.0)]) for letter, level in (("A", base), ("B", other))]
    assert judge(compare(*sides), [gate]).verdicts[0].fails == fails


def test_one_gate_that_fails_is_enough():
    sides = [Side(letter, [named(goodput(level), 1.0)]) for letter, level in (("A", 100), ("B", 50))]
    judged = judge(compare(*sides), [Gate.parse("goodput mean > +10%"), Gate.parse("goodput mean < -10%")])
    assert ([each.fails for each in judged.verdicts], judged.exit_code) == ([False, True], 3)
