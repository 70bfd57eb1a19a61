"""Charts are well-formed, stay inside their frame, say in words what they show, and are nothing without data."""

from __future__ import annotations

import random
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from tests.reports import runs
from upswarm.reports import bins, charts
from upswarm.results.histogram import Histogram
from upswarm.results.measurements import Measurements
from upswarm.results.tallies import SecondTally


def times(*values_s: float) -> Histogram:
    histogram = Histogram()
    for value_s in values_s:
        histogram.record(value_s)
    return histogram


def measured(**seconds: SecondTally) -> Measurements:
    measurements = Measurements()
    measurements.seconds = {int(second.removeprefix("s")): tally for second, tally in seconds.items()}
    return measurements


def everything_inside(svg: str) -> bool:
    root = ElementTree.fromstring(svg)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    bounds = {"x": width, "x1": width, "x2": width, "cx": width, "y": height, "y1": height, "y2": height, "cy": height}
    positions = [(name, float(each.attrib[name])) for each in root for name in bounds if name in each.attrib]
    ends = [("x", float(each.attrib["x"]) + float(each.attrib["width"])) for each in root.iter("rect")]
    return all(0 <= value <= bounds[name] + 0.1 for name, value in positions + ends)


def test_no_data_is_no_chart() -> None:
    assert charts.throughput(Measurements(), 20.0, 880) == ""
    assert charts.distribution(Histogram(), 880) == ""
    assert charts.percentiles([("chunk", Histogram())], 880) == ""


@pytest.mark.parametrize("width", [350, 880])
@pytest.mark.parametrize(
    ("measurements", "elapsed_s"),
    [
        (measured(s0=SecondTally(1, 0, 5, 1, 5)), 0.2),
        (measured(s0=SecondTally(attempts=1)), 1.0),
        (measured(s3=SecondTally(9, 9, 0, 0, 0)), 2.0),
        (measured(s0=SecondTally(1, 1, 10**21, 1, 10**21), s9=SecondTally(1, 0, 1, 1, 1)), 10.0),
        (measured(s86399=SecondTally(1, 1, 10**9, 1, 10**9)), 86400.0),
    ],
    ids=["less than a second", "nothing sent", "later than the end", "huge", "a day"],
)
def test_throughput_stays_inside_its_frame(measurements: Measurements, elapsed_s: float, width: int) -> None:
    assert everything_inside(charts.throughput(measurements, elapsed_s, width))


@pytest.mark.parametrize("width", [350, 880])
@pytest.mark.parametrize(
    "histogram",
    [times(0.01), times(1e-6), times(3600.0), times(1e-6, 3600.0), times(*[0.01] * 1000, 0.010001)],
    ids=["one", "shortest", "longest", "widest", "narrow"],
)
def test_times_stay_inside_their_frame(histogram: Histogram, width: int) -> None:
    assert everything_inside(charts.distribution(histogram, width))
    assert everything_inside(charts.percentiles([("chunk", histogram), ("init", Histogram())], width))


def test_failed_attempts_have_a_strip_of_their_own_only_when_there_are_any() -> None:
    good, crashed = runs.good(), runs.crashed()
    assert 'class="failure"' not in charts.throughput(good.measurements, good.elapsed_s, 880)
    assert 'class="failure"' in charts.throughput(crashed.measurements, crashed.elapsed_s, 880)


def in_words(svg: str) -> str:
    return ElementTree.fromstring(svg).attrib["aria-label"]


def test_a_chart_says_in_words_what_it_shows() -> None:
    ten_ms = times(0.010, 0.010, 0.010)
    seconds = measured(s0=SecondTally(2, 1, 4096, 1, 2048))
    assert in_words(charts.distribution(ten_ms, 880)) == (
        "Distribution of 3 times on a logarithmic axis: p50 10.0 ms, p95 10.0 ms, p99 10.0 ms."
    )
    assert in_words(charts.throughput(seconds, 1.0, 880)) == (
        "Throughput over 1.00 s: at most 4.0 KiB/s sent and 2.0 KiB/s of finished files. Failed attempts: 1."
    )
    assert in_words(charts.percentiles([("chunk", ten_ms)], 880)) == (
        "Median, p95 and p99 on a logarithmic axis: chunk 10.0 ms, 10.0 ms, 10.0 ms."
    )


def test_a_hostile_name_is_text_in_a_chart() -> None:
    svg = charts.percentiles([("<script>alert(1)</script>", times(0.01))], 880)
    assert "<script>" not in svg
    assert everything_inside(svg)


def test_seconds_in_which_nothing_ended_are_bins_too() -> None:
    seconds = bins.over_the_run(measured(s0=SecondTally(bytes_sent=8), s3=SecondTally(bytes_sent=4)), 3.5)
    assert [(each.start_s, each.end_s, each.sent_per_s) for each in seconds] == [
        (0, 1, 8), (1, 2, 0), (2, 3, 0), (3, 3.5, 4),
    ]  # fmt: skip


def test_a_long_run_is_shown_in_bins_of_its_means() -> None:
    tallies = {f"s{second}": SecondTally(bytes_sent=100, failed=1) for second in range(301)}
    seconds = bins.over_the_run(measured(**tallies), 301.0)
    assert len(seconds) == 151
    assert {each.sent_per_s for each in seconds} == {100}
    assert sum(each.failed for each in seconds) == 301


def test_no_time_is_lost_between_the_bins() -> None:
    generator = random.Random(5)
    histogram = times(*(generator.lognormvariate(-4, 2) for _ in range(2000)))
    shown = list(bins.over_the_times(histogram))
    assert sum(each.count for each in shown) == 2000
    assert all(later.start_s >= earlier.end_s * 0.999999 for earlier, later in pairwise(shown))
