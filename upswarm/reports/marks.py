"""The marks of a run: numbered in its charts, told in words below, each with what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from upswarm import units
from upswarm.reports.costs import cost_of
from upswarm.reports.drawing import Option
from upswarm.results.marks import Mark, MarkKind
from upswarm.results.run_file import Run

_COLOURS = {
    MarkKind.FAULT: "var(--bad)", MarkKind.STAGE: "var(--soft)", MarkKind.WORKER: "var(--invalid)",
    MarkKind.NOTE: "var(--soft)",
}  # fmt: skip
_MOST = 60


@dataclass(frozen=True, slots=True)
class MarkRow:
    """One mark as the list below the chart tells it; `cost` is "" where it was no fault."""

    number: int
    kind: str
    when: str
    sentence: str
    cost: str


def mark_rows(run: Run) -> list[MarkRow]:
    """In the order in which they happened; the number is that in the charts."""
    return [
        MarkRow(number, mark.kind.value, _when(mark), mark.sentence, _cost(run, mark))
        for number, mark in enumerate(_in_order(run.marks), 1)
    ]


def drawn_lines(marks: Sequence[Mark]) -> Option:
    """A `markLine` with a numbered line where each began; of very many only the first have one."""
    data = [_line(number, mark) for number, mark in enumerate(_in_order(marks)[:_MOST], 1)]
    return {"symbol": "none", "silent": True, "animation": False, "data": data}


def drawn_areas(marks: Sequence[Mark]) -> Option:
    """A `markArea` from the beginning to the end of each that has an end."""
    lasting = [mark for mark in marks if mark.until_s is not None][:_MOST]
    data = [[{"xAxis": mark.at_s * 1000}, {"xAxis": (mark.until_s or 0.0) * 1000}] for mark in lasting]
    return {"silent": True, "animation": False, "itemStyle": {"color": "var(--bad)", "opacity": 0.12}, "data": data}


def _line(number: int, mark: Mark) -> Option:
    colour, stroke = _COLOURS[mark.kind], "solid" if mark.kind is MarkKind.FAULT else "dashed"
    return {
        "xAxis": mark.at_s * 1000,
        "lineStyle": {"color": colour, "type": stroke, "width": 1},
        "label": {"formatter": str(number), "position": "end", "color": colour, "distance": 2},
    }


def _in_order(marks: Sequence[Mark]) -> list[Mark]:
    return sorted(marks, key=lambda mark: mark.at_s)


def _when(mark: Mark) -> str:
    began = units.format_duration(mark.at_s)
    return began if mark.until_s is None else f"{began} to {units.format_duration(mark.until_s)}"


def _cost(run: Run, mark: Mark) -> str:
    return cost_of(run, mark).sentence() if mark.kind is MarkKind.FAULT and run.measurements.attempts else ""
