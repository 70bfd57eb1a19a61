"""Charts can be drawn, say in words what they show, and are nothing without data."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.reports import runs, special_runs
from tests.reports.drawn import computed, draw, is_sound, words_in
from upswarm import units
from upswarm.reports import bins, charts, drawing
from upswarm.reports.drawing import Chart
from upswarm.reports.worker_charts import worker_chart
from upswarm.results.histogram import Histogram
from upswarm.results.marks import Mark, MarkKind
from upswarm.results.measurements import Measurements
from upswarm.results.run_file import Run
from upswarm.results.tallies import SecondTally
from upswarm.transfer.messages import Phase

HOSTILE = "</script><script>alert(1)</script>{a} @bytes"


def of(run: Run) -> list[Chart]:
    made = (charts.throughput, charts.over_time, charts.distribution, charts.percentiles, worker_chart)
    return [chart for make in made if (chart := make(run)) is not None]


def times(*values_s: float) -> Histogram:
    histogram = Histogram()
    for value_s in values_s:
        histogram.record(value_s)
    return histogram


def measured(**seconds: SecondTally) -> Measurements:
    measurements = Measurements()
    measurements.seconds = {int(second.removeprefix("s")): tally for second, tally in seconds.items()}
    return measurements


def test_no_data_is_no_chart() -> None:
    assert of(special_runs.empty()) == []


def test_every_chart_of_every_run_can_be_drawn() -> None:
    drawn = [chart for build in {**runs.RUNS, **special_runs.SPECIAL_RUNS}.values() for chart in of(build())]
    assert len(drawn) > 40
    assert all(is_sound(svg) for svg in draw(drawn))


def test_a_phone_is_wide_enough() -> None:
    assert all(is_sound(svg) for svg in draw(of(special_runs.survived()), width=350))


def test_strange_seconds_can_be_drawn() -> None:
    cases = (
        (measured(s0=SecondTally(1, 0, 5, 1, 5)), 0.2),
        (measured(s0=SecondTally(attempts=1)), 1.0),
        (measured(s3=SecondTally(9, 9, 0, 0, 0)), 2.0),
        (measured(s0=SecondTally(1, 1, 10**21, 1, 10**21), s9=SecondTally(1, 0, 1, 1, 1)), 10.0),
        (measured(s86399=SecondTally(1, 1, 10**9, 1, 10**9)), 86400.0),
    )
    drawn = [charts.throughput(runs.run_of(each, elapsed_s=elapsed_s, verdicts=())) for each, elapsed_s in cases]
    assert all(is_sound(svg) for svg in draw([each for each in drawn if each is not None]))


def test_strange_times_can_be_drawn() -> None:
    drawn = []
    for values in ([0.01], [1e-6], [3600.0], [1e-6, 3600.0], [*[0.01] * 1000, 0.010001]):
        run = runs.run_of(Measurements(), verdicts=())
        run.measurements.phases[Phase.CHUNK].response_time = times(*values)
        drawn += of(run)
    assert len(drawn) == 10
    assert all(is_sound(svg) for svg in draw(drawn))


def test_marks_are_numbered_and_failures_have_a_panel_of_their_own_only_where_there_are_any() -> None:
    (survived,) = draw([chart for chart in [charts.throughput(special_runs.survived())] if chart])
    assert {"1", "2", "3", "4", "failed attempts", "uploads in flight"} <= set(words_in(survived))
    (good,) = draw([chart for chart in [charts.throughput(runs.good())] if chart])
    assert not {"1", "failed attempts", "uploads in flight"} & set(words_in(good))


def test_marks_that_are_close_have_one_label_for_all_of_them() -> None:
    run = runs.run_of(measured(s0=SecondTally(1), s39=SecondTally(1)), elapsed_s=40.0, verdicts=())
    moments = ((5.0, MarkKind.NOTE), (5.0, MarkKind.FAULT), (5.9, MarkKind.NOTE), (6.1, MarkKind.NOTE))
    run = replace(run, marks=tuple(Mark(at_s, kind, "x") for at_s, kind in moments))
    chart = charts.throughput(run)
    assert chart is not None
    (lines,) = [each["markLine"]["data"] for each in chart.options[""]["series"] if "markLine" in each]
    assert [(line["xAxis"], line["label"].get("formatter")) for line in lines] == [
        (5000.0, "1–3"), (5000.0, None), (5900.0, None), (6100.0, "4")]  # fmt: skip
    assert lines[0]["label"]["color"] == "var(--bad)"
    (svg,) = draw([chart])
    assert [word for word in words_in(svg) if word in {"1–3", "1", "2", "3", "4"}] == ["1–3", "4"]


def test_a_chart_says_in_words_what_it_shows() -> None:
    run = runs.run_of(measured(s0=SecondTally(2, 1, 4096, 1, 2048)), elapsed_s=1.0, verdicts=())
    run.measurements.phases[Phase.CHUNK].response_time = times(0.010, 0.010, 0.010)
    assert [each.words for each in of(run)] == [
        "Throughput over 1.00 s: at most 4.0 KiB/s sent and 2.0 KiB/s of finished files. Failed attempts: 1.",
        "Response times by percentile, each nine as far from the next, on logarithmic axes. "
        "chunk: p50 10.0 ms, p99 10.0 ms, longest 10.0 ms.",
        "Median, p95 and p99 on a logarithmic axis: chunk 10.0 ms, 10.0 ms, 10.0 ms.",
    ]


def test_the_reader_chooses_among_the_phases_and_chunks_come_first() -> None:
    chart = charts.over_time(runs.crashed())
    assert chart is not None
    assert list(chart.options) == ["chunk", "init", "finalize", "upload"]


def test_many_workers_are_three_lines() -> None:
    few, many = worker_chart(special_runs.saturated()), worker_chart(special_runs.hundred_workers())
    assert few is not None
    assert many is not None
    assert [each["name"] for each in few.options[""]["series"]] == ["host-1", "host-2", "host-3"]
    assert [each["name"] for each in many.options[""]["series"]] == ["most", "middle", "least"]
    assert worker_chart(runs.good()) is None


def test_workers_of_one_host_are_called_by_their_ids() -> None:
    run = special_runs.saturated()
    chart = worker_chart(replace(run, workers=tuple(replace(each, host="bench") for each in run.workers)))
    assert chart is not None
    assert [each["name"] for each in chart.options[""]["series"]] == ["bench-1_7f3a", "bench-2_7f3a", "bench-3_7f3a"]


def test_a_hostile_name_is_text_in_a_chart() -> None:
    series = [drawing.line(name, [[0, 1.0], [1000, 2.0]], "var(--ink)", drawing.SIZE) for name in (HOSTILE, "b")]
    option = drawing.option(drawing.clock_axis(1), drawing.size_axis(2), series)
    (svg,) = draw([Chart("x", HOSTILE, {"": option})])
    assert any("</script>" in word for word in words_in(svg))


def test_seconds_in_which_nothing_ended_are_bins_too() -> None:
    seconds = bins.over_the_run(measured(s0=SecondTally(bytes_sent=8), s3=SecondTally(bytes_sent=4)), 3.5)
    assert [(each.start_s, each.end_s, each.sent_per_s) for each in seconds] == [
        (0, 1, 8), (1, 2, 0), (2, 3, 0), (3, 3.5, 4),
    ]  # fmt: skip


def test_a_long_run_is_shown_in_bins_of_its_means() -> None:
    tallies = {f"s{second}": SecondTally(bytes_sent=100, failed=1, in_flight=7) for second in range(400)}
    seconds = bins.over_the_run(measured(**tallies), 400.0)
    assert len(seconds) == 200
    assert {(each.sent_per_s, each.in_flight) for each in seconds} == {(100, 7)}
    assert sum(each.failed for each in seconds) == 400


def test_intervals_are_at_least_a_second_wide_and_lose_nothing() -> None:
    intervals = runs.good().measurements.intervals
    wide = bins.wide_intervals(intervals)
    assert [at for at, _ in wide[:3]] == [0.5, 1.5, 2.5]
    attempts = sum(tally.attempts for _, each in wide for tally in each.phases.values())
    assert attempts == sum(tally.attempts for _, each in intervals.items() for tally in each.phases.values())


def test_a_curve_ends_with_the_longest_time() -> None:
    points = drawing.hdr_points(times(*(each / 1000 for each in range(1, 1001))))
    assert points[0] == [1, pytest.approx(0.001, rel=0.01)]
    assert points[-1] == [1000, pytest.approx(1.0, rel=0.01)]
    assert [time_s for place, time_s in points if place == 100] == [pytest.approx(0.99, rel=0.01)]
    assert drawing.hdr_points(Histogram()) == []


def test_the_page_writes_figures_as_the_rest_of_upswarm_does() -> None:
    sizes = [0, 1, 1023, 1024, 1536, 1048575, 5 << 20, 3.7e9, 1 << 42]
    seconds = [0, 1e-6, 0.00123, 0.0123, 0.4567, 0.9996, 1, 12.34, 59.96, 75, 3600, 45296]
    found = computed(
        f"[{json.dumps(sizes)}.map(upswarmCharts.formats['@size']), "
        f"{json.dumps(seconds)}.map(upswarmCharts.formats['@duration']), "
        "[0, 0.5, 0.98765].map(upswarmCharts.formats['@ratio']), upswarmCharts.formats['@bandwidth'](null), "
        "[1, 10, 100, 1000, 10000].map(upswarmCharts.formats['@percentile']), "
        "[0, 5000, 90000, 3723000].map(upswarmCharts.formats['@clock'])]"
    )
    assert found == [
        [units.format_size(each) for each in sizes],
        [units.format_duration(each) for each in seconds],
        ["0 %", "50 %", "98.8 %"],
        "–",
        ["0 %", "90 %", "99 %", "99.9 %", "99.99 %"],
        ["0 s", "5 s", "1:30", "1:02:03"],
    ]
