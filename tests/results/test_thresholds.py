import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.results.samples import attempt, failed, finished, measured
from upswarm.results.metrics import METRICS, Kind, Summary
from upswarm.results.thresholds import EXAMPLE, Threshold, ThresholdError, Verdict
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase

AGGREGATES = {
    Kind.TIME: {
        "p0": "1s",
        "p50": "200ms",
        "p99": "1s",
        "p99.9": "2m",
        "p100": "1h",
        "mean": "5us",
        "min": "0",
        "max": "1s",
    },
    Kind.EVENTS: {"count": "0", "rate": "0.1%"},
    Kind.VOLUME: {"mean": "200MiB/s", "total": "1GiB"},
    Kind.USE: {"p99": "90%", "mean": "0.5", "min": "0", "max": "200%"},
}
EVERY = [
    (metric.name, aggregate, value)
    for metric in METRICS.values()
    for aggregate, value in AGGREGATES[metric.kind].items()
]
RUN = Summary(
    measured(
        [
            *[(attempt(took_s=n / 1000, sent_bytes=1000), 0) for n in range(1, 101)],
            *[(attempt(took_s=0.5, sent_bytes=10, number=2, failure=Failure.TORN), 1)] * 25,
            (attempt(Phase.INIT, took_s=0.25, late_s=0.5), 0),
            *[(finished(4 << 20, resumes=1), 1)] * 3,
            (failed(), 1),
        ]
    ),
    elapsed_s=2.0,
)


@pytest.mark.parametrize(("metric", "aggregate", "value"), EVERY)
def test_every_metric_takes_its_aggregates_and_their_unit(metric, aggregate, value):
    threshold = Threshold.parse(f"{metric} {aggregate} < {value}")
    assert (threshold.metric.name, threshold.aggregate, threshold.operator) == (metric, aggregate, "<")


@pytest.mark.parametrize(("metric", "aggregate", "value"), EVERY)
def test_without_data_no_threshold_holds(metric, aggregate, value):
    nothing = Summary(measured([]), elapsed_s=10)
    for operator in ("<", "<=", ">", ">=", "==", "!="):
        verdict = Threshold.parse(f"{metric} {aggregate} {operator} {value}").judge(nothing)
        assert (verdict.holds, verdict.observed) == (False, "no data")


@pytest.mark.parametrize(
    ("text", "holds", "observed"),
    [
        ("chunk.response_time p50 <= 51ms", True, "50.0 ms"),
        ("chunk.response_time p50 < 50ms", False, "50.0 ms"),
        ("chunk.response_time max < 101ms", True, "100 ms"),
        ("chunk.response_time min > 0.9ms", True, "1.00 ms"),
        ("chunk.response_time mean < 51ms", True, "50.5 ms"),
        ("init.response_time p99 > 0.7s", True, "750 ms"),
        ("init.service_time p99 > 0.7s", False, "250 ms"),
        ("chunk.attempts count == 125", True, "125"),
        ("chunk.attempts rate > 99%", True, "99.2 %"),
        ("chunk.failed count != 25", False, "25"),
        ("chunk.failed rate <= 20%", True, "20 %"),
        ("chunk.failed rate < 20%", False, "20 %"),
        ("chunk.retries rate == 0.2", True, "20 %"),
        ("init.failed count == 0", True, "0"),
        ("upload.finished count >= 3", True, "3"),
        ("upload.failed rate < 26%", True, "25 %"),
        ("upload.resumes rate < 76%", True, "75 %"),
        ("upload.response_time max > 1.9s", True, "2.00 s"),
        ("goodput mean >= 6MiB/s", True, "6.0 MiB/s"),
        ("goodput total == 12MiB", True, "12.0 MiB"),
        ("sent total == 100250", True, "97.9 KiB"),
        ("sent mean < 48.9KiB/s", False, "49.0 KiB/s"),
        ("finalize.failed count == 0", False, "no data"),
        ("finalize.attempts count == 0", True, "0"),
    ],
)
def test_verdicts(text, holds, observed):
    verdict = Threshold.parse(text).judge(RUN)
    assert (verdict.threshold, verdict.holds, verdict.observed) == (text, holds, observed)
    document = verdict.to_document()
    assert Verdict(**document) == verdict
    assert {name: document[name] for name in ("threshold", "holds", "observed")} == {
        "threshold": text, "holds": holds, "observed": observed,
    }  # fmt: skip


def test_the_example_is_one():
    assert Threshold.parse(EXAMPLE).text == EXAMPLE


@pytest.mark.parametrize("text", ["chunk.failed count<5", "  chunk.failed   count  <5 ", "chunk.failed\tcount < 5"])
def test_spaces_do_not_matter_where_they_are_not_needed(text):
    threshold = Threshold.parse(text)
    assert (threshold.aggregate, threshold.operator, threshold.value) == ("count", "<", 5)


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "==", "!="])
def test_every_operator_is_read_whole(operator):
    assert Threshold.parse(f"chunk.failed count{operator}5").operator == operator


@pytest.mark.parametrize(
    ("text", "complaint", "hint"),
    [
        ("chunk.respons_time p99 < 1s", "expected a metric of docs/metrics.md, found 'chunk.respons_time'",
         'did you mean "chunk.response_time"?'),
        ("goodputt mean > 1MiB/s", "expected a metric", 'did you mean "goodput"?'),
        ("zzz p99 < 1s", "expected a metric", ""),
        ("chunk.response_time p101 < 1s", "expected one of p50 … p99.9, mean, min, max after chunk.response_time", ""),
        ("chunk.response_time rate < 1s", "expected one of", ""),
        ("chunk.response_time avg < 1s", "found 'avg'", 'did you mean "mean"?'),
        ("chunk.failed counts < 1", "expected one of count, rate after chunk.failed", 'did you mean "count"?'),
        ("goodput p50 > 1MiB/s", "expected one of mean, total after goodput", ""),
        ("chunk.response_time p99 < 400", "expected a duration such as 200ms", ""),
        ("chunk.failed count < 1.5", "expected a whole number", ""),
        ("chunk.failed count < -1", "expected a whole number", ""),
        ("chunk.failed rate < 500%", "expected a share", ""),
        ("goodput mean > 200MiB", "expected a bandwidth", ""),
        ("goodput total > 200MiB/s", "expected a size", ""),
        ("chunk.failed count = 1", "expected METRIC AGGREGATE OPERATOR VALUE", "equality is =="),
        ("chunk.failed count", "expected METRIC AGGREGATE OPERATOR VALUE", ""),
        ("chunk.failed < 1", "expected METRIC AGGREGATE OPERATOR VALUE",
         "say which figure of chunk.failed: count, rate"),
        ("", "expected METRIC AGGREGATE OPERATOR VALUE such as 'chunk.response_time p99 < 400ms'", ""),
    ],
)  # fmt: skip
def test_what_is_no_threshold_is_refused_with_what_was_expected(text, complaint, hint):
    with pytest.raises(ThresholdError, match=complaint.replace(".", r"\.")) as raised:
        Threshold.parse(text)
    assert raised.value.hint == hint


@given(st.text())
def test_any_other_text_is_a_threshold_error(text):
    with pytest.raises(ThresholdError):
        Threshold.parse(text)


def test_a_metric_of_every_phase_is_there():
    of_the_run = {"upload", "arrivals", "goodput", "sent", "resent", "unretried", "connections", "generator"}
    assert {name.partition(".")[0] for name in METRICS} == {*Phase, *of_the_run}


def test_an_upload_may_resume_more_than_once():
    assert Threshold.parse("upload.resumes rate < 150%").value == 1.5
