"""A run as rows of text, the same for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from upswarm import units
from upswarm.results.histogram import Histogram
from upswarm.results.metrics import METRICS, Summary
from upswarm.results.run_file import Run
from upswarm.results.tallies import PhaseTally
from upswarm.results.thresholds import NO_DATA, Verdict
from upswarm.transfer.messages import Phase

NONE = "–"


@dataclass(frozen=True, slots=True)
class TimeRow:
    """One phase, or `upload` for whole uploads. Times are of what succeeded; `retries` of an upload are its phases'."""

    name: str
    count: str
    failed: str
    retries: str
    p50: str
    p95: str
    p99: str
    longest: str
    service_p50: str
    sent: str
    sent_per_s: str


def time_rows(run: Run) -> list[TimeRow]:
    """The phases that had attempts, in their order, then `upload`; nothing where no request was sent."""
    phases = [_phase_row(phase.value, tally, run.elapsed_s) for phase, tally in run.measurements.phases.items()
              if tally.attempts]  # fmt: skip
    return [*phases, _upload_row(run)] if phases else []


def stopped_attempts(run: Run) -> int:
    """The requests that were under way when the run ended: neither good nor failed, and without a time."""
    return sum(tally.stopped for tally in run.measurements.phases.values())


def remarks(run: Run) -> Iterator[str]:
    """What happened besides successes and failures: on purpose, for want of retries, and what going on again cost."""
    uploads, phases = run.measurements.uploads, run.measurements.phases.values()
    if cut := sum(tally.interrupted for tally in phases):
        yield (
            f"Attempts cut on purpose, which neither succeeded nor failed: {cut:,} "
            f"({uploads.interruptions:,} interruptions, {uploads.aborted:,} uploads aborted)"
        )
    if uploads.resent_bytes:
        restarts = counted(uploads.restarts, "restart")
        yield f"Sent more than once, of finished files: {units.format_size(uploads.resent_bytes)} ({restarts})"
    if unretried := sum(tally.unretried for tally in phases):
        yield f"Failed attempts not tried again, because the retry budget was spent: {unretried:,}"
    if _in_one_lane(run):
        yield "transfer.parallel_chunks had no effect: the server joins no parts, or files have less than two chunks"


def _in_one_lane(run: Run) -> bool:
    """In tus the request that joins parts is the finalize, and without parts there is none."""
    in_parts = run.scenario.get("transfer", {}).get("parallel_chunks", 1) > 1
    speaks_tus = run.scenario.get("target", {}).get("protocol") == "tus"
    joined = run.measurements.phases[Phase.FINALIZE].attempts > 0
    return speaks_tus and in_parts and run.measurements.uploads.finished > 0 and not joined


def note(verdict: Verdict) -> str:
    """What there is to say of a threshold besides what was observed."""
    if verdict.observed.partition(" (")[0] == NO_DATA:
        return "did not hold: not measured"
    return "" if verdict.holds else "did not hold"


def figure(summary: Summary, metric: str, aggregate: str) -> str:
    """A metric's value for people, or `no data`."""
    value = METRICS[metric].read(summary, aggregate)
    return NO_DATA if value is None else METRICS[metric].unit(aggregate).format(value)


def duration(value_s: float | None) -> str:
    """A time for people, or a dash."""
    return NONE if value_s is None else units.format_duration(value_s)


def _phase_row(name: str, tally: PhaseTally, elapsed_s: float) -> TimeRow:
    return TimeRow(
        name=name,
        count=f"{tally.attempts:,}",
        failed=f"{tally.failed:,}",
        retries=f"{tally.retries:,}",
        **_times(tally.response_time),
        service_p50=duration(tally.service_time.percentile_s(50)),
        sent=units.format_size(tally.bytes_sent),
        sent_per_s=units.format_bandwidth(tally.bytes_sent / elapsed_s) if elapsed_s else NONE,
    )


def _upload_row(run: Run) -> TimeRow:
    tally = run.measurements.uploads
    return TimeRow(
        name="upload",
        count=f"{tally.finished + tally.failed + tally.aborted + tally.stopped:,}",
        failed=f"{tally.failed:,}",
        retries=NONE,
        **_times(tally.response_time),
        service_p50=NONE,
        sent=figure(run.summary, "sent", "total"),
        sent_per_s=figure(run.summary, "sent", "mean"),
    )


def _times(times: Histogram) -> dict[str, str]:
    percentiles = {f"p{each}": duration(times.percentile_s(each)) for each in (50, 95, 99)}
    return {**percentiles, "longest": duration(times.max_s)}


def lasted(run: Run) -> str:
    """How long the run took, and of how long, where that was planned."""
    planned = "" if run.planned_s is None else f" of {units.format_duration(run.planned_s)} planned"
    return f"{units.format_duration(run.elapsed_s)}{planned}"


def load(run: Run) -> str:
    """How much was wanted, and what became of the arrivals, where uploads arrived by a schedule."""
    wanted, tally = run.workload or counted(run.peak_users, "user"), run.measurements.arrivals
    if tally.begun + tally.dropped == 0:
        return wanted
    begun = f"{counted(tally.begun, 'arrival')} begun, {tally.late:,} of them late"
    return f"{wanted}: {begun}, {tally.dropped:,} dropped"


def counted(count: int, noun: str, *, grouped: bool = True) -> str:
    """`1 user`, `1,200 users`; not `grouped`, `1200 users`."""
    return f"{count:{',' if grouped else ''}} {noun}{'' if count == 1 else 's'}"
