"""The findings in the terminal: what was tried and seen as a table, what it comes to as sentences."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator

from upswarm import units
from upswarm.errors import EXIT_OK
from upswarm.probing.aftermath import Aftermath
from upswarm.probing.findings import Findings
from upswarm.probing.sentences import evidence, sentences

_WIDTH = 100
_GREEN, _RED, _PLAIN = "\033[32m", "\033[31m", "\033[0m"
_HEADINGS = ("cut after", "by", "asked after", "sent", "held", "finished", "file")
_NONE = "–"


def terminal_text(findings: Findings, *, colour: bool) -> str:
    """Lines of at most 100 columns; without `colour` there are no escapes in it, whatever a server has said."""
    blocks = [
        [*_wrapped(_facts(findings))],
        [*_table(findings)],
        [*_evidence(findings)],
        [*_verdict(findings, colour=colour)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _facts(findings: Findings) -> str:
    chunk, size = units.format_size(findings.grid.chunk_size_bytes), units.format_size(findings.grid.size_bytes)
    cuts = f"{len(findings.aftermaths)} uploads of {size} cut in chunks of {chunk}"
    seconds = units.format_duration(findings.elapsed_s)
    return f"{findings.protocol_name} at {findings.target_url} · {cuts} · {seconds}"


def _table(findings: Findings) -> Iterator[str]:
    yield _columns(_HEADINGS)
    for each in findings.aftermaths:
        yield _columns(_cells(each))
    for note, count in Counter(note for each in findings.aftermaths for note in each.notes).items():
        yield from _wrapped(note, f"{count:>7} × ", " " * 10)
    for note in findings.notes:
        yield from _wrapped(f"without a cut: {note}", " " * 10, " " * 10)


def _cells(each: Aftermath) -> tuple[str, ...]:
    sent, held = f"{each.sent_bytes:,} B", _NONE if each.kept is None else f"{each.held_bytes:,} B"
    resumes = f"{each.resumes} resume{'' if each.resumes == 1 else 's'}"
    finished = {True: resumes, False: "no", None: _NONE}[each.finished]
    asked = units.format_duration(each.asked_s)
    file = each.check.value if each.finished else _NONE
    return each.cut.point.value, each.cut.ending.value, asked, sent, held, finished, file


def _columns(cells: tuple[str, ...]) -> str:
    first, ending, *numbers, finished, file = cells
    return f"{first:13}{ending:5}" + "".join(f"{cell:>13}" for cell in numbers) + f"{finished:>13}   {file}"


def _evidence(findings: Findings) -> Iterator[str]:
    for name, seen in evidence(findings.buffering):
        yield from _wrapped(seen, f"{name:15}", " " * 15)


def _verdict(findings: Findings, *, colour: bool) -> Iterator[str]:
    *others, last = sentences(findings)
    for sentence in others:
        yield from _wrapped(sentence)
    first, *more = _wrapped(last)
    word, _, rest = first.partition(" ")
    painted = f"{_GREEN if findings.exit_code == EXIT_OK else _RED}{word}{_PLAIN}" if colour else word
    yield from (f"{painted} {rest}", *more)


def _wrapped(text: str, first: str = "", following: str = "") -> list[str]:
    printable = "".join(letter if letter.isprintable() else "?" for letter in text)
    return textwrap.wrap(printable, _WIDTH, initial_indent=first, subsequent_indent=following)
