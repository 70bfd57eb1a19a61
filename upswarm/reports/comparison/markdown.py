"""A comparison in Markdown, for a pull request: gates and what changed first, the rest folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from upswarm.reports.comparison import rows as told
from upswarm.reports.outputs.markdown_text import cell_code, code, prose, table
from upswarm.results.comparison.comparison import Change, Comparison
from upswarm.results.comparison.gate import GateVerdict, Judged
from upswarm.results.comparison.premises import Difference, circumstances, scenario_differences

_MOST_DIFFERENCES = 30


def comparison_markdown(judged: Judged) -> str:
    """One comparison; short enough for a comment."""
    comparison = judged.comparison
    letters = (comparison.base.letter, comparison.other.letter)
    blocks = [
        _head(comparison),
        _gates(judged.verdicts),
        _differences("Scenario", scenario_differences(comparison.base, comparison.other), letters),
        _differences("Machine and run", circumstances(comparison.base, comparison.other), letters),
        _figures(comparison, letters),
        _errors(comparison, letters),
        _ends(comparison),
    ]
    return "\n\n".join("\n".join(lines) for block in blocks if (lines := list(block))) + "\n"


def _head(comparison: Comparison) -> Iterator[str]:
    yield f"## Comparison: {told.tally(told.told(comparison))}"
    yield ""
    for side, role in ((comparison.base, "the base"), (comparison.other, "compared with it")):
        yield f"- {side.letter}: {code(side.name)}, {role}"
    for doubt in (*comparison.base.doubts, *comparison.other.doubts):
        yield f"- ⚠️ {prose(doubt)}"


def _gates(verdicts: Sequence[GateVerdict]) -> Iterator[str]:
    for each in verdicts:
        yield f"- {'❌' if each.fails else '✅'} fails if {code(each.gate.text)}: {prose(told.gate_line(each))}"


def _differences(heading: str, found: Sequence[Difference], letters: tuple[str, str]) -> Iterator[str]:
    if not found:
        yield f"{heading}: the same."
        return
    rows = [tuple(map(cell_code, (each.key, each.base, each.other))) for each in found[:_MOST_DIFFERENCES]]
    yield f"{heading}:"
    yield ""
    yield from table(("key", *letters), rows, numbers_from=9)
    if left := len(found) - len(rows):
        yield f"\nand {left} more."


def _figures(comparison: Comparison, letters: tuple[str, str]) -> Iterator[str]:
    rows = [_row(each) for each in told.told(comparison)]
    if not rows:
        yield "Neither side has any data."
        return
    yield from table(("metric", "word", *letters, "change", "99 % interval"), rows, numbers_from=2)
    if nothing := told.nothing(comparison):
        yield f"\nNone on either side: {nothing}."


def _row(change: Change) -> tuple[str, ...]:
    row = told.row(change)
    word = f"**{row.word}**" if row.word in {"better", "worse"} else row.word
    return (f"{row.metric} {row.aggregate}", word, row.base, row.other, row.change, row.noise)


def _errors(comparison: Comparison, letters: tuple[str, str]) -> Iterator[str]:
    rows = [(each.name, cell_code(each.kind), each.base, each.other) for each in told.error_rows(comparison)]
    if rows:
        yield from table(("failed", "kind", *letters), rows, numbers_from=2)


def _ends(comparison: Comparison) -> Iterator[str]:
    for side in (comparison.base, comparison.other):
        yield f"- {side.letter}: {prose(told.totals(side))}"
        yield f"- {side.letter}: {prose(told.verdicts(side), 1000)}; audit: {prose(told.audits(side))}"
