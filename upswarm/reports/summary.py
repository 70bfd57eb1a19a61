"""The end of a run in the terminal: what held first, then what happened, last what it comes to."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from upswarm.reports import facts, rows, workers
from upswarm.reports.classes import class_rows
from upswarm.reports.conclusion import PASSED, Conclusion
from upswarm.reports.failures import ExampleRow, failure_rows
from upswarm.results.run_file import Run
from upswarm.results.thresholds import NO_DATA, Verdict

_WIDTH = 100
_GREEN, _RED, _PLAIN = "\033[32m", "\033[31m", "\033[0m"
_MOST_FAILURES = 8
_OF_CLASSES = ("class", "finished", "failed", "p50", "p95", "p99", "chunk p95", "goodput")
_HEADINGS = ("phase", "count", "failed", "retries", "p50", "p95", "p99", "sent/s")


def terminal_summary(run: Run, *, colour: bool) -> str:
    """Lines of at most 100 columns; without `colour` there are no escapes in it, whatever the run's names are."""
    blocks = [
        [*_faults(run)],
        [*_warnings(run)],
        [*_verdicts(run, colour=colour)],
        [*_told(run)],
        [*_facts(run)],
        [*_times(run)],
        [*_classes(run)],
        [*_failures(run)],
        [*_conclusion(run, colour=colour)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _faults(run: Run) -> Iterator[str]:
    if run.generator_faults:
        yield "The load generator itself failed; nothing below counts as a verdict:"
    for fault in run.generator_faults:
        yield from textwrap.wrap(_printable(fault), _WIDTH, initial_indent="! ", subsequent_indent="  ")


def _warnings(run: Run) -> Iterator[str]:
    told = [*(f"Warning: {each}" for each in workers.warnings(run)), *(f"Note: {each}." for each in run.notes)]
    for sentence in told:
        yield from textwrap.wrap(_printable(sentence), _WIDTH, subsequent_indent="  ")


def _verdicts(run: Run, *, colour: bool) -> Iterator[str]:
    """Thresholds, and the audit. What a figure is about has a line of its own where there is no room beside it."""
    wide = _aligned(run.verdicts, apart=False)
    apart = max(map(len, wide), default=0) > _WIDTH - 2
    for verdict, line in zip(run.verdicts, _aligned(run.verdicts, apart=True) if apart else wide, strict=True):
        yield f"{_mark(verdict.holds, colour and not run.generator_faults)} {line}"
        if apart and (about := verdict.observed.partition(" (")[2]):
            yield _fit(f"    ({about}", _WIDTH)
    if run.audit is not None:
        head, *more = textwrap.wrap(_printable(f"audit: {facts.audit(run.audit)}"), _WIDTH - 2)
        yield from (f"{_mark(run.audit.holds, colour)} {head}", *(f"  {line}" for line in more))


def _aligned(verdicts: Sequence[Verdict], *, apart: bool) -> list[str]:
    """A line for each threshold, all columns one below the other."""
    cells = [(_fit(each.threshold, 44), _observed(each, apart=apart), rows.note(each)) for each in verdicts]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    padded = ((f"{text:{width}}" for text, width in zip(texts, widths, strict=True)) for texts in cells)
    return ["   ".join(columns).rstrip() for columns in padded]


def _mark(holds: bool, colour: bool) -> str:
    return _painted("✓" if holds else "✗", good=holds, colour=colour)


def _observed(verdict: Verdict, *, apart: bool) -> str:
    figure = _fit(verdict.observed.partition(" (")[0], 13) if apart else _fit(verdict.observed, _WIDTH)
    return figure if verdict.observed.startswith(NO_DATA) else f"observed {figure}"


def _told(run: Run) -> Iterator[str]:
    for sentence in (*facts.judging(run), *facts.faults(run)):
        yield from textwrap.wrap(_printable(sentence), _WIDTH, subsequent_indent="  ")


def _facts(run: Run) -> Iterator[str]:
    told = [
        f"{_fit(facts.name(run), 40)} against {_fit(run.target, 50)}",
        rows.load(run),
        rows.lasted(run),
        *facts.uploads(run),
    ]
    yield from _joined([_fit(each, _WIDTH) for each in (*told, workers.files(run)) if each])


def _joined(facts: list[str]) -> Iterator[str]:
    """One line, and where that is too long a second, broken between two facts."""
    line = facts[0]
    for fact in facts[1:]:
        if len(line) + len(fact) + 3 > _WIDTH:
            yield line
            line = fact
        else:
            line = f"{line} · {fact}"
    yield line


def _times(run: Run) -> Iterator[str]:
    table = rows.time_rows(run)
    if not table:
        yield "No request was sent, so there are no times to tell."
        return
    yield _columns(_HEADINGS)
    for row in table:
        yield _columns((row.name, row.count, row.failed, row.retries, row.p50, row.p95, row.p99, row.sent_per_s))
    if stopped := rows.stopped_attempts(run):
        yield f"Attempts under way when the run ended, which neither succeeded nor failed: {stopped:,}"
    yield from rows.remarks(run)


def _classes(run: Run) -> Iterator[str]:
    table = class_rows(run)
    if not table:
        return
    width = max(9, *(len(_fit(row.name, 20)) for row in table))
    yield _columns(_OF_CLASSES, width)
    for row in table:
        figures = (row.finished, row.failed, row.p50, row.p95, row.p99, row.chunk_p95, row.goodput)
        yield _columns((_fit(row.name, 20), *figures), width)


def _columns(cells: tuple[str, ...], width: int = 9) -> str:
    return f"{cells[0]:{width}}" + "".join(f"{cell:>10}" for cell in cells[1:-1]) + f"{cells[-1]:>15}"


def _failures(run: Run) -> Iterator[str]:
    table = failure_rows(run)
    if not table:
        if run.measurements.attempts:
            yield "No attempt and no upload failed."
        return
    shown, left = table[:_MOST_FAILURES], table[_MOST_FAILURES:]
    width = max(len(_fit(row.kind, 24)) for row in shown)
    for row in shown:
        head = f"{row.count:>7,} × {row.name:9} {_fit(row.kind, 24):{width}}   "
        yield from textwrap.wrap(row.meaning, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head))
        yield from (_example(each) for each in row.examples[:1])
    if left:
        yield f"{sum(row.count for row in left):>7,} × {rows.counted(len(left), 'other kind')}, which the report has"


def _example(example: ExampleRow) -> str:
    """What came of it stands first: the line may be too long for the rest."""
    words = [example.message, example.where, example.asked, example.said]
    return _fit(f"{'':10}{' · '.join(filter(None, words))}", _WIDTH)


def _conclusion(run: Run, *, colour: bool) -> Iterator[str]:
    conclusion = Conclusion.of(run)
    reason = f"{_printable(conclusion.sentence)} Exit code {conclusion.exit_code}."
    first, *more = textwrap.wrap(f"{conclusion.word}: {reason}", _WIDTH)
    word = _painted(conclusion.word, good=conclusion.word == PASSED, colour=colour)
    yield from (word + first.removeprefix(conclusion.word), *more)


def _painted(text: str, *, good: bool, colour: bool) -> str:
    return f"{_GREEN if good else _RED}{text}{_PLAIN}" if colour else text


def _fit(text: str, width: int) -> str:
    """A name from outside, on one line and no wider than this."""
    line = _printable(text)
    return line if len(line) <= width else f"{line[: width - 1]}…"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
