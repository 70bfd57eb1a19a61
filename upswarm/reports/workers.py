"""How the generator fared: its workers as rows of text, and where the time of their requests went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from upswarm import units
from upswarm.reports import rows
from upswarm.results import generator
from upswarm.results.generator import Health
from upswarm.results.histogram import Histogram
from upswarm.results.run_file import Run, WorkerRecord
from upswarm.results.tallies import PhaseTally


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One process that uploaded; dashes where it did not tell."""

    worker_id: str
    host: str
    cpu: str
    lag: str
    memory: str
    share: str
    report: str
    lost: bool
    saturated: bool
    late: bool


@dataclass(frozen=True, slots=True)
class PartRow:
    """Where the time of one phase's successful requests went: shares of their service time, and each part's p95."""

    name: str
    shares: tuple[tuple[str, float], ...]
    connect_p95: str
    send_p95: str
    wait_p95: str
    reused: str


def warnings(run: Run) -> list[str]:
    """What the generator's own limits did to the numbers."""
    known = ((each.worker_id, each.health) for each in run.workers)
    return list(generator.warnings(known, run.generator_faults))


def worker_rows(run: Run) -> list[WorkerRow]:
    """In the order of the run file."""
    whole = sum(each.finished_bytes for each in run.workers)
    return [_worker_row(each, whole) for each in run.workers]


def part_rows(run: Run) -> list[PartRow]:
    """The phases whose transport told where the time went."""
    return [_part_row(phase.value, tally) for phase, tally in run.measurements.phases.items() if tally.send_time.count]


def files(run: Run) -> str:
    """How large the files were for the server, and what they took on the disks here; "" where none was made."""
    made = run.measurements.files
    if not made.made:
        return ""
    apparent, allocated = units.format_size(made.apparent_bytes), units.format_size(made.allocated_bytes)
    return f"{rows.counted(made.made, 'file')} made: apparent {apparent}, allocated {allocated}"


def lost_unmarked(run: Run) -> Iterator[tuple[float, str]]:
    """When each lost worker was heard of last, where the run ended before anybody missed it, and so has no mark."""
    marked = " ".join(mark.sentence for mark in run.marks)
    for worker in run.workers:
        reported_s = len(worker.series.attempts) * worker.series.width_s
        if worker.lost and worker.worker_id not in marked and reported_s:
            yield float(reported_s), f"worker {worker.worker_id} reported nothing any more, and was lost"


def _worker_row(worker: WorkerRecord, whole_bytes: int) -> WorkerRow:
    health = worker.health
    return WorkerRow(
        worker_id=worker.worker_id,
        host=worker.host,
        cpu=_cpu(health) if health.seconds else rows.NONE,
        lag=rows.duration(health.lag_p99_s),
        memory=_memory(health) if health.peak_rss_bytes else rows.NONE,
        share=_share(worker.finished_bytes / whole_bytes if whole_bytes else None),
        report=_report(worker),
        lost=worker.lost,
        saturated=health.saturated,
        late=health.late,
    )


def _cpu(health: Health) -> str:
    """Of one core; less than one is worth a word, for a process can't use more."""
    used = f"{_share(health.cpu_mean_ratio)}, at most {_share(health.cpu_max_ratio)}"
    limited = health.throttled or (health.usable_cpus or 1.0) < 1
    return f"{used} ({health.usable_cpus:g} CPUs allowed)" if limited else used


def _memory(health: Health) -> str:
    limit = health.memory_limit_bytes
    return units.format_size(health.peak_rss_bytes) + (f" (limit {units.format_size(limit)})" if limit else "")


def _report(worker: WorkerRecord) -> str:
    """Whether all that it measured arrived, and since when it was there, and until when."""
    when = f" after {rows.duration(worker.left_s)}" if worker.left_s is not None else ""
    if worker.lost:
        return f"lost{when}: not everything that it measured arrived"
    joined = f", joined after {rows.duration(worker.joined_s)}" if worker.joined_s else ""
    return f"complete{joined}{f', left{when}' if when else ''}"


def _share(ratio: float | None) -> str:
    return rows.NONE if ratio is None else f"{ratio:.0%}".replace("%", " %")


def _part_row(name: str, tally: PhaseTally) -> PartRow:
    whole_s = _sum_s(tally.service_time) or 1.0
    parts_s = {"connect": _sum_s(tally.connect_time), "send": _sum_s(tally.send_time), "wait": _sum_s(tally.wait_time)}
    parts_s["rest"] = max(0.0, whole_s - sum(parts_s.values()))
    total_s = sum(parts_s.values())
    had_one = tally.reused + tally.connected
    return PartRow(
        name=name,
        shares=tuple((part, value_s / total_s) for part, value_s in parts_s.items()),
        connect_p95=rows.duration(tally.connect_time.percentile_s(95)),
        send_p95=rows.duration(tally.send_time.percentile_s(95)),
        wait_p95=rows.duration(tally.wait_time.percentile_s(95)),
        reused=_share(tally.reused / had_one if had_one else None),
    )


def _sum_s(times: Histogram) -> float:
    return (times.mean_s or 0.0) * times.count
