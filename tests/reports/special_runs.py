"""Synthetic runs with everything that a report may have to tell of, beside those of `runs`."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from tests.reports.runs import MIB, SCENARIO, Build, Users, run_of
from upswarm.results.audit_record import AuditRecord, Fate, Problem
from upswarm.results.generator import Health
from upswarm.results.marks import Mark, MarkKind
from upswarm.results.measurements import Measurements
from upswarm.results.run_file import Run, WorkerRecord
from upswarm.results.thresholds import Threshold
from upswarm.results.worker_series import WorkerSeries

HOURS_S = 36_000


def _flying(measured: Measurements, seconds: int, uploads: int) -> Measurements:
    for second in range(seconds):
        measured.record_in_flight(min(uploads, second + 1), second)
    return measured


@cache
def survived() -> Run:
    """The server was killed in the middle and came back; not a byte was lost."""
    measured = _flying(Users(11, down=(8.1, 12.9)).run(6, 30.0), 30, 6)
    marks = (
        Mark(0.0, MarkKind.STAGE, "6 users over 2 s"),
        Mark(8.0, MarkKind.FAULT, "the server was killed (SIGKILL)", 11.0),
        Mark(20.0, MarkKind.FAULT, "the network was slow: 40 ms more for every packet", 23.0),
        Mark(25.0, MarkKind.WORKER, "worker bench-2 joined and took a third of the files"),
    )
    finished = measured.uploads.finished
    audit = AuditRecord(
        finished, finished, ("size", "digest"), {Fate.INTACT: finished, Fate.ORPHANED: 1},
        (Problem(Fate.ORPHANED, "20250314-092653-evening-rush-000031", "b2f1", "the server has 8.0 MiB of it"),),
        took_s=2.1, read_bytes=finished * 8 * MIB, audited_at="2025-03-14T09:27:40+00:00",
    )  # fmt: skip
    verdicts = (Threshold.parse("upload.failed count <= 6"), Threshold.parse("chunk.response_time p99 < 400ms"))
    run = run_of(measured, elapsed_s=30.2, planned_s=30.0, peak_users=6, marks=marks, audit=audit)
    sent = sum(tally.bytes_sent for tally in measured.phases.values())
    server = {'upswarm_received_bytes_total{route="/v1/uploads"}': sent - 5.0 * MIB, "upswarm_files": finished + 1.0}
    return replace(run, verdicts=tuple(each.judge(run.summary) for each in verdicts), server=server)


@cache
def broken_promises() -> Run:
    """All thresholds held, and files are gone."""
    problems = (
        Problem(Fate.MISSING, "20250314-092653-evening-rush-000012", "9f3c", "expected 8.0 MiB, found nothing: 404"),
        Problem(Fate.CORRUPT, "20250314-092653-evening-rush-000044", "77aa", "expected crc32c 1b2c, found 00ff"),
    )
    counts = {Fate.INTACT: 190, Fate.MISSING: 1, Fate.CORRUPT: 1, Fate.UNVERIFIABLE: 2}
    notes = ("2 files could not be read back: the server offers no download",)
    audit = AuditRecord(194, 194, ("size", "digest"), counts, problems, notes)
    return run_of(Users(1).run(4, 20.0), audit=audit)


@cache
def saturated() -> Run:
    """The generator was the bottleneck, a worker was lost, and that is what the run comes to: no verdict."""
    busy = Health(0.05, 0.3, 0.98, 1.0, 0.9, 20, 90 * MIB)
    workers = [
        WorkerRecord(f"bench-{number}_7f3a", f"host-{number}", False, busy, 40 + number, number * 400 * MIB,
                     series=_series(number, 20))
        for number in (1, 2, 3)
    ]  # fmt: skip
    workers[2] = replace(workers[2], lost=True, left_s=12.0, series=_series(3, 12))
    faults = ("worker bench-3_7f3a was lost before it had reported everything",)
    marks = (Mark(12.0, MarkKind.WORKER, "worker bench-3_7f3a was lost"),)
    return run_of(_flying(Users(3).run(9, 20.0), 20, 9), workers=tuple(workers), generator_faults=faults, marks=marks)


@cache
def classes() -> Run:
    """Three classes of files, and a warm-up."""
    measured, settled = Measurements(), Measurements()
    names = ("photos", "videos", "a class with a long name, and <angles>")
    for seed, name in enumerate(names, 21):
        measured.add(Users(seed, file_class=name).run(2, 20.0))
        settled.add(Users(seed, file_class=name).run(2, 15.0))
    scenario = {**SCENARIO, "files": [{"name": name, "size": {"fixed": MIB}} for name in names]}
    marks = (Mark(5.0, MarkKind.STAGE, "the warm-up is over"),)
    return run_of(measured, scenario=scenario, warm_up_s=5.0, settled=settled, marks=marks)


@cache
def hundred_workers(hours: bool = False) -> Run:
    """A hundred workers for twenty seconds, or for ten hours."""
    measured = _flying(Users(31).run(8, 20.0), 20, 100)
    elapsed_s = 20.3
    if hours:
        elapsed_s = float(HOURS_S)
        busy = measured.seconds[5]
        measured.seconds = {second: replace(busy, failed=second % 997 == 0) for second in range(HOURS_S)}
        once = measured.intervals
        measured.intervals = type(once)()
        for at, each in once.items():
            measured.intervals._covering(at * HOURS_S / 20.5).add(each)
    well = Health(0.002, 0.01, 0.3)
    stretches, width_s = (141, 256) if hours else (20, 1)
    workers = tuple(
        WorkerRecord(f"bench-{number}_{number:032x}", f"host-{number % 10}", False, well, number, number * MIB,
                     series=_series(number, stretches, width_s))
        for number in range(1, 101)
    )  # fmt: skip
    return run_of(measured, elapsed_s=elapsed_s, planned_s=elapsed_s, workers=workers, peak_users=100)


def ten_hours() -> Run:
    """As long as nobody watches."""
    return hundred_workers(hours=True)


@cache
def empty() -> Run:
    """A run in which nothing was wanted and nothing happened."""
    return run_of(Measurements(), elapsed_s=3.0, verdicts=(), workers=())


def _series(number: int, stretches: int, width_s: int = 1) -> WorkerSeries:
    sent = tuple((30 + number % 7 + at % 5) * MIB * width_s for at in range(stretches))
    nothing = (0,) * stretches
    return WorkerSeries(width_s, nothing, nothing, sent, sent, (3,) * stretches)


SPECIAL_RUNS: dict[str, Build] = {
    "survived": survived,
    "broken-promises": broken_promises,
    "saturated": saturated,
    "classes": classes,
    "hundred-workers": hundred_workers,
    "ten-hours": ten_hours,
    "empty": empty,
}
