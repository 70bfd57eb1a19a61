"""Every metric in one table: its name, what is divided by what, its unit, and how it is read.

`docs/metrics.md` is written from this table (`python -m upswarm.results.metrics`); thresholds may name nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from upswarm.results.measurements import Measurements
from upswarm.results.metric import Kind, Metric, Summary
from upswarm.transfer.messages import Phase

__all__ = ["KEPT", "METRICS", "Kind", "Metric", "Summary", "markdown"]


def _of_phase(phase: Phase) -> Iterator[Metric]:
    yield Metric(
        f"{phase}.response_time", Kind.TIME,
        "from when the request was due to the end of its answer; successful attempts",
        lambda measured: measured.phases[phase].response_time,
    )  # fmt: skip
    yield Metric(
        f"{phase}.service_time", Kind.TIME,
        "from when the request was sent to the end of its answer; successful attempts",
        lambda measured: measured.phases[phase].service_time,
    )  # fmt: skip
    yield Metric(
        f"{phase}.connect_time", Kind.TIME,
        "until a new connection stood, with name, proxy and TLS; successful attempts that needed one",
        lambda measured: measured.phases[phase].connect_time,
    )  # fmt: skip
    yield Metric(
        f"{phase}.send_time", Kind.TIME,
        "from when the connection stood until the system had taken the last byte; successful attempts",
        lambda measured: measured.phases[phase].send_time,
    )  # fmt: skip
    yield Metric(
        f"{phase}.wait_time", Kind.TIME,
        "from when all was sent until the first byte of the answer; successful attempts",
        lambda measured: measured.phases[phase].wait_time,
    )  # fmt: skip
    yield Metric(
        f"{phase}.attempts", Kind.EVENTS,
        "requests sent, retries included; rate: of the attempts of all phases",
        lambda measured: (measured.phases[phase].attempts, measured.attempts),
    )  # fmt: skip
    yield Metric(
        f"{phase}.failed", Kind.EVENTS,
        "attempts that failed, also where a retry then succeeded; rate: of this phase's attempts",
        lambda measured: (measured.phases[phase].failed, measured.phases[phase].attempts),
    )  # fmt: skip
    yield Metric(
        f"{phase}.retries", Kind.EVENTS,
        "attempts that repeat a request; rate: of this phase's attempts",
        lambda measured: (measured.phases[phase].retries, measured.phases[phase].attempts),
    )  # fmt: skip


def _of_uploads() -> Iterator[Metric]:
    def ended(measured: Measurements) -> int:
        return measured.uploads.finished + measured.uploads.failed

    yield Metric(
        "upload.response_time", Kind.TIME,
        "from when an upload was due to its receipt, with all retries, pauses and resumes, but without the time away "
        "on purpose (`transfer.interrupt`); finished uploads",
        lambda measured: measured.uploads.response_time,
    )  # fmt: skip
    yield Metric(
        "upload.finished", Kind.EVENTS,
        "uploads whose file the server has acknowledged; rate: of the uploads that finished or failed",
        lambda measured: (measured.uploads.finished, ended(measured)),
    )  # fmt: skip
    yield Metric(
        "upload.failed", Kind.EVENTS,
        "uploads given up after all retries; rate: of the uploads that finished or failed",
        lambda measured: (measured.uploads.failed, ended(measured)),
    )  # fmt: skip
    yield Metric(
        "upload.aborted", Kind.EVENTS,
        "uploads that their users gave up on purpose (`transfer.abort`); rate: of the uploads that finished, failed or "
        "were aborted",
        lambda measured: (measured.uploads.aborted, ended(measured) + measured.uploads.aborted),
    )  # fmt: skip
    yield Metric(
        "upload.interruptions", Kind.EVENTS,
        "times that an upload was cut on purpose (`transfer.interrupt`); rate: per upload that finished or failed",
        lambda measured: (measured.uploads.interruptions, ended(measured)),
        share=False,
    )  # fmt: skip
    yield Metric(
        "upload.resumes", Kind.EVENTS,
        "times that an upload asked what the server holds and went on; rate: per upload that finished or failed",
        lambda measured: (measured.uploads.resumes, ended(measured)),
        share=False,
    )  # fmt: skip
    yield Metric(
        "upload.restarts", Kind.EVENTS,
        "times that an upload began anew, for the server had forgotten it; rate: per upload that finished or failed",
        lambda measured: (measured.uploads.restarts, ended(measured)),
        share=False,
    )  # fmt: skip
    yield Metric(
        "unretried", Kind.EVENTS,
        "failed attempts that were not tried again because `transfer.retry.budget` was spent; rate: of the attempts of "
        "all phases",
        lambda measured: (sum(tally.unretried for tally in measured.phases.values()), measured.attempts),
    )  # fmt: skip


def _of_arrivals() -> Iterator[Metric]:
    def due(measured: Measurements) -> int:
        return measured.arrivals.begun + measured.arrivals.dropped

    yield Metric(
        "arrivals.lateness", Kind.TIME,
        "from when an arrival of an open load was due to when its upload began; arrivals that began",
        lambda measured: measured.arrivals.lateness,
    )  # fmt: skip
    yield Metric(
        "arrivals.late", Kind.EVENTS,
        "arrivals whose upload began more than 10 ms after they were due; rate: of those that were due",
        lambda measured: (measured.arrivals.late, due(measured)),
    )  # fmt: skip
    yield Metric(
        "arrivals.dropped", Kind.EVENTS,
        "arrivals that found all slots taken and were never sent; rate: of those that were due",
        lambda measured: (measured.arrivals.dropped, due(measured)),
    )  # fmt: skip


def _of_volumes() -> Iterator[Metric]:
    yield Metric(
        "goodput", Kind.VOLUME,
        "bytes of finished files; mean: divided by the seconds of the run",
        lambda measured: measured.uploads.finished_bytes,
    )  # fmt: skip
    yield Metric(
        "sent", Kind.VOLUME,
        "body bytes of all attempts, failed ones and retries included; mean: divided by the seconds of the run",
        lambda measured: sum(tally.bytes_sent for tally in measured.phases.values()),
    )  # fmt: skip
    yield Metric(
        "resent", Kind.VOLUME,
        "bytes of finished files that went out more than once, which is what resumes, restarts and retries of chunks "
        "cost; mean: divided by the seconds of the run",
        lambda measured: measured.uploads.resent_bytes,
    )  # fmt: skip


def _of_connections() -> Iterator[Metric]:
    def reused(measured: Measurements) -> tuple[int, int]:
        tallies = measured.phases.values()
        events = sum(tally.reused for tally in tallies)
        return events, events + sum(tally.connected for tally in tallies)

    yield Metric(
        "connections.reused", Kind.EVENTS,
        "attempts over a connection that stood already; rate: of the attempts that had one",
        reused,
    )  # fmt: skip


def _of_the_generator() -> Iterator[Metric]:
    yield Metric(
        "generator.lag", Kind.TIME,
        "how late a worker's event loop wakes up, looked at every 50 ms; all workers",
        lambda measured: measured.generator.lag,
    )  # fmt: skip
    yield Metric(
        "generator.cpu", Kind.USE,
        "the share of one core that a worker used in a second; over all seconds of all workers",
        lambda measured: measured.generator.cpu,
    )  # fmt: skip


_OF_PHASES, _OF_UPLOADS = ("response_time", "attempts", "failed", "retries"), ("response_time", "finished", "failed")
KEPT = (
    "goodput",
    "sent",
    *(f"upload.{name}" for name in (*_OF_UPLOADS, "resumes")),
    *(f"{phase}.{name}" for phase in Phase for name in _OF_PHASES),
)
"""The metrics that are kept by interval, and so can be read of the last seconds, and judged in batches."""
_OF_PARTS = (
    *_of_volumes(),
    *_of_uploads(),
    *_of_connections(),
    *(metric for phase in Phase for metric in _of_phase(phase)),
)
METRICS: dict[str, Metric] = {
    **{each.name: replace(each, by_part=True, by_interval=each.name in KEPT) for each in _OF_PARTS},
    **{each.name: each for each in (*_of_arrivals(), *_of_the_generator())},
}


def markdown() -> str:
    """The table as `docs/metrics.md` holds it."""
    rows = [
        f"| `{each.name}` | {each.definition} | {', '.join(each.kind.aggregates)} | {_units(each)} | {_asked(each)} |"
        for each in METRICS.values()
    ]
    return "\n".join(["| metric | what it is | aggregates | unit | also of |", "|---|---|---|---|---|", *rows])


def _units(metric: Metric) -> str:
    """One for each aggregate, or one for all."""
    found = [metric.unit(each.partition(" ")[0]).name for each in metric.kind.aggregates]
    return ", ".join(dict.fromkeys(found))


def _asked(metric: Metric) -> str:
    """What parts of a run it can be read of."""
    return ", ".join([*(["class, worker"] if metric.by_part else []), *(["window"] if metric.by_interval else [])])


if __name__ == "__main__":
    print(markdown())
