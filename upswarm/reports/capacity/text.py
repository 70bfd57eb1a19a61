"""A capacity in the terminal: a row for each load as soon as it has been tried, and at the end what they come to."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from upswarm import units
from upswarm.reports import rows
from upswarm.results.capacity import Capacity
from upswarm.results.steps import By, Step, Verdict, shown_time
from upswarm.results.thresholds import Threshold

_WIDTH = 100
_WIDTHS = (16, 12, 12, 12, 14, 10)
WORDS = {
    Verdict.HELD: "held",
    Verdict.BROKEN: "gave in",
    Verdict.UNCLEAR: "unclear",
    Verdict.GENERATOR: "generator",
    Verdict.FAILED: "no run",
}


def headline(name: str, by: By, wanted: Sequence[Threshold]) -> str:
    """What is searched, and the head of the table that follows."""
    objectives = ", ".join(each.text for each in wanted)
    what = textwrap.wrap(f"{name}: the most {by} that hold {objectives}", _WIDTH)
    head = _line(("load", "verdict", "p50", "p99", "goodput", "dropped"))
    return "\n".join([*what, "", f"p50 and p99 are those of {shown_time(wanted)}", head])


def row(step: Step, by: By) -> str:
    """One step, and below it what did not hold, or how the generator gave in."""
    cells = (
        by.amount(step.load),
        WORDS[step.verdict],
        rows.duration(step.p50_s),
        rows.duration(step.p99_s),
        units.format_bandwidth(step.goodput_bytes_per_s),
        f"{step.dropped:,}",
    )
    return "\n".join([_line(cells), *_reasons(step)])


def reasons(step: Step) -> list[str]:
    """Why a step does not count as held; nothing where it does."""
    if step.verdict is Verdict.HELD:
        return []
    if step.verdict in {Verdict.GENERATOR, Verdict.FAILED}:
        return list(step.strain)
    unsettled = [] if step.settled else ["nothing settled"]
    broken = [f"{each.objective}: {each.observed}{f' ({each.range})' if each.range else ''}" for each in step.gave_in]
    return [*unsettled, *broken, *step.strain]


def summary(capacity: Capacity) -> str:
    """The last sentence, in lines of at most 100 columns."""
    return "\n".join(textwrap.wrap(f"{capacity.sentence()} Exit code {capacity.exit_code}.", _WIDTH))


def _reasons(step: Step) -> Iterator[str]:
    for reason in reasons(step):
        yield from textwrap.wrap(reason, _WIDTH, initial_indent="    ", subsequent_indent="      ")


def _line(cells: tuple[str, ...]) -> str:
    padded = [f"{cell:{side}{width}}" for cell, side, width in zip(cells, "<<>>>>", _WIDTHS, strict=True)]
    return "".join(padded).rstrip()
