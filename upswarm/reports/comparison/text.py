"""A comparison in the terminal: what was not equal first, then the figures, then what failed, last the gates."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from upswarm.reports.comparison import rows as told
from upswarm.results.comparison.comparison import Change, Comparison, Word
from upswarm.results.comparison.gate import GateVerdict, Judged
from upswarm.results.comparison.premises import Difference, circumstances, scenario_differences

_WIDTH = 120
_COLOURS = {"better": "\033[32m", "worse": "\033[31m", "different": "\033[33m"}
_PLAIN = "\033[0m"
_WIDEST_CELL, _WIDEST_END = 40, 80
_MOST_FAILURES = 12


def comparison_text(judged: Judged, *, colour: bool, everything: bool = False) -> str:
    """Lines of at most 120 columns, unless a name is longer; `everything` has also what no word is known for."""
    comparison = judged.comparison
    blocks = [
        _sides(comparison),
        _doubts(comparison),
        _differences("Scenario", scenario_differences(comparison.base, comparison.other), comparison),
        _differences("Machine and run", circumstances(comparison.base, comparison.other), comparison),
        _figures(comparison, colour=colour, everything=everything),
        _failures(comparison),
        _ends(comparison),
        _gates(judged.verdicts, colour=colour),
    ]
    return "\n\n".join("\n".join(lines) for block in blocks if (lines := list(block)))


def _sides(comparison: Comparison) -> Iterator[str]:
    for side, role in ((comparison.base, "the base"), (comparison.other, "compared with it")):
        several = f" ({len(side.runs)} runs)" if len(side.runs) > 1 else ""
        yield from _wrapped(f"{side.letter}  {side.name}{several}, {role}", "   ")
    if comparison.identical:
        yield "Both sides are the same runs, so everything is the same."


def _doubts(comparison: Comparison) -> Iterator[str]:
    doubts = [*comparison.base.doubts, *comparison.other.doubts]
    if doubts:
        yield "Doubtful numbers, for the generator was not well:"
    for doubt in doubts:
        yield from _wrapped(f"! {doubt}", "  ")


def _differences(heading: str, found: Sequence[Difference], comparison: Comparison) -> Iterator[str]:
    if not found:
        yield f"{heading}: the same"
        return
    yield f"{heading}: {len(found)} {'difference' if len(found) == 1 else 'differences'}"
    cells = [
        ("", comparison.base.letter, comparison.other.letter),
        *((each.key, each.base, each.other) for each in found),
    ]
    yield from _table(cells, numbers=range(0))


def _figures(comparison: Comparison, *, colour: bool, everything: bool) -> Iterator[str]:
    known = told.with_data(comparison)
    shown = known if everything else told.told(comparison)
    heads = ("metric", "", comparison.base.letter, comparison.other.letter, "change", "99 % interval", "", "")
    lines = list(_table([heads, *map(_cells, shown)], numbers=range(2, 6))) if shown else ["Neither side has any data."]
    yield lines[0]
    for line, change in zip(lines[1:], shown, strict=False):
        yield _painted(line, change.word) if colour else line
    if nothing := told.nothing(comparison):
        yield from _wrapped(f"None on either side: {nothing}", "  ")
    if left := len(known) - len(shown):
        yield f"{left} more figures are unclear, as they are not kept by interval: --all shows them, several runs help"
    if shown:
        yield told.tally(shown)


def _cells(change: Change) -> tuple[str, ...]:
    row = told.row(change)
    reason = f"({row.reason})" if change.word is Word.UNCLEAR else ""
    return (row.metric, row.aggregate, row.base, row.other, row.change, row.noise, row.word, reason)


def _painted(line: str, word: Word) -> str:
    """The word alone: there may be escapes in nothing that comes from a run."""
    before, found, after = line.rpartition(f" {word}")
    return f"{before} {_COLOURS[word]}{word}{_PLAIN}{after}" if found and word in _COLOURS else line


def _failures(comparison: Comparison) -> Iterator[str]:
    for side in (comparison.base, comparison.other):
        yield f"{side.letter}  {told.totals(side)}"
    rows = told.error_rows(comparison)
    cells = [(each.name, each.kind, each.base, each.other, each.meaning) for each in rows[:_MOST_FAILURES]]
    heads = ("failed", "", comparison.base.letter, comparison.other.letter, "")
    yield from _table([heads, *cells], numbers=range(2, 4)) if rows else ()
    if left := len(rows) - len(cells):
        yield f"  and {left} more, which --html and --json have"


def _ends(comparison: Comparison) -> Iterator[str]:
    for side in (comparison.base, comparison.other):
        yield from _wrapped(f"{side.letter}  {told.verdicts(side)}; audit: {told.audits(side)}", "   ")


def _gates(verdicts: Sequence[GateVerdict], *, colour: bool) -> Iterator[str]:
    for each in verdicts:
        mark = "✗" if each.fails else "✓"
        word = Word.WORSE if each.fails else Word.BETTER
        painted = f"{_COLOURS[word]}{mark}{_PLAIN}" if colour else mark
        yield f"{painted} {'fails if' if each.fails else 'would fail if'} {each.gate.text}: {told.gate_line(each)}"


def _table(cells: Sequence[Sequence[str]], numbers: range) -> Iterator[str]:
    """Columns as wide as they have to be; the numbers stand on the right."""
    rows = [[*(_fit(cell) for cell in row[:-1]), _printable(row[-1])[:_WIDEST_END]] for row in cells]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        aligned = [
            f"{cell:>{width}}" if at in numbers else f"{cell:{width}}"
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield f"  {'  '.join(aligned)}".rstrip()


def _fit(text: str) -> str:
    """A value from outside, on one line and not too wide."""
    line = _printable(text)
    return line if len(line) <= _WIDEST_CELL else f"{line[: _WIDEST_CELL - 1]}…"


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(_printable(text), _WIDTH, subsequent_indent=indent)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
