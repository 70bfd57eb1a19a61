"""Tables that people read in a terminal and paste into Markdown and medians with their spread."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, aligned: the first column to the left, all others to the right."""
    cells = [list(headings), *(list(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    rule = [f"{'-' * (width - 1)}{'-' if column == 0 else ':'}" for column, width in enumerate(widths)]
    lines = [_line(cells[0], widths), _line(rule, widths), *(_line(row, widths) for row in cells[1:])]
    return "\n".join(lines)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """`2.41 (2.20–2.55)`: the median and both ends; `–` where there is nothing."""
    if not values:
        return "–"
    middle, low, high = statistics.median(values), min(values), max(values)
    if len(values) == 1:
        return f"{middle:.{digits}f}"
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def middle(values: Sequence[float], digits: int = 2) -> str:
    """The median alone."""
    return f"{statistics.median(values):.{digits}f}" if values else "–"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of the values that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(percent * 10) // 1000) - 1)]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join([first, *others])} |"
