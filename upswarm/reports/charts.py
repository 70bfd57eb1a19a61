"""The report's charts, each a function from a run to a chart; None where there is nothing to draw."""

from __future__ import annotations

from collections.abc import Iterator

from upswarm import units
from upswarm.reports import bins, drawing
from upswarm.reports.bins import SecondsBin
from upswarm.reports.drawing import BANDWIDTH, COLOURS, COUNT, DURATION, Chart, Option, Series
from upswarm.reports.marks import MarkRow, drawn_areas, drawn_lines, mark_rows
from upswarm.results.histogram import Histogram
from upswarm.results.intervals import Interval
from upswarm.results.run_file import Run
from upswarm.results.sparse_times import SparseTimes
from upswarm.transfer.messages import Phase

_UPLOAD = "upload"
_PERCENTILES = (50, 95, 99, 100)
_OVER_TIME = ("var(--p50)", "var(--p95)", "var(--p99)", "var(--longest)")
_PANEL_PX, _GAP_PX, _HEAD_PX = 90, 26, 52


def throughput(run: Run) -> Chart | None:
    """Bytes sent, and of finished files, per second; below it what else there is: uploads in flight, failures."""
    seconds = bins.over_the_run(run.measurements, run.elapsed_s)
    if not seconds:
        return None
    sent = _steps(seconds, [each.sent_per_s for each in seconds])
    finished = _steps(seconds, [each.finished_per_s for each in seconds])
    last_s = seconds[-1].end_s
    highest = max(max(each.sent_per_s, each.finished_per_s) for each in seconds)
    marks = mark_rows(run)
    series = [
        drawing.area("sent", sent, "var(--sent)", BANDWIDTH, step="middle", markArea=drawn_areas(marks)),
        drawing.line("goodput (finished files)", finished, "var(--finished)", BANDWIDTH, step="middle",
                     markLine=drawn_lines(marks, last_s)),
    ]  # fmt: skip
    option = drawing.option(drawing.clock_axis(last_s), drawing.size_axis(highest, bandwidth=True), series)
    height_px = _stacked(option, list(_panels(seconds)), last_s)
    return Chart("throughput", _throughput_in_words(seconds), {"": option}, height_px)


def over_time(run: Run) -> Chart | None:
    """The percentiles of the response time in each interval, for the phase that the reader chooses."""
    intervals = bins.wide_intervals(run.measurements.intervals)
    measured = run.measurements
    names = [phase.value for phase in _phases_by_weight(run)] + (
        [_UPLOAD] if measured.uploads.response_time.count else []
    )
    marks = mark_rows(run)
    options = {name: option for name in names if (option := _percentiles_over_time(run, name, intervals, marks))}
    if not options:
        return None
    first = next(iter(options))
    words = f"p50, p95, p99 and longest response time of {first} over the run, on a logarithmic axis."
    return Chart("over-time", words, options)


def distribution(run: Run) -> Chart | None:
    """The whole distribution of each phase's response times: the percentile on HDR's scale against the time."""
    known = _times(run)
    if not known:
        return None
    curves = {name: drawing.hdr_points(times) for name, times in known.items()}
    values = [value for points in curves.values() for _, value in points]
    most = max(times.count for times in known.values())
    axis = drawing.percentile_axis(100 - 100 / most)
    series = [
        drawing.line(name, points, COLOURS[at % len(COLOURS)], DURATION, showSymbol=len(points) < 3)
        for at, (name, points) in enumerate(curves.items())
    ]
    told = "; ".join(f"{name}: p50 {_told(times, 50)}, p99 {_told(times, 99)}, longest {_told(times, 100)}"
                     for name, times in known.items())  # fmt: skip
    words = f"Response times by percentile, each nine as far from the next, on logarithmic axes. {told}."
    return Chart("distribution", words, {"": drawing.option(axis, drawing.time_axis(min(values), max(values)), series)})


def percentiles(run: Run) -> Chart | None:
    """The median, p95 and p99 of each phase, and of whole uploads, side by side."""
    known = _times(run)
    if not known:
        return None
    names = list(known)
    rows = {each: [times.percentile_s(each) or 0.0 for times in known.values()] for each in (50, 95, 99)}
    series = [
        drawing.dots(
            f"p{each}", [[value, name] for value, name in zip(row, names, strict=True)], f"var(--p{each})", DURATION
        )
        for each, row in rows.items()
    ]
    values = [value for row in rows.values() for value in row]
    x = drawing.time_axis(min(values), max(values))
    x["splitLine"] = {**x["splitLine"], "show": True}
    y = {**drawing.name_axis(names), "inverse": True}
    option = drawing.option(x, y, series, tooltip={"trigger": "item"})
    told = "; ".join(
        f"{name} {', '.join(_told(times, each) for each in (50, 95, 99))}" for name, times in known.items()
    )
    words = f"Median, p95 and p99 on a logarithmic axis: {told}."
    return Chart("percentiles", words, {"": option}, 80 + 36 * len(names))


def _panels(seconds: list[SecondsBin]) -> Iterator[Series]:
    """What is counted, each by itself; nothing of what never was."""
    if any(each.in_flight for each in seconds):
        flying = _steps(seconds, [each.in_flight for each in seconds])
        yield drawing.line("uploads in flight", flying, "var(--p95)", COUNT, step="middle")
    for name, colour, counts in (
        ("failed attempts", "var(--bad)", [each.failed for each in seconds]),
        ("dropped arrivals", "var(--waiting)", [each.dropped for each in seconds]),
    ):
        if any(counts):
            middles = ((each.start_s + each.end_s) / 2 for each in seconds)
            points = drawing.at_seconds((at, count or None) for at, count in zip(middles, counts, strict=True))
            yield drawing.bars(name, points, colour, COUNT, barMaxWidth=8, barMinWidth=2, barMinHeight=2)


def _stacked(option: Option, panels: list[Series], last_s: float) -> int:
    """Further panels below, each with an axis of its own, over the same seconds; the height of all of them."""
    top_px = 260
    grid = {
        **option["grid"],
        "left": 78,
        "right": 30,
        "bottom": None,
        "top": _HEAD_PX,
        "height": top_px - _HEAD_PX - 20,
        "outerBoundsMode": "none",
    }
    grids, x_axes, y_axes = [grid], [option["xAxis"]], [option["yAxis"]]
    for number, series in enumerate(panels, 1):
        grids.append({**grid, "top": top_px + (number - 1) * _PANEL_PX + _GAP_PX, "height": _PANEL_PX - _GAP_PX})
        x_axes.append({**drawing.clock_axis(last_s), "gridIndex": number})
        highest = max(value for _, value in series["data"] if value is not None)
        y_axes.append({**drawing.count_axis(highest, most=2), "gridIndex": number, "name": series["name"],
                       "nameLocation": "end", "nameGap": 5, "nameTextStyle": {"align": "left"}})  # fmt: skip
        option["series"].append({**series, "xAxisIndex": number, "yAxisIndex": number})
    for axis in x_axes[:-1]:
        axis["axisLabel"] = {**axis["axisLabel"], "show": False}
    option |= {"grid": grids, "xAxis": x_axes, "yAxis": y_axes, "axisPointer": {"link": [{"xAxisIndex": "all"}]}}
    return top_px + len(panels) * _PANEL_PX + 26


def _percentiles_over_time(
    run: Run, name: str, intervals: list[tuple[float, Interval]], marks: list[MarkRow]
) -> Option | None:
    found = [(at, _interval_times(name, each).percentiles_s(*_PERCENTILES)) for at, each in intervals]
    values = [value for _, row in found for value in row]
    if not values:
        return None
    series, last_s = [], max(run.elapsed_s, found[-1][0])
    for place, (percentile, colour) in enumerate(zip(_PERCENTILES, _OVER_TIME, strict=True)):
        points = drawing.at_seconds((at, row[place] if row else None) for at, row in found)
        marked = {"markArea": drawn_areas(marks), "markLine": drawn_lines(marks, last_s)} if not place else {}
        title = "longest" if percentile == 100 else f"p{percentile}"
        series.append(drawing.line(title, points, colour, DURATION, showSymbol=True, symbolSize=4, **marked))
    return drawing.option(drawing.clock_axis(last_s), drawing.time_axis(min(values), max(values)), series)


def _interval_times(name: str, interval: Interval) -> SparseTimes:
    if name == _UPLOAD:
        return interval.uploads.response_time
    return next((tally.response_time for phase, tally in interval.phases.items() if phase.value == name), SparseTimes())


def _phases_by_weight(run: Run) -> list[Phase]:
    """The phase that most of the bytes went through first: chunks."""
    known = [phase for phase, tally in run.measurements.phases.items() if tally.response_time.count]
    return sorted(known, key=lambda phase: -run.measurements.phases[phase].bytes_sent)


def _times(run: Run) -> dict[str, Histogram]:
    measured = run.measurements
    times = {phase.value: tally.response_time for phase, tally in measured.phases.items()}
    return {name: each for name, each in {**times, _UPLOAD: measured.uploads.response_time}.items() if each.count}


def _told(times: Histogram, percentile: float) -> str:
    return units.format_duration(times.percentile_s(percentile) or 0.0)


def _steps(seconds: list[SecondsBin], values: list[float]) -> list[list[float | None]]:
    """Each value stands in the middle of its bin; drawn with steps halfway between, it reaches from edge to edge."""
    middles = [(each.start_s + each.end_s) / 2 for each in seconds]
    return drawing.at_seconds(zip([0.0, *middles, seconds[-1].end_s], [values[0], *values, values[-1]], strict=True))


def _throughput_in_words(seconds: list[SecondsBin]) -> str:
    sent = units.format_bandwidth(max(each.sent_per_s for each in seconds))
    finished = units.format_bandwidth(max(each.finished_per_s for each in seconds))
    return (
        f"Throughput over {units.format_duration(seconds[-1].end_s)}: at most {sent} sent and {finished} of finished "
        f"files. Failed attempts: {sum(each.failed for each in seconds):,}."
    )
