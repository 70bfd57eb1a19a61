"""The line that tells, while a run lasts, how it goes."""

from __future__ import annotations

from dataclasses import dataclass

from upswarm import units
from upswarm.reports.rows import counted, duration
from upswarm.results.measurements import Measurements
from upswarm.results.metrics import METRICS, Summary
from upswarm.transfer.messages import Phase

_WIDTH = 120


@dataclass(frozen=True, slots=True)
class Volumes:
    """Bytes of finished files, and bytes that were sent: all that the line needs of the last interval."""

    finished_bytes: int = 0
    sent_bytes: int = 0

    def plus(self, measured: Measurements) -> Volumes:
        """With what has been measured since."""
        sent_bytes = sum(tally.bytes_sent for tally in measured.phases.values())
        return Volumes(self.finished_bytes + measured.uploads.finished_bytes, self.sent_bytes + sent_bytes)


def progress_line(
    measurements: Measurements,
    interval: Volumes,
    *,
    elapsed_s: float,
    planned_s: float | None,
    interval_s: float,
    users: int,
) -> str:
    """At most 120 columns: the rates are those of the last interval, the mean and the counts of the whole run.

    `00:07/00:14  4 users  goodput 212.4 (mean 190.1) sent 240.1 MiB/s  31 uploads, 0 failed, 2 retries  …`
    """
    now = _per_s(interval.finished_bytes, interval_s), _per_s(interval.sent_bytes, interval_s)
    mean = METRICS["goodput"].read(Summary(measurements, elapsed_s), "mean") or 0.0
    planned = "" if planned_s is None else f"/{_clock(planned_s)}"
    clock = f"{_clock(elapsed_s)}{planned}  {_load(measurements, users)}"
    long, short = (f"{clock}  {rates}  {_counts(measurements)}" for rates in _rates(*now, mean))
    return long if len(long) <= _WIDTH else short[:_WIDTH]


def _load(measurements: Measurements, users: int) -> str:
    """In an open load users are only slots; what counts is what has come."""
    arrivals = measurements.arrivals
    if arrivals.begun + arrivals.dropped == 0:
        return counted(users, "user", grouped=False)
    begun = counted(arrivals.begun, "arrival", grouped=False)
    return f"{begun}, {arrivals.dropped} dropped" if arrivals.dropped else begun


def _rates(goodput: float, sent: float, mean: float) -> tuple[str, str]:
    """With and without the mean; one unit serves all, for the line is narrow."""
    unit = units.format_bandwidth(max(goodput, mean, sent)).split(" ")[1]
    scale = units.parse_bandwidth(f"1{unit}")
    first, last = f"goodput {goodput / scale:.1f}", f"sent {sent / scale:.1f} {unit}"
    return f"{first} (mean {mean / scale:.1f}) {last}", f"{first} {last}"


def _per_s(volume_bytes: int, length_s: float) -> float:
    return volume_bytes / length_s if length_s else 0.0


def _counts(measurements: Measurements) -> str:
    uploads, phases = measurements.uploads, measurements.phases
    retries = sum(tally.retries for tally in phases.values())
    p95 = duration(phases[Phase.CHUNK].response_time.percentile_s(95))
    finished = counted(uploads.finished, "upload", grouped=False)
    return f"{finished}, {uploads.failed} failed, {retries} retries  chunk p95 {p95}"


def _clock(value_s: float) -> str:
    minutes, seconds = divmod(int(value_s), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}" if minutes >= 60 else f"{minutes:02d}:{seconds:02d}"
