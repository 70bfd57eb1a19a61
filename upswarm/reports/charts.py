"""The report's three charts, each a pure function from numbers to inline SVG; an empty text where there is no data.

Every chart is drawn for a width in pixels, so that a phone gets one with letters as large as a desk's.
"""

from __future__ import annotations

from collections.abc import Sequence

from upswarm import units
from upswarm.reports import axes, bins
from upswarm.reports.axes import Scale, Tick
from upswarm.reports.bins import SecondsBin, TimesBin
from upswarm.reports.svg import Drawing, point
from upswarm.results.histogram import Histogram
from upswarm.results.measurements import Measurements

_LEFT, _RIGHT, _TOP, _BELOW = 78, 10, 12, 26
_PLOT, _STRIP, _GAP, _ROW, _STEP = 190, 34, 14, 34, 16
_LETTER = 7.2
_MARKED = (50, 95, 99)


def throughput(measurements: Measurements, elapsed_s: float, width: int) -> str:
    """Bytes sent, and bytes of finished files, per second of the run; failed attempts in a strip of their own below."""
    seconds = bins.over_the_run(measurements, elapsed_s)
    if not seconds:
        return ""
    bottom, last_s = _TOP + _PLOT, seconds[-1].end_s
    most_failed = max(each.failed for each in seconds)
    floor = bottom + (_GAP + _STRIP if most_failed else 0)
    drawing = Drawing(width, floor + _BELOW, _throughput_in_words(seconds))
    x = axes.linear(0, last_s, _LEFT, width - _RIGHT)
    _levels(drawing, seconds, x, bottom)
    if most_failed:
        _failed_strip(drawing, seconds, x, most_failed)
    _axis(drawing, axes.clock_ticks(last_s, most=_labels_on(width)), x, floor)
    for each in seconds:
        size = (x(each.end_s) - x(each.start_s), floor - _TOP)
        drawing.rect("hover", (x(each.start_s), _TOP), size, title=str(each))
    return str(drawing)


def distribution(times: Histogram, width: int) -> str:
    """How often which time occurred, over a logarithmic axis, with the median, p95 and p99 marked."""
    bars = list(bins.over_the_times(times))
    if not bars:
        return ""
    marks = list(zip(_MARKED, _percentiles(times), strict=True))
    flags = [f"p{percentile} {units.format_duration(value_s)}" for percentile, value_s in marks]
    top = _TOP + _STEP * len(marks) + 6
    bottom = top + _PLOT - 40
    words = f"Distribution of {times.count:,} times on a logarithmic axis: {', '.join(flags)}."
    drawing = Drawing(width, bottom + _BELOW, words)
    ticks = axes.time_ticks(bars[0].start_s, bars[-1].end_s, most=_labels_on(width))
    x = axes.logarithmic(ticks[0].value, ticks[-1].value, _LEFT, width - _RIGHT)
    _bars(drawing, bars, x, (top, bottom))
    _flags(drawing, [(flag, x(value_s)) for flag, (_, value_s) in zip(flags, marks, strict=True)], bottom)
    _axis(drawing, ticks, x, bottom)
    return str(drawing)


def percentiles(rows: Sequence[tuple[str, Histogram]], width: int) -> str:
    """One row for each name: its median, p95 and p99 as dots on one logarithmic axis for all."""
    known = [(name, _percentiles(times)) for name, times in rows if times.count]
    if not known:
        return ""
    words = "; ".join(f"{name} {', '.join(map(units.format_duration, values))}" for name, values in known)
    bottom = _TOP + _ROW * len(known)
    drawing = Drawing(width, bottom + _BELOW, f"Median, p95 and p99 on a logarithmic axis: {words}.")
    values = [value_s for _, row in known for value_s in row]
    ticks = axes.time_ticks(min(values), max(values), most=_labels_on(width))
    x = axes.logarithmic(ticks[0].value, ticks[-1].value, _LEFT + 8, width - _RIGHT - 8)
    for tick in ticks:
        drawing.line("grid" if tick.label else "grid faint", (x(tick.value), _TOP), (x(tick.value), bottom))
    for row, (name, times_s) in enumerate(known):
        _dots(drawing, name, times_s, x, _TOP + _ROW * (row + 0.5))
    _axis(drawing, ticks, x, bottom)
    return str(drawing)


def _percentiles(times: Histogram) -> list[float]:
    return [times.percentile_s(percentile) or 0.0 for percentile in _MARKED]


def _throughput_in_words(seconds: list[SecondsBin]) -> str:
    sent = units.format_bandwidth(max(each.sent_per_s for each in seconds))
    finished = units.format_bandwidth(max(each.finished_per_s for each in seconds))
    return (
        f"Throughput over {units.format_duration(seconds[-1].end_s)}: at most {sent} sent and {finished} of finished "
        f"files. Failed attempts: {sum(each.failed for each in seconds):,}."
    )


def _levels(drawing: Drawing, seconds: list[SecondsBin], x: Scale, bottom: float) -> None:
    highest = max(max(each.sent_per_s, each.finished_per_s) for each in seconds)
    ticks = axes.size_ticks(highest, suffix="/s")
    y = axes.linear(0, ticks[-1].value, bottom, _TOP)
    _grid(drawing, ticks, y)
    sent = [point(x(at_s), y(each.sent_per_s)) for each in seconds for at_s in (each.start_s, each.end_s)]
    finished = [point(x(at_s), y(each.finished_per_s)) for each in seconds for at_s in (each.start_s, each.end_s)]
    corners = point(x(0), bottom), point(x(seconds[-1].end_s), bottom)
    drawing.path("sent", f"M{corners[0]} L{' L'.join(sent)} L{corners[1]} Z")
    drawing.path("finished", f"M{' L'.join(finished)}")


def _failed_strip(drawing: Drawing, seconds: list[SecondsBin], x: Scale, most: int) -> None:
    top = _TOP + _PLOT + _GAP
    bottom = top + _STRIP
    drawing.text("tick failed", (_LEFT - 8, top + 14), "failed", anchor="end")
    drawing.text("tick failed", (_LEFT - 8, bottom - 2), f"max {most:,}", anchor="end")
    drawing.line("base", (_LEFT, bottom), (drawing.width - _RIGHT, bottom))
    for each in (each for each in seconds if each.failed):
        left, height = x(each.start_s), max(2.0, each.failed / most * _STRIP)
        drawing.rect("failure", (left, bottom - height), (max(x(each.end_s) - left - 1, 1), height))


def _bars(drawing: Drawing, bars: list[TimesBin], x: Scale, span: tuple[float, float]) -> None:
    """A bar is at least a pixel high: what is rare is still to be seen."""
    top, bottom = span
    ticks = axes.count_ticks(max(each.count for each in bars), most=4)
    y = axes.linear(0, ticks[-1].value, bottom, top)
    _grid(drawing, ticks, y)
    for each in bars:
        height = max(bottom - y(each.count), 1)
        size = (max(x(each.end_s) - x(each.start_s) - 1, 0.5), height)
        drawing.rect("bar", (x(each.start_s), bottom - height), size, title=str(each))


def _flags(drawing: Drawing, marks: list[tuple[str, float]], bottom: float) -> None:
    """Marks with their texts on steps above the plot, so that no text meets another mark.

    The texts stand to the right and step down; where the last has no room there, they stand to the left and step up.
    """
    text, x = marks[-1]
    right = drawing.width - _RIGHT - x > len(text) * _LETTER
    for step, (text, x) in enumerate(marks if right else reversed(marks)):
        top = _TOP + _STEP * step
        drawing.line("mark", (x, top), (x, bottom))
        drawing.text("flag", (x + 5 if right else x - 5, top + 10), text, anchor="start" if right else "end")


def _dots(drawing: Drawing, name: str, times_s: list[float], x: Scale, y: float) -> None:
    """The median is drawn last, so that it is never hidden."""
    drawing.text("name", (_LEFT - 12, y + 4), name, anchor="end")
    drawing.line("span", (x(times_s[0]), y), (x(times_s[-1]), y))
    for percentile, value_s in reversed(list(zip(_MARKED, times_s, strict=True))):
        title = f"{name} p{percentile} {units.format_duration(value_s)}"
        drawing.dot(f"p{percentile}", (x(value_s), y), 5.5, title=title)


def _grid(drawing: Drawing, ticks: list[Tick], y: Scale) -> None:
    for tick in ticks:
        height = y(tick.value)
        drawing.line("grid" if tick.value else "base", (_LEFT, height), (drawing.width - _RIGHT, height))
        drawing.text("tick", (_LEFT - 8, height + 4), tick.label, anchor="end")


def _axis(drawing: Drawing, ticks: list[Tick], x: Scale, bottom: float) -> None:
    """A label that would stick out on the right ends at its tick."""
    for tick in ticks:
        at = x(tick.value)
        out = at + len(tick.label) * _LETTER / 2 > drawing.width
        drawing.line("base", (at, bottom), (at, bottom + (5 if tick.label else 3)))
        drawing.text("tick", (at, bottom + 19), tick.label, anchor="end" if out else "middle")


def _labels_on(width: int) -> int:
    """How many labels find room next to each other."""
    return max(3, width // 85)
