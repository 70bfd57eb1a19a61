"""What a run is told in to Prometheus and OpenTelemetry: a table of metrics, and their values in a run.

They are of the run that goes on, or of the last one, and begin at 0 with each run. docs/watching.md has the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from upswarm.reports.live.live import Live, State
from upswarm.results.histogram import Histogram

PREFIX = "upswarm_load_"
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Row(NamedTuple):
    """One metric, as a scrape and the documentation name it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


class Sample(NamedTuple):
    """A value of a metric; `labels` are the values of the row's."""

    name: str
    labels: tuple[str, ...]
    value: float | Histogram


# ruff: noqa: E501 - a table is read by its columns
# fmt: off
TABLE = (
    Row("upswarm_load_run_info", "gauge", ("run_id", "scenario"), "Always 1; its labels say which run the other figures are of."),
    Row("upswarm_load_running", "gauge", (), "1 while a run goes on, else 0."),
    Row("upswarm_load_elapsed_seconds", "gauge", (), "How long the run goes on, or went on."),
    Row("upswarm_load_planned_seconds", "gauge", (), "How long it is planned to; absent where nobody knows."),
    Row("upswarm_load_users", "gauge", (), "Users now; in an open load these are slots."),
    Row("upswarm_load_in_flight_uploads", "gauge", (), "Uploads under way now, as far as workers have reported."),
    Row("upswarm_load_attempts_total", "counter", ("phase",), "Requests that were sent, retries included."),
    Row("upswarm_load_failed_attempts_total", "counter", ("phase", "kind"), "Requests that failed, by the kinds of docs/failures.md."),
    Row("upswarm_load_retries_total", "counter", ("phase",), "Requests that were not the first try."),
    Row("upswarm_load_sent_bytes_total", "counter", ("phase",), "Bytes of request bodies that were sent."),
    Row("upswarm_load_response_time_seconds", "histogram", ("phase",), "From when a request was due to the end of its answer; successful ones."),
    Row("upswarm_load_uploads_total", "counter", ("end",), "Uploads that ended: finished, failed, aborted or stopped."),
    Row("upswarm_load_failed_uploads_total", "counter", ("kind",), "Uploads that failed, by what made them fail."),
    Row("upswarm_load_finished_bytes_total", "counter", (), "Bytes of finished files: their rate is goodput."),
    Row("upswarm_load_upload_response_time_seconds", "histogram", (), "From when an upload was due to its end; finished ones."),
    Row("upswarm_load_resumes_total", "counter", (), "Times an upload asked what the server holds, and went on."),
    Row("upswarm_load_interruptions_total", "counter", (), "Times an upload was interrupted on purpose."),
    Row("upswarm_load_arrivals_total", "counter", (), "Arrivals of an open load that have begun."),
    Row("upswarm_load_late_arrivals_total", "counter", (), "Those of them that began late."),
    Row("upswarm_load_dropped_arrivals_total", "counter", (), "Arrivals for which there was no room."),
    Row("upswarm_load_threshold_holds", "gauge", ("threshold",), "1 while the threshold holds, 0 while it does not, or has no data."),
    Row("upswarm_load_workers", "gauge", (), "Processes that upload, the lost ones included."),
    Row("upswarm_load_lost_workers", "gauge", (), "Those of them that are lost."),
    Row("upswarm_load_worker_lag_p99_seconds", "gauge", ("worker",), "How late a worker's event loop ran, p99 of the run."),
    Row("upswarm_load_worker_cpu_ratio", "gauge", ("worker",), "A worker's share of one core, mean of the run."),
)
# fmt: on


def samples(live: Live) -> Iterator[Sample]:
    """Every value that is known; before the first run there is none but that no run goes on."""
    for name, labels, value in _values(live):
        yield Sample(PREFIX + name, labels, value)


_Values = Iterator[tuple[str, tuple[str, ...], float | Histogram]]


def _values(live: Live) -> _Values:
    yield "running", (), live.state is State.RUNNING
    if live.state is State.NONE:
        return
    yield "run_info", (live.run_id, live.scenario), 1
    yield "elapsed_seconds", (), live.elapsed_s
    if live.planned_s is not None:
        yield "planned_seconds", (), live.planned_s
    yield "users", (), live.users
    yield "in_flight_uploads", (), live.in_flight
    for verdict in live.verdicts:
        yield "threshold_holds", (verdict.threshold,), verdict.holds
    yield from _attempts(live)
    yield from _uploads(live)
    yield from _workers(live)


def _attempts(live: Live) -> _Values:
    for phase, tally in live.measurements.phases.items():
        labels = (phase.value,)
        yield "attempts_total", labels, tally.attempts
        yield "retries_total", labels, tally.retries
        yield "sent_bytes_total", labels, tally.bytes_sent
        yield "response_time_seconds", labels, tally.response_time
        for kind, count in tally.failures.items():
            yield "failed_attempts_total", (phase.value, kind), count


def _uploads(live: Live) -> _Values:
    uploads, arrivals = live.measurements.uploads, live.measurements.arrivals
    for end in ("finished", "failed", "aborted", "stopped"):
        yield "uploads_total", (end,), getattr(uploads, end)
    for kind, count in uploads.failures.items():
        yield "failed_uploads_total", (kind,), count
    yield "finished_bytes_total", (), uploads.finished_bytes
    yield "upload_response_time_seconds", (), uploads.response_time
    yield "resumes_total", (), uploads.resumes
    yield "interruptions_total", (), uploads.interruptions
    yield "arrivals_total", (), arrivals.begun
    yield "late_arrivals_total", (), arrivals.late
    yield "dropped_arrivals_total", (), arrivals.dropped


def _workers(live: Live) -> _Values:
    yield "workers", (), len(live.workers)
    yield "lost_workers", (), sum(worker.state.startswith("lost") for worker in live.workers)
    for worker in live.workers:
        if worker.health.lag_p99_s is not None:
            yield "worker_lag_p99_seconds", (worker.worker_id,), worker.health.lag_p99_s
        if worker.health.cpu_mean_ratio is not None:
            yield "worker_cpu_ratio", (worker.worker_id,), worker.health.cpu_mean_ratio


def cumulative(times: Histogram) -> list[tuple[float, int]]:
    """How many times were no longer than each of the buckets' ends; counted exactly, in HDR's own places."""
    found, total, counts = [], 0, iter(times.counts())
    next_s, count = next(counts, (float("inf"), 0))
    for end_s in BUCKETS_S:
        while next_s <= end_s:
            total += count
            next_s, count = next(counts, (float("inf"), 0))
        found.append((end_s, total))
    return found


def markdown(rows: Iterable[Row] = TABLE) -> str:
    """The table of docs/watching.md."""
    lines = ["| metric | kind | labels | tells |", "|---|---|---|---|"]
    lines += [f"| `{r.name}` | {r.kind} | {', '.join(f'`{each}`' for each in r.labels)} | {r.help} |" for r in rows]
    return "\n".join(lines)
