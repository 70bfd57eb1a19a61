"""Charts as plain data: options of Apache ECharts, which `templates/charts.js` draws in the reader's browser.

JSON holds no functions, so a formatter is a name (`@bandwidth`) that the script knows, and a colour is one of the
page's own (`var(--finished)`), so a chart is right in light, in dark and in print. Names from outside are names, never
markup.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from upswarm.reports import axes
from upswarm.results.histogram import Histogram

Option = dict[str, Any]
Series = dict[str, Any]
Points = Iterable[tuple[float, float | None]]

BANDWIDTH, SIZE, DURATION, RATIO, COUNT = "@bandwidth", "@size", "@duration", "@ratio", "@count"
CLOCK, PERCENTILE = "@clock", "@percentile"
COLOURS = tuple(f"var(--series-{number})" for number in range(1, 9))
"""For series of which none means more than another."""


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn, and what it shows in words, for those who do not see it.

    Where there are several `options`, the reader chooses one by its name; the first is shown at first.
    """

    name: str
    words: str
    options: Mapping[str, Option]
    height_px: int = 320


def option(x: Option, y: Option | list[Option], series: Iterable[Series], **more: Any) -> Option:
    """A chart of one pair of axes, with a legend where there is more than one name."""
    drawn = list(series)
    named = list(dict.fromkeys(each["name"] for each in drawn if each.get("name")))
    legend = {"data": named, "show": len(named) > 1, "type": "scroll", "left": 0, "top": 0}
    grid = {"left": 12, "right": 18, "top": 44 if len(named) > 1 else 20, "bottom": 8, "outerBoundsMode": "same"}
    return {
        "grid": grid, "legend": legend, "tooltip": {"trigger": "axis"}, "xAxis": x, "yAxis": y, "series": drawn, **more,
    }  # fmt: skip


def clock_axis(last_s: float) -> Option:
    """The seconds of a run, from its start to its last, as a clock shows them. Points are `at_seconds`."""
    return {
        "type": "time", "min": 0, "max": last_s * 1000, "containShape": False,
        "axisLabel": {"formatter": CLOCK, "hideOverlap": True},
    }  # fmt: skip


def at_seconds(points: Points) -> list[list[float | None]]:
    """Points on a clock axis, from pairs of a second of the run and a value."""
    return [[round(at_s * 1000), None if value is None else _short(value)] for at_s, value in points]


def size_axis(highest_bytes: float, *, bandwidth: bool = False) -> Option:
    """From 0 to just above the highest, in steps that are whole numbers of a binary unit."""
    return _steps(axes.size_steps(highest_bytes), BANDWIDTH if bandwidth else SIZE)


def count_axis(highest: float, *, most: int = 5) -> Option:
    """From 0 to just above the highest, in whole numbers."""
    return _steps(axes.count_steps(highest, most=most), COUNT)


def time_axis(shortest_s: float, longest_s: float) -> Option:
    """A logarithmic axis of times, with ticks at 1, 2 and 5 of each decade where there is room."""
    ticks = axes.time_ticks(shortest_s, longest_s)
    labelled = {"customValues": list(ticks.labelled_s)}
    return {
        "type": "log", "min": ticks.lowest_s, "max": ticks.highest_s, "axisLabel": {"formatter": DURATION, **labelled},
        "axisTick": labelled, "splitLine": labelled,
    }  # fmt: skip


def percentile_axis(highest: float) -> Option:
    """Percentiles as HDR histograms show them: 90, 99, 99.9 … equally far apart, up to the highest, below 100."""
    end = max(10.0, hdr_place(highest))
    nines = {"customValues": [10**power for power in range(int(math.log10(end) + 1e-9) + 1)]}
    return {
        "type": "log", "min": 1, "max": end, "axisLabel": {"formatter": PERCENTILE, **nines}, "axisTick": nines,
        "splitLine": {"show": True, **nines},
    }  # fmt: skip


def hdr_place(percentile: float) -> float:
    """Where a percentile lies on that axis."""
    return 100 / (100 - percentile)


def hdr_points(times: Histogram) -> list[list[float]]:
    """The curve of a distribution on that axis, from the shortest time as far as one in so many times can be told."""
    if not times.count:
        return []
    tenths = {10 ** (number / 10) for number in range(int(math.log10(times.count) * 10) + 1)}
    places = sorted(
        tenths | {each for each in map(hdr_place, (2, 5, 10, 15)) if each < times.count} | {float(times.count)}
    )
    return [[_short(place), _short(times.percentile_s(100 - 100 / place) or 0.0)] for place in places]


def name_axis(names: Sequence[str]) -> Option:
    """One place for each name, in their order from the top or the left."""
    return {"type": "category", "data": list(names), "axisTick": {"show": False}}


def line(name: str, points: Sequence[Any], colour: str, formatter: str, **more: Any) -> Series:
    """A line; a None in its points is a gap."""
    return {
        "type": "line", "name": name, "data": points, "color": colour, "showSymbol": False,
        "tooltip": {"valueFormatter": formatter}, "lineStyle": {"width": 2}, **more,
    }  # fmt: skip


def area(name: str, points: Sequence[Any], colour: str, formatter: str, **more: Any) -> Series:
    """A line with everything below it filled, and no stroke."""
    filled = {"areaStyle": {"opacity": 1, "color": colour}, "lineStyle": {"width": 0}}
    return line(name, points, colour, formatter, **filled, **more)


def bars(name: str, points: Sequence[Any], colour: str, formatter: str, **more: Any) -> Series:
    """Bars, on a category axis or at their places."""
    return {
        "type": "bar", "name": name, "data": points, "color": colour,
        "tooltip": {"valueFormatter": formatter}, "barMaxWidth": 26, **more,
    }  # fmt: skip


def dots(name: str, points: Sequence[Any], colour: str, formatter: str, **more: Any) -> Series:
    """Dots at points."""
    return {
        "type": "scatter", "name": name, "data": points, "color": colour, "symbolSize": 10,
        "tooltip": {"valueFormatter": formatter}, **more,
    }  # fmt: skip


def limit_line(text: str, value: float) -> Option:
    """The `markLine` of a limit on the y axis, with its text at its left end."""
    label = {"formatter": text.replace("{", "(").replace("}", ")"), "position": "insideStartTop", "color": "var(--ink)"}
    style = {"color": "var(--ink)", "type": "dashed", "width": 1}
    return {"symbol": "none", "silent": True, "lineStyle": style, "data": [{"yAxis": value, "label": label}]}


def _steps(steps: list[float], formatter: str) -> Option:
    return {
        "type": "value", "min": 0, "max": steps[-1], "interval": steps[1], "axisLabel": {"formatter": formatter},
    }  # fmt: skip


def _short(value: float) -> float:
    """Six digits are more than an eye sees, and a page of many points is smaller by half."""
    return float(f"{value:.6g}")
