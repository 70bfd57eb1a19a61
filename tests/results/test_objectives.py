from __future__ import annotations

import json
import random
from dataclasses import asdict

import pytest

from tests.results.runs import series, with_failures
from upswarm.results.batches import settle
from upswarm.results.metrics import METRICS
from upswarm.results.objectives import KEPT, Finding, Judgement, judge, parse
from upswarm.results.thresholds import ThresholdError


def judged(text, measured):
    objective = parse(text)
    return judge(objective, settle(measured.intervals, 10.0, [objective.metric]))


def noisy(level_s: float):
    dice = random.Random(7)
    return series(lambda at_s: level_s * dice.uniform(0.7, 1.3))


@pytest.mark.parametrize(
    ("text", "judgement"),
    [
        ("chunk.response_time mean < 300ms", Judgement.HOLDS),
        ("chunk.response_time mean < 100ms", Judgement.BROKEN),
        ("chunk.response_time mean < 200ms", Judgement.UNCLEAR),
        ("chunk.response_time mean > 100ms", Judgement.HOLDS),
        ("chunk.response_time mean > 300ms", Judgement.BROKEN),
        ("chunk.response_time mean >= 200ms", Judgement.UNCLEAR),
        ("chunk.response_time p99 < 300ms", Judgement.HOLDS),
        ("goodput mean > 10kB/s", Judgement.HOLDS),
        ("goodput mean > 100MB/s", Judgement.BROKEN),
    ],
)
def test_an_objective_holds_when_the_whole_interval_is_on_its_side(text, judgement):
    assert judged(text, noisy(0.2)).judgement is judgement


@pytest.mark.parametrize(
    ("text", "judgement"),
    [
        ("chunk.failed count == 0", Judgement.BROKEN),
        ("chunk.failed count < 9", Judgement.HOLDS),
        ("upload.failed count == 0", Judgement.HOLDS),
        ("chunk.response_time max < 250ms", Judgement.HOLDS),
        ("chunk.response_time max < 150ms", Judgement.BROKEN),
    ],
)
def test_counts_and_extremes_are_judged_once(text, judgement):
    found = judged(text, with_failures(series(lambda at_s: 0.2), [5.0, 6.0]))
    assert (found.judgement, found.range) == (judgement, "")


def test_a_rate_is_judged_by_batch():
    found = judged("chunk.failed rate < 50%", with_failures(series(lambda at_s: 0.2), [5.0, 6.0]))
    assert found.judgement is Judgement.HOLDS
    assert found.low < found.value < found.high


def test_one_bad_moment_is_doubt_and_not_a_verdict():
    found = judged("chunk.response_time mean < 220ms", series(lambda at_s: 0.8 if 6 <= at_s < 6.5 else 0.2))
    assert found.judgement is Judgement.UNCLEAR


@pytest.mark.parametrize(
    ("level_s", "judgement"),
    [
        (lambda at_s: 0.1 + at_s, Judgement.BROKEN),
        (lambda at_s: 0.1 + at_s / 100, Judgement.UNCLEAR),
        (lambda at_s: 10.1 - at_s, Judgement.UNCLEAR),
    ],
    ids=["grows beyond it", "grows below it", "falls below it at last"],
)
def test_what_has_not_settled_can_break_and_can_not_hold(level_s, judgement):
    assert judged("chunk.response_time p50 < 500ms", series(level_s)).judgement is judgement


def test_where_nothing_was_measured_nobody_knows():
    found = judge(parse("chunk.response_time p99 < 1h"), None)
    assert (found.judgement, found.observed, found.range) == (Judgement.UNCLEAR, "too little data", "")


def test_what_was_never_measured_is_unclear():
    measured = series(lambda at_s: 0.1)
    settled = settle(measured.intervals, 10.0, [METRICS["goodput"]])
    for text in ("probe.response_time p99 < 1s", "probe.response_time max < 1s"):
        assert judge(parse(text), settled).judgement is Judgement.UNCLEAR


def test_a_finding_is_written_in_the_metrics_own_unit():
    found = Finding("chunk.response_time p99 < 400ms", Judgement.HOLDS, 0.387, -0.001, 0.403)
    assert (found.observed, found.range) == ("387 ms", "0 s to 403 ms")
    assert Finding.of_document(json.loads(json.dumps(asdict(found)))) == found


def test_every_metric_that_is_kept_is_one():
    assert set(KEPT) <= set(METRICS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chunk.service_time p99 < 1s", "kept by interval, found chunk.service_time"),
        ("chunk.response_tme p99 < 1s", "expected a metric of docs/metrics.md"),
        ("chunk.response_time p99 <", "expected METRIC AGGREGATE OPERATOR VALUE"),
    ],
)
def test_what_can_not_be_an_objective_is_refused(text, message):
    with pytest.raises(ThresholdError, match=message):
        parse(text)
