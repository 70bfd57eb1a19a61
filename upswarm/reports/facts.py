"""What there is to say of a run in a line or two each, the same for the terminal and for pull requests."""

from __future__ import annotations

from collections.abc import Iterator

from upswarm import units
from upswarm.reports import outages, rows
from upswarm.reports.costs import cost_of
from upswarm.results.audit_record import AuditRecord, Fate
from upswarm.results.marks import Mark, MarkKind
from upswarm.results.run_file import Run

_MOST_MARKS = 6


def name(run: Run) -> str:
    """The scenario's, or that it has none."""
    return str(run.scenario.get("name") or "unnamed")


def uploads(run: Run) -> list[str]:
    """What became of the uploads, and the goodput; nothing where no request was sent."""
    tally = run.measurements.uploads
    if not run.measurements.attempts:
        return []
    return [
        f"uploads {tally.finished:,} finished, {tally.failed:,} failed, {tally.stopped:,} stopped"
        + (f", {tally.aborted:,} aborted" if tally.aborted else ""),
        rows.counted(tally.resumes, "resume"),
        f"goodput mean {rows.figure(run.summary, 'goodput', 'mean')}",
        f"{rows.figure(run.summary, 'goodput', 'total')} finished",
    ]


def audit(record: AuditRecord) -> str:
    """How many files are what; the intact ones first."""
    counts = [f"{record.counts[fate]:,} {fate.value}" for fate in Fate if record.counts.get(fate)]
    checked = f" ({', '.join(record.checks)})" if record.checks else ""
    asked = f"{record.asked:,} of {rows.counted(record.promised, 'acknowledged file')} looked at{checked}"
    return f"{asked}: {', '.join(counts) or 'nothing'}"


def judging(run: Run) -> Iterator[str]:
    """What one has to know about the verdicts: who ended the run, and what they leave out."""
    if run.aborted_by:
        yield f"Ended early, for this threshold was broken: {run.aborted_by}"
    if run.settled is not None:
        yield f"Thresholds are judged without the warm-up, the first {units.format_duration(run.warm_up_s)}."


def faults(run: Run) -> Iterator[str]:
    """What was broken on purpose, when, and what became of it, and outages that nobody marked; of many the first."""
    broken = [mark for mark in run.marks if mark.kind is MarkKind.FAULT]
    yield from (f"At {_when(mark)} {mark.sentence}: {_cost(run, mark)}" for mark in broken[:_MOST_MARKS])
    if len(broken) > _MOST_MARKS:
        yield f"And {rows.counted(len(broken) - _MOST_MARKS, 'more fault')}, which the report has"
    found = outages.unexplained(run)
    yield from (f"Outage: {outages.sentence(run, each)}" for each in found[:_MOST_MARKS])
    if len(found) > _MOST_MARKS:
        yield f"And {rows.counted(len(found) - _MOST_MARKS, 'more outage')}, which the report has"


def _when(mark: Mark) -> str:
    until = "" if mark.until_s is None else f" to {mark.until_s:.1f} s"
    return f"{mark.at_s:.1f} s{until}"


def _cost(run: Run, mark: Mark) -> str:
    cost = cost_of(run, mark)
    return f"{rows.counted(cost.failed, 'attempt')} failed, {cost.silence()}"
