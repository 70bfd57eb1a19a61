import random
from dataclasses import replace

import pytest
from hypothesis import given, settings

from tests.results.comparison.comparisons import named, pair, wandering
from tests.results.runs import series, with_failures
from tests.results.samples import events, measured
from upswarm.results.comparison.comparison import Word, change_of, compare
from upswarm.results.comparison.sides import Side
from upswarm.results.measurements import Measurements
from upswarm.results.metrics import METRICS


def change(one, two, metric="chunk.response_time", aggregate="p50", band_ratio=0.05):
    base, other = pair(one, two)
    return change_of(base, other, METRICS[metric], aggregate, band_ratio, identical=base.measures_the_same_as(other))


@settings(max_examples=60, deadline=None)
@given(events)
def test_a_run_compared_with_itself_is_the_same_in_everything(some):
    run = named(measured(some), 21.0)
    found = compare(Side("A", [run]), Side("B", [run]))
    assert {each.word for each in found.changes} == {Word.SAME}
    assert {each.difference for each in found.changes} <= {None, 0.0}


def test_a_run_that_was_loaded_twice_is_itself(tmp_path):
    run = wandering(random.Random(1), length_s=10)
    run.save(tmp_path)
    assert compare(*pair(type(run).load(tmp_path), type(run).load(tmp_path))).identical


def test_a_side_of_several_runs_compared_with_itself_is_the_same_in_any_order():
    dice = random.Random(1)
    runs = [wandering(dice, length_s=10) for _ in range(3)]
    assert compare(*pair(runs, runs[::-1])).identical


def test_twenty_per_cent_more_is_worse_and_less_is_better():
    dice = random.Random(2)
    usual, slow = wandering(dice, wander=0.02), wandering(dice, scale=1.2, wander=0.02)
    assert change(usual, slow).word is Word.WORSE
    assert change(slow, usual).word is Word.BETTER


def test_the_same_process_with_much_data_is_the_same():
    dice = random.Random(3)
    found = change(wandering(dice, length_s=240, wander=0.01), wandering(dice, length_s=240, wander=0.01))
    assert found.word is Word.SAME
    assert found.low < 0 < found.high


def test_the_same_process_with_little_data_is_unclear_and_not_the_same():
    dice = random.Random(3)
    assert change(wandering(dice, length_s=5), wandering(dice, length_s=5)).word is Word.UNCLEAR


def test_false_alarms_are_rare_although_neighbouring_seconds_resemble_each_other():
    dice = random.Random(4)
    found = [change(wandering(dice), wandering(dice)) for _ in range(25)]
    assert sum(each.is_significant for each in found) <= 2  # 1 % is 0.25 of 25


def test_a_shift_of_twenty_per_cent_is_found_although_neighbouring_seconds_resemble_each_other():
    dice = random.Random(5)
    found = [change(wandering(dice, wander=0.05), wandering(dice, scale=1.2, wander=0.05)) for _ in range(10)]
    assert [each.word for each in found].count(Word.WORSE) >= 9


def test_how_runs_differ_among_themselves_is_noise_where_there_are_several():
    dice = random.Random(6)
    sides = [[wandering(dice, apart=0.15, wander=0.02, length_s=20) for _ in range(3)] for _ in range(2)]
    singles = [change(one, two).is_significant for one, two in zip(*sides, strict=True)]
    assert any(singles)
    assert not change(*sides).is_significant


def test_several_runs_are_pooled_by_adding_their_histograms():
    short, long = named(series(lambda _: 0.1, 5.0), 5.0), named(series(lambda _: 0.3, 15.0), 15.0)
    side = Side("A", [short, long])
    assert side.figure(METRICS["chunk.response_time"], "mean").value == pytest.approx(0.25, rel=0.001)
    assert side.figure(METRICS["goodput"], "mean").value == pytest.approx(40_000)
    assert side.figure(METRICS["upload.finished"], "count").value == 400


@pytest.mark.parametrize(
    ("metric", "aggregate", "reason"),
    [
        ("chunk.service_time", "p50", "not kept by interval: take several runs"),
        ("chunk.response_time", "max", "counts, totals and extremes depend on the length of a run"),
        ("chunk.response_time", "p99", "too few times in A for p99"),
        ("upload.finished", "count", "counts, totals and extremes depend on the length of a run"),
        ("probe.response_time", "p50", "no data"),
    ],
)
def test_what_has_no_noise_is_unclear_and_says_why(metric, aggregate, reason):
    found = change(named(series(lambda _: 0.1)), named(series(lambda _: 0.2)), metric, aggregate)
    assert (found.word, found.reason) == (Word.UNCLEAR, reason)


def test_too_few_batches_are_unclear_however_large_the_change():
    short = named(series(lambda _: 0.1, 1.5), 1.5)
    found = change(short, named(series(lambda _: 0.5)))
    assert (found.word, found.reason) == (Word.UNCLEAR, "data in 6 batches only, 8 are needed, in A")


def test_what_is_not_kept_by_interval_is_told_by_several_runs():
    dice = random.Random(7)
    usual = [wandering(dice, length_s=10, wander=0.01) for _ in range(4)]
    slow = [wandering(dice, length_s=10, wander=0.01, scale=1.5) for _ in range(4)]
    assert change(usual, slow, "chunk.service_time").word is Word.WORSE


def test_no_data_on_one_side_is_unclear():
    found = change(named(series(lambda _: 0.1)), named(Measurements()))
    assert (found.word, found.reason, found.difference) == (Word.UNCLEAR, "no data in B", None)


def test_a_server_that_is_away_has_worse_goodput_and_no_ratio_is_needed():
    away = with_failures(Measurements(), [number / 10 for number in range(100)])
    found = compare(*pair(named(series(lambda _: 0.1)), named(away)))
    words = {each.metric.name: each.word for each in found.changes}
    assert words["goodput"] is Word.WORSE
    assert words["chunk.failed"] is Word.WORSE
    assert words["upload.failed"] is Word.UNCLEAR


def test_none_failed_of_a_few_is_no_evidence_that_none_fails():
    few, many = (named(series(lambda _: 0.1, 10.0, per_s)) for per_s in (5, 100))
    assert change(few, replace(few, run_id="other"), "chunk.failed", "rate").word is Word.UNCLEAR
    assert change(many, replace(many, run_id="other"), "chunk.failed", "rate").word is Word.SAME


def test_more_of_what_is_neither_good_nor_bad_is_different():
    light, heavy = named(series(lambda _: 0.1, per_s=20)), named(series(lambda _: 0.1, per_s=60))
    assert change(light, heavy, "sent", "mean").word is Word.DIFFERENT
    assert change(light, heavy, "goodput", "mean").word is Word.BETTER


def test_the_band_decides_what_is_the_same():
    dice = random.Random(8)
    one, two = wandering(dice, length_s=20), wandering(dice, length_s=20)
    assert change(one, two).word is Word.UNCLEAR
    assert change(one, two, band_ratio=0.5).word is Word.SAME


def test_the_warm_up_does_not_count():
    measurements = series(lambda at_s: 1.0 if at_s < 4 else 0.1)
    warm = replace(named(measurements), warm_up_s=4.0, settled=series(lambda _: 0.1, 6.0))
    usual = named(series(lambda _: 0.1))
    assert change(usual, warm, aggregate="mean").word is Word.SAME


def test_the_dice_are_the_same_each_time():
    dice = random.Random(9)
    one, two = wandering(dice, length_s=10), wandering(dice, length_s=10)
    assert change(one, two) == change(one, two)


def test_a_run_file_without_intervals_can_be_compared():
    run = named(series(lambda _: 0.1))
    run.measurements.intervals = type(run.measurements.intervals)()
    found = change(run, named(series(lambda _: 0.2)))
    assert (found.word, found.reason) == (Word.UNCLEAR, "not kept by interval: take several runs")


def test_doubtful_runs_are_named():
    run = replace(named(Measurements()), generator_faults=("worker w-1 was lost",))
    side = Side("A", [run])
    assert side.doubts == [f"{run.run_id}: worker w-1 was lost"]
    assert not side.is_valid
