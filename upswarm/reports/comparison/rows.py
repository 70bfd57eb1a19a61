"""A comparison as rows of text, the same for the terminal, for Markdown and for the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from upswarm import units
from upswarm.reports.failures import meaning, most_first
from upswarm.results.comparison.comparison import Change, Comparison, Word
from upswarm.results.comparison.gate import GateVerdict
from upswarm.results.comparison.sides import Side
from upswarm.results.metrics import KEPT, Kind

NONE = "–"


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One figure: on either side, its change, between what it may lie with 99 %, and the word."""

    metric: str
    aggregate: str
    base: str
    other: str
    change: str
    noise: str
    word: str
    reason: str
    definition: str


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """How often one phase, or `upload`, failed in one way on either side."""

    name: str
    kind: str
    base: str
    other: str
    meaning: str


def told(comparison: Comparison) -> list[Change]:
    """What deserves a row on the first page: what is kept by interval, and of the rest what a word is known for."""
    return [each for each in with_data(comparison) if each.metric.name in KEPT or each.word is not Word.UNCLEAR]


def with_data(comparison: Comparison) -> list[Change]:
    """Figures with data on a side; without those whose events never happened on either."""
    return [each for each in comparison.changes if _has_data(each) and not is_nothing(each)]


def is_nothing(change: Change) -> bool:
    """Whether what it counts happened on neither side."""
    return change.metric.kind is Kind.EVENTS and change.base == 0 == change.other


def nothing(comparison: Comparison) -> str:
    """The metrics of events that happened on neither side."""
    return ", ".join(each.metric.name for each in comparison.changes if is_nothing(each))


def row(change: Change) -> ChangeRow:
    """A change for people."""
    return ChangeRow(
        metric=change.metric.name,
        aggregate=change.aggregate,
        base=value(change, change.base),
        other=value(change, change.other),
        change=_change(change, change.difference),
        noise=_noise(change),
        word=change.word.value,
        reason=change.reason,
        definition=change.metric.definition,
    )


def value(change: Change, figure: float | None) -> str:
    """In the metric's unit, or `no data`."""
    return "no data" if figure is None else change.metric.unit(change.aggregate).format(figure)


def tally(changes: Iterable[Change]) -> str:
    """`2 worse, 1 better, 14 same, 3 unclear`: the words that were said, the most important first."""
    counts = Counter(each.word for each in changes)
    order = (Word.WORSE, Word.BETTER, Word.DIFFERENT, Word.SAME, Word.UNCLEAR)
    return ", ".join(f"{counts[word]} {word}" for word in order if counts[word]) or "nothing to compare"


def error_rows(comparison: Comparison) -> list[ErrorRow]:
    """Every kind of failure that either side had, phase by phase, then `upload`; the most frequent first."""
    base, other = _failures(comparison.base), _failures(comparison.other)
    names = list(dict.fromkeys(name for name, _ in (*base, *other)))
    rows = [(name, kind) for name in names for kind, _ in most_first(_of(name, base + other))]
    return [ErrorRow(name, kind, f"{base[name, kind]:,}", f"{other[name, kind]:,}", meaning(kind))
            for name, kind in rows]  # fmt: skip


def totals(side: Side) -> str:
    """How much was sent at all, so that errors can be seen in proportion."""
    measured = side.summary.measurements
    failed = sum(tally.failed for tally in measured.phases.values())
    uploads = measured.uploads
    return (
        f"{measured.attempts:,} attempts, {failed:,} failed; uploads: {uploads.finished:,} finished, "
        f"{uploads.failed:,} failed, {uploads.stopped + uploads.aborted:,} stopped"
    )


def audits(side: Side) -> str:
    """What the audits found, run by run; `not audited` where there was none."""
    found = [run.audit for run in side.runs if run.audit is not None]
    if not found:
        return "not audited"
    counts = Counter({fate: 0 for each in found for fate in each.counts})
    for each in found:
        counts.update(each.counts)
    fates = ", ".join(f"{count:,} {fate}" for fate, count in counts.items() if count) or "nothing to look at"
    missing = f" ({len(side.runs) - len(found)} of {len(side.runs)} runs not audited)" * (len(found) < len(side.runs))
    return f"{fates}{missing}"


def verdicts(side: Side) -> str:
    """How each run ended, and what did not hold."""
    return "; ".join(f"{_verdict_of(side, at)}" for at in range(len(side.runs)))


def gate_line(verdict: GateVerdict) -> str:
    """What became of a gate: `12.0 ms → 15.1 ms, +25.8 %`, and why it fails or passes."""
    change = verdict.change
    figures = f"{value(change, change.base)} → {value(change, change.other)}"
    known = [] if change.difference is None else [_change(change, change.difference)]
    return ", ".join([figures, *known, *filter(None, [verdict.note])])


def signed(text: str, number: float) -> str:
    """A text for the size of a number, behind its sign."""
    return f"{'+' if number > 0 else '−' if number < 0 else '±'}{text}"


def _verdict_of(side: Side, at: int) -> str:
    run = side.runs[at]
    held = len(run.verdicts) - len(run.failed_verdicts)
    broken = "".join(f"; broken: {each.threshold} ({each.observed})" for each in run.failed_verdicts)
    return f"{run.run_id}: exit code {run.exit_code}, {held} of {len(run.verdicts)} thresholds held{broken}"


def _has_data(change: Change) -> bool:
    return change.base is not None or change.other is not None


def _change(change: Change, difference: float | None) -> str:
    """Of times and volumes as a share of the base's; of rates in percentage points."""
    if difference is None:
        return NONE
    if change.aggregate == "rate":
        return signed(_points(difference), difference)
    if not change.base:
        return signed(value(change, abs(difference)), difference) if difference else "±0 %"
    return signed(units.format_ratio(abs(difference / change.base)), difference)


def _noise(change: Change) -> str:
    """From where to where the change may lie."""
    if change.low is None or change.high is None:
        return NONE
    return f"{_change(change, change.low)} to {_change(change, change.high)}"


def _points(difference: float) -> str:
    return f"{abs(difference) * 100:.3g} pp"


def _failures(side: Side) -> Counter[tuple[str, str]]:
    measured = side.summary.measurements
    found: Counter[tuple[str, str]] = Counter()
    for phase, phase_tally in measured.phases.items():
        found.update({(phase.value, kind): count for kind, count in phase_tally.failures.items()})
    found.update({("upload", kind): count for kind, count in measured.uploads.failures.items()})
    return found


def _of(name: str, failures: Counter[tuple[str, str]]) -> dict[str, int]:
    return {kind: count for (each, kind), count in failures.items() if each == name}
