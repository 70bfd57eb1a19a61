"""The measuring stick measured: how late a worker's event loop ran, and how much of its core it used.

A worker that has no time left sends late and stamps late, and then its own limit looks like the server's. So each one
records both, and `warnings` says plainly when the numbers of a run are the generator's. docs/design/generator.md weighs
the limits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from upswarm import units
from upswarm.results.histogram import Histogram

LAG_LIMIT_S = 0.02
"""No more than one in a hundred looks may be later."""
BUSY_RATIO = 0.9
"""A second in which a process used so much of a core, or waited for it, was a busy one; Python goes to no second."""
MOST_BUSY_RATIO = 0.5
"""The largest share of busy seconds that leaves the numbers the server's."""
FEWEST_SECONDS = 3
"""A run that is over at once is mostly its start."""
_MOST_LETTERS = 20


@dataclass(slots=True)
class GeneratorTally:
    """What one worker, or all of them, spent. `cpu` holds a share of one core for each second of each worker."""

    lag: Histogram = field(default_factory=Histogram)
    cpu: Histogram = field(default_factory=Histogram)
    busy_seconds: int = 0

    def add(self, other: GeneratorTally) -> None:
        """Add another's looks and seconds."""
        self.lag.add(other.lag)
        self.cpu.add(other.cpu)
        self.busy_seconds += other.busy_seconds

    def record_cpu(self, used: float, queued: float = 0.0) -> None:
        """Count one second of one process: the share in which it ran, and that in which it waited for the core."""
        self.cpu.record(used)
        self.busy_seconds += used + queued >= BUSY_RATIO


@dataclass(frozen=True, slots=True)
class Health:
    """How one worker fared over the run: times in seconds, CPU as shares of one core; None where nobody looked.

    `busy_ratio` is the share of the seconds in which it used its core or waited for it.
    """

    lag_p99_s: float | None = None
    lag_max_s: float | None = None
    cpu_mean_ratio: float | None = None
    cpu_max_ratio: float | None = None
    busy_ratio: float = 0.0
    seconds: int = 0
    peak_rss_bytes: int = 0

    @classmethod
    def of(cls, tally: GeneratorTally, peak_rss_bytes: int) -> Health:
        """What a worker's tally comes to."""
        seconds = tally.cpu.count
        return cls(
            lag_p99_s=tally.lag.percentile_s(99),
            lag_max_s=tally.lag.max_s,
            cpu_mean_ratio=tally.cpu.mean_s,
            cpu_max_ratio=tally.cpu.max_s,
            busy_ratio=tally.busy_seconds / seconds if seconds else 0.0,
            seconds=seconds,
            peak_rss_bytes=peak_rss_bytes,
        )

    @property
    def saturated(self) -> bool:
        """Whether it had no CPU time left for most of the run."""
        return self.seconds >= FEWEST_SECONDS and self.busy_ratio > MOST_BUSY_RATIO

    @property
    def late(self) -> bool:
        """Whether its loop was late more often than once in a hundred looks."""
        return self.seconds >= FEWEST_SECONDS and self.lag_p99_s is not None and self.lag_p99_s > LAG_LIMIT_S


def faults(workers: Iterable[tuple[str, Health]]) -> Iterator[str]:
    """A sentence where workers had no CPU time left: then the numbers of the run are the generator's."""
    known = list(workers)
    found = [(name, health) for name, health in known if health.saturated]
    if found:
        yield (
            f"the generator was the bottleneck, not the server: {_who(found, len(known))} had no CPU time left in "
            f"up to {units.format_ratio(max(health.busy_ratio for _, health in found))} of the seconds. Rates and "
            "times are the generator's own limit: run more workers (--processes, or on more machines), with a CPU each."
        )


def warnings(workers: Iterable[tuple[str, Health]], told: Collection[str] = ()) -> Iterator[str]:
    """Sentences on what the generator's own limits did to the numbers, and what to do about it; none is best.

    What has been `told` already, as a fault, is left out.
    """
    known = list(workers)
    late = [(name, health) for name, health in known if health.late and not health.saturated]
    yield from (each for each in faults(known) if each not in told)
    if late:
        worst_s = max(health.lag_p99_s or 0.0 for _, health in late)
        yield (
            f"the generator was late: {_who(late, len(known))} ran up to {units.format_duration(worst_s)} late "
            f"(p99; {units.format_duration(LAG_LIMIT_S)} is the limit), and times may be too long by as much. "
            "Something else needs its CPU, perhaps the server: give it one of its own, or run fewer users per worker."
        )


def _who(found: list[tuple[str, Health]], of: int) -> str:
    names = ", ".join(_short(name) for name, _ in found[:3]) + (", …" if len(found) > 3 else "")
    return "its one process" if of == 1 else f"{len(found)} of {of} workers ({names})"


def _short(name: str) -> str:
    """Locust's names are a host's and 32 digits; the report has them whole."""
    return name if len(name) <= _MOST_LETTERS else f"{name[: _MOST_LETTERS - 1]}…"
