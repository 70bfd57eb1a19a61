"""What is written as the grammar in docs/metrics.md has it is read as it was meant; all else is refused in words."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm.results.metrics import KEPT, METRICS, Kind, Metric
from upswarm.results.threshold_grammar import Selector
from upswarm.results.thresholds import Needs, Threshold, ThresholdError

AGGREGATES = {
    Kind.TIME: ["p50", "p99.9", "mean", "min", "max"],
    Kind.EVENTS: ["count", "rate"],
    Kind.VOLUME: ["mean", "total"],
    Kind.USE: ["p50", "mean", "max"],
}
VALUES = {
    "seconds": {"400ms": 0.4, "2m": 120.0},
    "a count": {"0": 0, "12": 12},
    "a share": {"0.5%": 0.005, "0.25": 0.25},
    "a ratio": {"150%": 1.5, "2": 2.0},
    "bytes": {"10GiB": 10 << 30, "3B": 3},
    "bytes/s": {"20MiB/s": 20 << 20},
}
blanks = st.sampled_from([" ", "  ", "\t"])
gaps = st.sampled_from(["", " ", "  "])


@st.composite
def bounds(draw: Any, metric: Metric, aggregate: str) -> tuple[str, float, float]:
    """A bound as it is written, what it adds, and by what it multiplies the baseline's figure."""
    value = draw(st.sampled_from(sorted(VALUES[metric.unit(aggregate).name])))
    number = VALUES[metric.unit(aggregate).name][value]
    gap = draw(gaps)
    return draw(
        st.sampled_from(
            [
                (value, number, 0.0),
                ("baseline", 0.0, 1.0),
                (f"baseline{gap}*{gap}1.1", 0.0, 1.1),
                (f"baseline{gap}+{gap}10%", 0.0, 1.1),
                (f"baseline{gap}-{gap}10%", 0.0, 0.9),
                *([] if value.endswith("%") else [(f"baseline{gap}+{gap}{value}", number, 1.0)]),
                *([] if value.endswith("%") else [(f"baseline{gap}-{gap}{value}", -number, 1.0)]),
            ]
        )
    )


@st.composite
def written(draw: Any) -> tuple[str, Threshold]:
    """A threshold as somebody may write it, and what it means."""
    metric = draw(st.sampled_from(sorted(METRICS.values(), key=lambda each: each.name)))
    aggregate = draw(st.sampled_from(AGGREGATES[metric.kind]))
    operator = draw(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
    bound, value, factor = draw(bounds(metric, aggregate))
    by, name = draw(st.sampled_from(["class", "worker"])), draw(st.sampled_from(["each", "large", "lab-3_f00", "1"]))
    selector = Selector(by, name) if metric.by_part and draw(st.booleans()) else None
    window = draw(st.sampled_from(["30s", "2m", "1500ms"])) if metric.by_interval and draw(st.booleans()) else None
    window_s = {"30s": 30.0, "2m": 120.0, "1500ms": 1.5, None: None}[window]
    gap, blank = draw(gaps), draw(blanks)
    braces = "" if selector is None else f"{gap}{{{gap}{by}{gap}={gap}{name}{gap}}}"
    over = "" if window is None else f"{blank}over{blank}last{blank}{window}"
    text = f"{gap}{metric.name}{braces}{blank}{aggregate}{over}{gap}{operator}{gap}{bound}{gap}"
    return text, Threshold("", metric, aggregate, operator, value, pytest.approx(factor), selector, window_s)


@given(written())
def test_a_threshold_is_read_as_it_was_meant_and_its_own_text_says_the_same(case: tuple[str, Threshold]) -> None:
    text, meant = case
    found = Threshold.parse(text)
    for name in ("metric", "aggregate", "operator", "value", "factor", "selector", "window_s"):
        assert getattr(found, name) == getattr(meant, name), name
    assert Threshold.parse(str(found)) == found
    assert "  " not in str(found)


@given(written(), st.data())
def test_a_threshold_with_a_slip_is_one_or_says_what_was_expected(case: tuple[str, Threshold], data: Any) -> None:
    text = case[0]
    at = data.draw(st.integers(0, len(text)))
    slip = (
        text[:at] + data.draw(st.sampled_from(["", "{", "}", "=", "each", "%", "baseline", "<", " "])) + text[at + 1 :]
    )
    refusal, found = "", None
    try:
        found = Threshold.parse(slip)
    except ThresholdError as error:
        refusal = str(error)
    if found is None:
        assert re.search("expected .*(found|for it is)", refusal, re.DOTALL)
    else:
        assert Threshold.parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "complaint", "hint"),
    [
        ("chunk.failed{clas=a} rate < 1%", "expected class=NAME or worker=NAME in the braces, found 'clas=a'", "class"),
        ("chunk.failed{large} rate < 1%", "expected class=NAME or worker=NAME in the braces, found 'large'", ""),
        ("chunk.failed{class=} rate < 1%", "expected class=NAME or worker=NAME", ""),
        ("generator.lag{worker=each} p99 < 1s", "expected no {worker=…} after generator.lag", "class and worker"),
        (
            "chunk.wait_time p99 over last 9s < 1s",
            "expected no `over last 9s` after chunk.wait_time",
            "chunk.response_time",
        ),
        ("chunk.failed rate over last 100ms < 1%", "over last: expected at least 1s, found '100ms'", ""),
        ("chunk.failed rate over last week < 1%", "over last: expected a duration", ""),
        ("chunk.failed rate over 9s < 1%", "expected METRIC AGGREGATE OPERATOR VALUE", "over last 30s"),
        ("chunk.failed rate < baseline * 0", "expected a number above 0 such as 1.1 after `baseline *`, found '0'", ""),
        ("chunk.failed rate < baseline * ten", "expected a number above 0 such as 1.1", ""),
        ("chunk.failed rate < baseline - 100%", "expected less than 100% after `baseline -`, found '100%'", ""),
        ("chunk.response_time p99 < baseline + 20", "expected a duration", ""),
        ("chunk.response_time p99 < baseline / 2", "expected a duration", "the baseline comes first: `baseline * 1.1`"),
        ("chunk.response_time p99 < 1.1 * baseline", "expected a duration", "the baseline comes first"),
        ("chunk.response_time p99 < basline * 1.1", "expected a duration", 'did you mean "baseline"?'),
        ("chunk.failed rate < 1% over last 30s", "expected a share", "stands before the operator"),
        ("chunk.failed rate < 1% and chunk.failed count < 9", "expected a share", "write two thresholds"),
        ("chunk.response_time < 1s", "expected METRIC AGGREGATE", "say which figure of chunk.response_time: p50 …"),
        ("chunk.failed{class=a} == 1", "expected METRIC AGGREGATE", "say which figure of chunk.failed: count, rate"),
        ("chunk.failed{class=a} count = 1", "expected METRIC AGGREGATE", "equality is =="),
        ("chunk.failed count =< 1", "expected METRIC AGGREGATE", "it is written <="),
        ("chunk.failed count ≥ 1", "expected METRIC AGGREGATE", "it is written >="),
        ("chunk.response_time P99 < 1s", "expected one of p50", 'did you mean "p99"?'),
        ("chunk.response_time avg < 1s", "expected one of p50", 'did you mean "mean"?'),
        ("chunk.response_time median < 1s", "expected one of p50", 'did you mean "p50"?'),
    ],
)
def test_a_mistake_says_what_was_expected(text: str, complaint: str, hint: str) -> None:
    with pytest.raises(ThresholdError) as raised:
        Threshold.parse(text)
    assert complaint in str(raised.value)
    assert hint in raised.value.hint


def test_what_is_kept_by_interval_is_kept_by_class_and_worker_too() -> None:
    assert {each.name for each in METRICS.values() if each.by_interval} == set(KEPT)
    assert all(each.by_part for each in METRICS.values() if each.by_interval)


def test_most_thresholds_need_nothing_kept_beside_the_whole_run() -> None:
    def needs(*texts: str) -> Needs:
        return Needs.of(map(Threshold.parse, texts))

    assert needs("upload.failed count == 0", "chunk.failed{class=a} rate < 1%") == Needs()
    assert needs("chunk.failed{worker=each} rate < 1%", "sent mean > baseline") == Needs(workers=True, baseline=True)
    both = needs("chunk.failed{class=each} rate over last 9s < 1%", "chunk.failed rate over last 30s < 1%")
    assert both == Needs(window_s=30.0, recent_classes=True)
