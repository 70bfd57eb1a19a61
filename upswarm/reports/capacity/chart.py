"""The knee: load against response time, and below it load against goodput.

Each step is a dot on both curves, coloured by what became of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from upswarm import units
from upswarm.reports import drawing
from upswarm.reports.capacity.text import WORDS
from upswarm.reports.drawing import BANDWIDTH, COUNT, DURATION, Chart, Option
from upswarm.results.capacity import Capacity
from upswarm.results.steps import By, Step, Verdict
from upswarm.results.thresholds import Threshold

_TOP_PX, _TIMES_PX, _GAP_PX, _GOODPUT_PX, _BELOW_PX = 24, 230, 34, 150, 52
_COLOURS = {Verdict.HELD: "var(--good)", Verdict.BROKEN: "var(--bad)"}


def knee(capacity: Capacity) -> Chart | None:
    """Both curves over one axis; None where nothing was measured."""
    steps = sorted((each for each in capacity.steps if each.p99_s), key=lambda each: each.load)
    if not steps:
        return None
    height_px = _TOP_PX + _TIMES_PX + _GAP_PX + _GOODPUT_PX + _BELOW_PX
    return Chart("knee", _in_words(capacity, steps), {"": _option(capacity, steps)}, height_px)


def limits(capacity: Capacity) -> list[tuple[str, float]]:
    """The objectives that are about the times that are shown, `p99 < 400ms`, each with its limit in seconds."""
    name, wanted = capacity.shown_time, map(Threshold.parse, capacity.objectives)
    return [(each.text.removeprefix(name).strip(), each.value) for each in wanted
            if each.metric.name == name and each.value > 0]  # fmt: skip


def _option(capacity: Capacity, steps: Sequence[Step]) -> Option:
    wanted = limits(capacity)
    times = [value for each in steps for value in (each.p50_s, each.p99_s) if value] + [value for _, value in wanted]
    highest = max(each.goodput_bytes_per_s for each in steps)
    lines = [drawing.limit_line(text, value) for text, value in wanted]
    marked = {"markLine": {**lines[0], "data": [each for line in lines for each in line["data"]]}} if lines else {}
    lower = {"xAxisIndex": 1, "yAxisIndex": 1}
    dashed = {"lineStyle": {"width": 2, "type": "dashed"}}
    series = [
        drawing.line("p50", _points(steps, "p50_s", own=False), "var(--p95)", DURATION, showSymbol=True, **dashed),
        drawing.line("p99", _points(steps, "p99_s"), "var(--finished)", DURATION, showSymbol=True, **marked),
        drawing.line("goodput", _points(steps, "goodput_bytes_per_s"), "var(--finished)", BANDWIDTH, showSymbol=True,
                     **lower),
    ]  # fmt: skip
    grid = {"left": 78, "right": 18}
    name = "users" if capacity.by is By.USERS else "arrivals per second"
    whole = {"minInterval": 1} if capacity.by is By.USERS else {}
    x: Option = {"type": "value", "min": 0, "axisLabel": {"formatter": COUNT}, **whole}
    second = {"gridIndex": 1}
    hidden = {**x, "axisLabel": {"show": False, "formatter": COUNT}}
    return {
        "grid": [
            {**grid, "top": _TOP_PX, "height": _TIMES_PX},
            {**grid, "top": _TOP_PX + _TIMES_PX + _GAP_PX, "height": _GOODPUT_PX},
        ],
        "tooltip": {"trigger": "axis"},
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "xAxis": [hidden, {**x, **second, "name": name, "nameLocation": "middle", "nameGap": 28}],
        "yAxis": [drawing.time_axis(min(times), max(times)), {**drawing.size_axis(highest, bandwidth=True), **second}],
        "series": series,
    }


def _points(steps: Sequence[Step], field: str, *, own: bool = True) -> list[dict[str, Any]]:
    """With a colour of its `own` a point is also larger: it tells what became of the step."""
    found = ((each, getattr(each, field)) for each in steps)
    return [
        {"value": [each.load, value]} if not own else {
            "value": [each.load, value], "symbolSize": 11, "symbol": "circle",
            "itemStyle": {"color": _COLOURS.get(each.verdict, "var(--invalid)")},
        }
        for each, value in found if value
    ]  # fmt: skip


def _in_words(capacity: Capacity, steps: Sequence[Step]) -> str:
    told = "; ".join(
        f"{capacity.by.amount(each.load)}: p50 {units.format_duration(each.p50_s or 0)}, p99 "
        f"{units.format_duration(each.p99_s or 0)}, goodput {units.format_bandwidth(each.goodput_bytes_per_s)}, "
        f"{WORDS[each.verdict]}"
        for each in steps
    )
    return f"Load against {capacity.shown_time} on a logarithmic axis, and against goodput. {told}."
