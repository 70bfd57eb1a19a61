"""The knee: load against response time, and below it load against goodput, as inline SVG.

Each step is a dot on both curves, coloured by what became of it. Every chart is drawn for a width in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

from upswarm import units
from upswarm.reports import axes
from upswarm.reports.axes import Scale, Tick
from upswarm.reports.capacity import WORDS
from upswarm.reports.svg import Drawing, point
from upswarm.results.capacity import Capacity
from upswarm.results.steps import By, Step
from upswarm.results.thresholds import Threshold

_LEFT, _RIGHT, _TOP, _BELOW = 78, 16, 16, 44
_PLOT, _GAP = 210, 34
_LETTER = 7.2


def knee(capacity: Capacity, width: int) -> str:
    """Both curves over one axis; an empty text where nothing was measured."""
    steps = sorted((each for each in capacity.steps if each.p99_s), key=lambda each: each.load)
    if not steps:
        return ""
    lower_top = _TOP + _PLOT + _GAP
    floor = lower_top + _PLOT * 2 // 3
    drawing = Drawing(width, floor + _BELOW, _in_words(capacity, steps))
    ticks = load_ticks(steps[-1].load, most=max(3, width // 85), whole=capacity.by is By.USERS)
    x = axes.linear(0, ticks[-1].value, _LEFT, width - _RIGHT)
    _times(drawing, capacity, steps, x)
    _goodput(drawing, steps, x, (lower_top, floor))
    _axis(drawing, ticks, x, floor, capacity.by)
    return str(drawing)


def load_ticks(highest: float, *, most: int, whole: bool) -> list[Tick]:
    """From 0 to just above the highest load, in steps of 1, 2 or 5 of a decade, also below one unless `whole`."""
    if whole or highest >= most:
        return axes.count_ticks(highest, most=most)
    steps = (digit * 10.0**power for power in range(-6, 2) for digit in (1, 2, 5))
    step = next(step for step in steps if highest <= step * most)
    return [Tick(step * at, f"{step * at:g}") for at in range(most + 1) if at == 0 or step * (at - 1) < highest]


def limits(capacity: Capacity) -> list[tuple[str, float]]:
    """The objectives that are about the times that are shown, `p99 < 400ms`, each with its limit in seconds."""
    name, wanted = capacity.shown_time, map(Threshold.parse, capacity.objectives)
    return [(each.text.removeprefix(name).strip(), each.value) for each in wanted
            if each.metric.name == name and each.value > 0]  # fmt: skip


def _in_words(capacity: Capacity, steps: Sequence[Step]) -> str:
    told = "; ".join(
        f"{capacity.by.amount(each.load)}: p50 {units.format_duration(each.p50_s or 0)}, p99 "
        f"{units.format_duration(each.p99_s or 0)}, goodput {units.format_bandwidth(each.goodput_bytes_per_s)}, "
        f"{WORDS[each.verdict]}"
        for each in steps
    )
    return f"Load against {capacity.shown_time} on a logarithmic axis, and against goodput. {told}."


def _times(drawing: Drawing, capacity: Capacity, steps: Sequence[Step], x: Scale) -> None:
    bottom = _TOP + _PLOT
    wanted = limits(capacity)
    values = [value for each in steps for value in (each.p50_s, each.p99_s) if value] + [value for _, value in wanted]
    ticks = axes.time_ticks(min(values), max(values))
    y = axes.logarithmic(ticks[0].value, ticks[-1].value, bottom, _TOP)
    for tick in ticks:
        _level(drawing, tick, y(tick.value), "grid" if tick.label else "grid faint")
    drawing.line("base", (_LEFT, bottom), (drawing.width - _RIGHT, bottom))
    _curve(drawing, "median", [(x(each.load), y(each.p50_s)) for each in steps if each.p50_s])
    _curve(drawing, "slowest", [(x(each.load), y(each.p99_s)) for each in steps if each.p99_s])
    for text, value_s in wanted:
        _limit(drawing, text, y(value_s))
    for each in steps:
        title = f"{capacity.by.amount(each.load)}: {WORDS[each.verdict]}"
        if each.p50_s:
            drawing.dot("p50", (x(each.load), y(each.p50_s)), 3.5, f"{title}, p50 {units.format_duration(each.p50_s)}")
        p99_s = each.p99_s or 0
        drawing.dot(str(each.verdict), (x(each.load), y(p99_s)), 5.5, f"{title}, p99 {units.format_duration(p99_s)}")


def _limit(drawing: Drawing, text: str, height: float) -> None:
    """Its text stands on the left, where times are short and the curves lie below."""
    drawing.line("mark", (_LEFT, height), (drawing.width - _RIGHT, height))
    drawing.text("flag", (_LEFT + 6, height - 6 if height > _TOP + 14 else height + 14), text)


def _goodput(drawing: Drawing, steps: Sequence[Step], x: Scale, span: tuple[float, float]) -> None:
    top, bottom = span
    ticks = axes.size_ticks(max(each.goodput_bytes_per_s for each in steps), suffix="/s", most=4)
    y = axes.linear(0, ticks[-1].value, bottom, top)
    for tick in ticks:
        _level(drawing, tick, y(tick.value), "grid" if tick.value else "base")
    _curve(drawing, "finished", [(x(each.load), y(each.goodput_bytes_per_s)) for each in steps])
    for each in steps:
        title = f"goodput {units.format_bandwidth(each.goodput_bytes_per_s)}, {WORDS[each.verdict]}"
        drawing.dot(str(each.verdict), (x(each.load), y(each.goodput_bytes_per_s)), 5, title)


def _level(drawing: Drawing, tick: Tick, height: float, kind: str) -> None:
    drawing.line(kind, (_LEFT, height), (drawing.width - _RIGHT, height))
    drawing.text("tick", (_LEFT - 8, height + 4), tick.label, anchor="end")


def _curve(drawing: Drawing, kind: str, points: Sequence[tuple[float, float]]) -> None:
    if len(points) > 1:
        drawing.path(kind, f"M{' L'.join(point(*each) for each in points)}")


def _axis(drawing: Drawing, ticks: Sequence[Tick], x: Scale, floor: float, by: By) -> None:
    for tick in ticks:
        at = x(tick.value)
        out = at + len(tick.label) * _LETTER / 2 > drawing.width
        drawing.line("base", (at, floor), (at, floor + 5))
        drawing.text("tick", (at, floor + 19), tick.label, anchor="end" if out else "middle")
    name = "users" if by is By.USERS else "arrivals per second"
    drawing.text("tick", ((_LEFT + drawing.width - _RIGHT) / 2, floor + 37), name, anchor="middle")
