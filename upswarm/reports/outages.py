"""Outages that a run did not mark, in words: where its figures show one that nothing broken on purpose explains."""

from __future__ import annotations

from upswarm import units
from upswarm.reports import rows
from upswarm.reports.costs import cost_of
from upswarm.results.marks import Mark, MarkKind
from upswarm.results.outages import Outage, outages
from upswarm.results.run_file import Run

_SOON_S = 1.0
"""What begins so soon after a fault is over is still the fault's."""


def unexplained(run: Run) -> list[Outage]:
    """In the order of time; one that meets a fault which is marked is told of there."""
    faults = [mark for mark in run.marks if mark.kind is MarkKind.FAULT]
    return [each for each in outages(run.measurements, run.elapsed_s) if not any(_meets(each, mark) for mark in faults)]


def sentence(run: Run, outage: Outage) -> str:
    """What happened, and when, in one sentence without its full stop."""
    until = _clock(outage.end_s) if outage.over else f"the end of the run at {_clock(outage.end_s)}"
    return f"no request succeeded from {_clock(outage.start_s)} to {until}: {_meanwhile(run, outage)}"


def cost(run: Run, outage: Outage) -> str:
    """For how long, and what became of the goodput."""
    lasted = units.format_duration(outage.end_s - outage.start_s)
    goodput = cost_of(run, Mark(outage.start_s, MarkKind.NOTE, "", outage.end_s)).goodput()
    return f"{lasted} without a success; {goodput}. Found in the figures: no fault is marked there."


def _meanwhile(run: Run, outage: Outage) -> str:
    if not outage.failed:
        return "uploads were under way, and none of their requests was answered"
    kinds = ", ".join(_kinds(run, outage))
    return f"{rows.counted(outage.failed, 'attempt')} failed" + (f" ({kinds})" if kinds else "")


def _kinds(run: Run, outage: Outage) -> list[str]:
    """The kinds of failure whose examples are of that time, the most frequent of the run first."""
    counts: dict[str, int] = {}
    for phase, tally in run.measurements.phases.items():
        for kind, count in tally.failures.items():
            if any(outage.start_s <= each.at_s <= outage.end_s for each in run.measurements.examples.of(phase, kind)):
                counts[kind] = counts.get(kind, 0) + count
    return sorted(counts, key=lambda kind: -counts[kind])[:3]


def _meets(outage: Outage, mark: Mark) -> bool:
    until_s = mark.at_s if mark.until_s is None else mark.until_s
    return outage.start_s < until_s + _SOON_S and mark.at_s < outage.end_s


def _clock(at_s: float) -> str:
    return f"{at_s:.1f} s"
