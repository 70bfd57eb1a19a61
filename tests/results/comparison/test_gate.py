from dataclasses import replace

import pytest

from tests.results.comparison.comparisons import named, pair
from tests.results.runs import series
from upswarm.errors import EXIT_GENERATOR, EXIT_OK, EXIT_THRESHOLD
from upswarm.results.comparison.comparison import compare
from upswarm.results.comparison.gate import Gate, judge
from upswarm.results.measurements import Measurements
from upswarm.results.thresholds import ThresholdError


def judged(text, one=0.1, two=0.112, *, sure=False):
    runs = [named(series(lambda _, level_s=level_s: level_s)) for level_s in (one, two)]
    return judge(compare(*pair(*runs)), [Gate.parse(text)], sure=sure)


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        ("chunk.response_time p50 > +10%", True),
        ("chunk.response_time p50 > +15%", False),
        ("chunk.response_time p50 > +10% and > +5ms", True),
        ("chunk.response_time p50 > +10% and > +50ms", False),
        ("chunk.response_time p50 >= + 10 %", True),
        ("chunk.response_time p50 > -10%", True),
        ("chunk.response_time p50 < -10%", False),
        ("chunk.response_time mean>+10%", True),
        ("goodput mean < -1%", False),
        ("upload.finished count < -1", False),
        ("upload.failed rate > +0.1pp", False),
        ("upload.failed rate > +10%", False),
    ],
)
def test_a_gate_fails_where_all_its_conditions_apply(text, fails):
    found = judged(text)
    assert [verdict.fails for verdict in found.verdicts] == [fails]
    assert found.exit_code == (EXIT_THRESHOLD if fails else EXIT_OK)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chunk.response_time", "expected METRIC AGGREGATE CHANGE such as"),
        ("chunk.respose_time p99 > +10%", "expected a metric of docs/metrics.md, found 'chunk.respose_time'"),
        ("chunk.response_time rate > +10%", "expected one of p50 … p99.9, mean, min, max after chunk.response_time"),
        ("chunk.response_time p99 > 10%", "expected a change with its sign, such as > +10% or < -5ms, found '> 10%'"),
        ("chunk.response_time p99 > +10", "expected a duration such as 200ms, 30s or 2m, found '10', in '> +10'"),
        ("chunk.response_time p99 > +10% or > +5ms", "found '10% or > +5ms'"),
        ("upload.failed rate > +0.01", "percentage points such as 0.5pp, found '0.01'"),
        ("chunk.response_time{worker=w-1} p50 > +5%", "expected one class of files such as {class=large} in a gate"),
        ("chunk.response_time{class=each} p50 > +5%", "expected one class of files such as {class=large} in a gate"),
        ("goodput mean < -5ms", "expected a bandwidth such as 20MiB/s, found '5ms'"),
    ],
)
def test_a_mistake_in_a_gate_is_a_sentence(text, message):
    with pytest.raises(ThresholdError) as caught:
        Gate.parse(text)
    assert message in str(caught.value)


def test_no_data_on_one_side_fails():
    found = judge(
        compare(*pair(named(series(lambda _: 0.1)), named(Measurements()))), [Gate.parse("goodput mean < -5%")]
    )
    assert (found.exit_code, found.verdicts[0].note) == (EXIT_THRESHOLD, "no data in B")


def test_something_where_there_was_nothing_is_beyond_any_ratio():
    gate = Gate.parse("upload.failed rate > +1000%")
    assert gate.conditions[0].applies(0.0, 0.001)
    assert not gate.conditions[0].applies(0.0, 0.0)


def test_a_gate_that_has_to_be_sure_lets_pass_what_noise_may_have_done():
    text = "chunk.service_time p50 > +10%"  # kept of the whole run only, so that its noise is not known
    assert judged(text).exit_code == EXIT_THRESHOLD
    assert judged(text).verdicts[0].note == "noise not known: not kept by interval: take several runs"
    assert judged(text, sure=True).exit_code == EXIT_OK
    assert judged("chunk.response_time p50 > +10%", sure=True).exit_code == EXIT_THRESHOLD


def test_a_gate_can_be_about_one_class_of_files():
    def run(large_s):
        measured = series(lambda _: 0.1)
        measured.classes["large"] = series(lambda _: large_s)
        return named(measured)

    gate = Gate.parse("chunk.response_time{class=large} p50 > +50%")
    assert judge(compare(*pair(run(0.5), run(0.9))), [gate]).exit_code == EXIT_THRESHOLD
    assert judge(compare(*pair(run(0.5), run(0.6))), [gate]).exit_code == EXIT_OK
    several = compare(*pair([run(0.5), run(0.51), run(0.52)], [run(0.9), run(0.91), run(0.92)]))
    assert judge(several, [gate], sure=True).exit_code == EXIT_THRESHOLD
    none = judge(compare(*pair(named(series(lambda _: 0.1)), run(0.5))), [gate])
    assert (none.exit_code, none.verdicts[0].note) == (EXIT_THRESHOLD, "no data in A")


def test_gates_decide_nothing_where_a_generator_failed():
    lost = replace(named(series(lambda _: 0.1)), generator_faults=("worker w-1 was lost",))
    comparison = compare(*pair(named(series(lambda _: 0.1)), lost))
    assert judge(comparison, [Gate.parse("goodput mean < -5%")]).exit_code == EXIT_GENERATOR
    assert judge(comparison, []).exit_code == EXIT_OK
