"""The moments of a run: numbered in its charts, told in words below, each with what it cost.

They are those that the run has marked, and what its figures show: outages, and workers that fell silent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from upswarm import units
from upswarm.reports import outages, workers
from upswarm.reports.costs import cost_of
from upswarm.reports.drawing import Option
from upswarm.results.marks import Mark, MarkKind
from upswarm.results.run_file import Run

OUTAGE = "outage"
"""The kind of a moment that the figures show and no mark tells of."""
_COLOURS = {
    MarkKind.FAULT.value: "var(--bad)", OUTAGE: "var(--bad)", MarkKind.WORKER.value: "var(--invalid)",
}  # fmt: skip
_MOST = 60
_CLOSE = 0.025
"""As part of the axis: two numbers need some 20 of its 800 pixels to stand beside each other."""


@dataclass(frozen=True, slots=True)
class MarkRow:
    """One moment as the list below the chart tells it; `cost` is "" where nothing was broken."""

    number: int
    kind: str
    at_s: float
    until_s: float | None
    sentence: str
    cost: str

    @property
    def when(self) -> str:
        """On the clock of the charts."""
        began = units.format_duration(self.at_s)
        return began if self.until_s is None else f"{began} to {units.format_duration(self.until_s)}"


def mark_rows(run: Run) -> list[MarkRow]:
    """In the order in which they happened; the number is that in the charts."""
    found: list[tuple[float, str, float | None, str, str]] = [
        (each.start_s, OUTAGE, each.end_s, outages.sentence(run, each), outages.cost(run, each))
        for each in outages.unexplained(run)
    ]
    found += [(at_s, MarkKind.WORKER.value, None, told, "") for at_s, told in workers.lost_unmarked(run)]
    marked = [(mark.at_s, mark.kind.value, mark.until_s, mark.sentence, _cost(run, mark)) for mark in run.marks]
    in_order = sorted([*marked, *found], key=lambda each: each[0])
    return [
        MarkRow(number, kind, at_s, until_s, sentence, cost)
        for number, (at_s, kind, until_s, sentence, cost) in enumerate(in_order, 1)
    ]


def drawn_lines(marks: list[MarkRow], last_s: float) -> Option:
    """A `markLine` with a line where each began; of very many only the first have one.

    The first of those that are close to each other, on an axis that ends at `last_s`, has the numbers of all of them.
    """
    groups: list[list[MarkRow]] = []
    for mark in marks[:_MOST]:
        if groups and mark.at_s - groups[-1][0].at_s < last_s * _CLOSE:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    lines = [line for group in groups for line in _lines(group)]
    return {"symbol": "none", "silent": True, "animation": False, "data": lines}


def drawn_areas(marks: list[MarkRow]) -> Option:
    """A `markArea` from the beginning to the end of each that has an end."""
    lasting = [mark for mark in marks if mark.until_s is not None][:_MOST]
    data = [[{"xAxis": mark.at_s * 1000}, {"xAxis": (mark.until_s or 0.0) * 1000}] for mark in lasting]
    return {"silent": True, "animation": False, "itemStyle": {"color": "var(--bad)", "opacity": 0.12}, "data": data}


def _lines(group: list[MarkRow]) -> Iterator[Option]:
    first, last = group[0], group[-1]
    colours = [_colour(mark) for mark in group]
    text = str(first.number) if first is last else f"{first.number}–{last.number}"
    for mark, colour in zip(group, colours, strict=True):
        stroke = "solid" if mark.kind == MarkKind.FAULT.value else "dashed"
        line = {"xAxis": mark.at_s * 1000, "lineStyle": {"color": colour, "type": stroke, "width": 1}}
        worst = next((each for each in _COLOURS.values() if each in colours), colour)
        label = {"formatter": text, "position": "end", "color": worst, "distance": 2}
        yield {**line, "label": label if mark is first else {"show": False}}


def _colour(mark: MarkRow) -> str:
    return _COLOURS.get(mark.kind, "var(--soft)")


def _cost(run: Run, mark: Mark) -> str:
    return cost_of(run, mark).sentence() if mark.kind is MarkKind.FAULT and run.measurements.attempts else ""
