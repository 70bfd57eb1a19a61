"""A run as rows of text, the same for the terminal and for the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from upswarm import units
from upswarm.results.histogram import Histogram
from upswarm.results.measurements import PhaseTally, UploadTally
from upswarm.results.metrics import METRICS, Summary
from upswarm.results.run_file import Run
from upswarm.results.thresholds import NO_DATA, Verdict
from upswarm.transfer.failures import Failure

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


@dataclass(frozen=True, slots=True)
class FailureRow:
    """How often one phase, or `upload`, failed in one way, and what that means."""

    name: str
    kind: str
    count: int
    meaning: str


def time_rows(run: Run) -> list[TimeRow]:
    """The phases that had attempts, in their order, then `upload`; nothing where no request was sent."""
    phases = [_phase_row(phase.value, tally, run.elapsed_s) for phase, tally in run.measurements.phases.items()
              if tally.attempts]  # fmt: skip
    return [*phases, _upload_row(run)] if phases else []


def failure_rows(run: Run) -> list[FailureRow]:
    """Phase by phase, then `upload`: the most frequent first."""
    tallies: list[tuple[str, PhaseTally | UploadTally]] = [*run.measurements.phases.items()]
    return [row for name, tally in (*tallies, ("upload", run.measurements.uploads))
            for row in _failures(name, tally.failures)]  # fmt: skip


def stopped_attempts(run: Run) -> int:
    """The requests that were under way when the run ended: neither good nor failed, and without a time."""
    return sum(tally.stopped for tally in run.measurements.phases.values())


def note(verdict: Verdict) -> str:
    """What there is to say of a threshold besides what was observed."""
    if verdict.observed == NO_DATA:
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
        count=f"{tally.finished + tally.failed + tally.stopped:,}",
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


def _failures(name: str, failures: Counter[str]) -> Iterator[FailureRow]:
    for kind, count in sorted(failures.items(), key=lambda item: (-item[1], item[0])):
        yield FailureRow(name, kind, count, _meaning(kind))


def _meaning(kind: str) -> str:
    """A kind is written with its HTTP status behind it; another version of upswarm may have kinds of its own."""
    word = kind.partition(" ")[0]
    return Failure(word).meaning if word in set(Failure) else "a kind that this upswarm does not know"


def counted(count: int, noun: str, *, grouped: bool = True) -> str:
    """`1 user`, `1,200 users`; not `grouped`, `1200 users`."""
    return f"{count:{',' if grouped else ''}} {noun}{'' if count == 1 else 's'}"
