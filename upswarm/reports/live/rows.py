"""A run that goes on as rows of text, the same for the tabs in Locust's page and for the live page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from upswarm import units
from upswarm.reports.failures import meaning, most_first
from upswarm.reports.rows import NONE, duration
from upswarm.results.histogram import Histogram

if TYPE_CHECKING:
    from upswarm.reports.live.live import Live, LiveWorker

_PERCENTILES = (50, 90, 95, 99)


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """One phase, or `upload` for whole uploads; times are of what succeeded."""

    name: str
    count: str
    failed: str
    retries: str
    p50: str
    p90: str
    p95: str
    p99: str
    max: str
    sent: str


@dataclass(frozen=True, slots=True)
class FailureKindRow:
    """How often one phase, or `upload`, failed in one way, and what that means."""

    name: str
    kind: str
    count: str
    meaning: str


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker; `troubled` is one that is lost, out of CPU time, or late."""

    name: str
    host: str
    state: str
    in_flight: str
    goodput: str
    cpu: str
    lag: str
    memory: str
    reports: str
    age: str
    troubled: bool


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """A threshold as it stands: `standing` in words, and `tone` is `holds`, `broken` or `open`."""

    threshold: str
    observed: str
    standing: str
    tone: str


def phases(live: Live) -> Iterator[PhaseRow]:
    """The phases that had attempts, in their order, then `upload`; nothing where no request was sent."""
    measured, uploads = live.measurements, live.measurements.uploads
    for phase, tally in measured.phases.items():
        if tally.attempts:
            yield PhaseRow(
                name=phase.value,
                count=f"{tally.attempts:,}",
                failed=f"{tally.failed:,}",
                retries=f"{tally.retries:,}",
                **_times(tally.response_time),
                sent=units.format_size(tally.bytes_sent),
            )
    if measured.attempts:
        yield PhaseRow(
            name="upload",
            count=f"{uploads.finished + uploads.failed + uploads.aborted + uploads.stopped:,}",
            failed=f"{uploads.failed:,}",
            retries=NONE,
            **_times(uploads.response_time),
            sent=units.format_size(uploads.finished_bytes),
        )


def failures(live: Live) -> Iterator[FailureKindRow]:
    """Phase by phase, then `upload`: the most frequent first."""
    measured = live.measurements
    named = [*((phase.value, tally.failures) for phase, tally in measured.phases.items())]
    for name, kinds in [*named, ("upload", measured.uploads.failures)]:
        for kind, count in most_first(kinds):
            yield FailureKindRow(name, kind, f"{count:,}", meaning(kind).replace("`", ""))


def workers(live: Live) -> Iterator[WorkerRow]:
    """In the order of the run file."""
    yield from map(_worker, live.workers)


def thresholds(live: Live) -> Iterator[ThresholdRow]:
    """While a run goes on, none of them is decided."""
    words = {"holds": "held", "broken": "did not hold", "open": "did not hold: not measured"}
    if live.conclusion is None:
        words = {"holds": "holds so far", "broken": "does not hold so far", "open": "no data yet"}
    for verdict in live.verdicts:
        tone = "open" if not verdict.has_data else "holds" if verdict.holds else "broken"
        yield ThresholdRow(verdict.threshold, verdict.observed, words[tone], tone)


def standing(worker: LiveWorker) -> str:
    """Its state, and whether it is at its own limit."""
    if worker.health.saturated:
        return f"{worker.state}, no CPU time left"
    return f"{worker.state}, late" if worker.health.late else worker.state


def elapsed(live: Live) -> str:
    """How long the run goes on, or went on, and of how long, where that is planned."""
    planned = "" if live.planned_s is None else f" of {_clock(live.planned_s)} planned"
    return f"{_clock(live.elapsed_s)}{planned}"


def _clock(value_s: float) -> str:
    """Whole seconds: the page shows another number every other second."""
    return f"{value_s:.0f} s" if value_s < 60 else units.format_duration(value_s)


def _times(times: Histogram) -> dict[str, str]:
    percentiles = {f"p{each}": duration(times.percentile_s(each)) for each in _PERCENTILES}
    return {**percentiles, "max": duration(times.max_s)}


def _worker(worker: LiveWorker) -> WorkerRow:
    health = worker.health
    return WorkerRow(
        name=worker.worker_id,
        host=worker.host or NONE,
        state=standing(worker),
        in_flight=f"{worker.in_flight:,}",
        goodput=NONE if worker.goodput_per_s is None else units.format_bandwidth(worker.goodput_per_s),
        cpu=NONE if health.cpu_mean_ratio is None else f"{health.cpu_mean_ratio * 100:.0f} %",
        lag=duration(health.lag_p99_s),
        memory=units.format_size(health.peak_rss_bytes) if health.peak_rss_bytes else NONE,
        reports=f"{worker.reports:,}",
        age=NONE if worker.age_s is None else f"{worker.age_s:.0f} s ago",
        troubled=worker.state.startswith("lost") or health.saturated or health.late,
    )
