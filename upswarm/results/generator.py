"""The measuring stick measured: how late a worker's event loop ran, and how much of its core it used.

A worker that has no time left sends late and stamps late, and then its own limit looks like the server's. So each one
records both, and `warnings` says plainly when the numbers of a run are the generator's. docs/design/generator.md weighs
the limits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

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
THROTTLED_RATIO = 0.01
"""The largest share of periods stopped by a CPU quota that can't be the reason for a p99 of the lag."""
SCARCE_MEMORY_RATIO = 0.9
"""From here on the kernel may soon end a process for want of memory."""
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

    `busy_ratio` is the share of the seconds in which it used its core or waited for it. `usable_cpus` are those that a
    container's quota and its CPU set leave it, and `throttled_ratio` is the share of the quota's periods (0.1 s) in
    which it was used up. `memory_limit_bytes` is the container's, None without one, and `memory_used_ratio` the most of
    it that was taken at a report, by all processes under that limit.
    """

    lag_p99_s: float | None = None
    lag_max_s: float | None = None
    cpu_mean_ratio: float | None = None
    cpu_max_ratio: float | None = None
    busy_ratio: float = 0.0
    seconds: int = 0
    peak_rss_bytes: int = 0
    usable_cpus: float | None = None
    throttled_ratio: float = 0.0
    memory_limit_bytes: int | None = None
    memory_used_ratio: float | None = None

    @classmethod
    def of(
        cls, tally: GeneratorTally, peak_rss_bytes: int, confines: Mapping[str, Any] = MappingProxyType({})
    ) -> Health:
        """What a worker's tally comes to, within what its container leaves it."""
        seconds = tally.cpu.count
        return cls(
            lag_p99_s=tally.lag.percentile_s(99),
            lag_max_s=tally.lag.max_s,
            cpu_mean_ratio=tally.cpu.mean_s,
            cpu_max_ratio=tally.cpu.max_s,
            busy_ratio=tally.busy_seconds / seconds if seconds else 0.0,
            seconds=seconds,
            peak_rss_bytes=peak_rss_bytes,
            **confines,
        )

    @property
    def saturated(self) -> bool:
        """Whether it had no CPU time left for most of the run."""
        return self.seconds >= FEWEST_SECONDS and self.busy_ratio > MOST_BUSY_RATIO

    @property
    def late(self) -> bool:
        """Whether its loop was late more often than once in a hundred looks."""
        return self.seconds >= FEWEST_SECONDS and self.lag_p99_s is not None and self.lag_p99_s > LAG_LIMIT_S

    @property
    def throttled(self) -> bool:
        """Whether a CPU quota stopped it so often that it shows."""
        return self.throttled_ratio > THROTTLED_RATIO

    @property
    def short_of_memory(self) -> bool:
        """Whether hardly anything was left of the memory that its container may have."""
        return self.memory_used_ratio is not None and self.memory_used_ratio >= SCARCE_MEMORY_RATIO

    @property
    def memory_story(self) -> str:
        """How much of its container's memory was taken, as `97 % of 256.0 MiB`."""
        used = units.format_ratio(self.memory_used_ratio or 0.0)
        return f"{used} of {units.format_size(self.memory_limit_bytes or 0)}"


def faults(workers: Iterable[tuple[str, Health]]) -> Iterator[str]:
    """A sentence where workers had no CPU time left: then the numbers of the run are the generator's."""
    known = list(workers)
    found = [(name, health) for name, health in known if health.saturated]
    if found:
        yield (
            f"the generator was the bottleneck, not the server: {_who(found, len(known))} had no CPU time left in "
            f"up to {units.format_ratio(max(health.busy_ratio for _, health in found))} of the seconds. Rates and "
            f"times are the generator's own limit: {_throttling(found) or _MORE_WORKERS}"
        )


def warnings(workers: Iterable[tuple[str, Health]], told: Collection[str] = ()) -> Iterator[str]:
    """Sentences on what the generator's own limits did to the numbers, and what to do about it; none is best.

    What has been `told` already, as a fault, is left out.
    """
    known = list(workers)
    yield from (each for each in faults(known) if each not in told)
    late = [(name, health) for name, health in known if health.late and not health.saturated]
    if late:
        worst_s = max(health.lag_p99_s or 0.0 for _, health in late)
        yield (
            f"the generator was late: {_who(late, len(known))} ran up to {units.format_duration(worst_s)} late "
            f"(p99; {units.format_duration(LAG_LIMIT_S)} is the limit), and times may be too long by as much: "
            f"{_throttling(late) or _NEIGHBOURS}"
        )
    short = [(name, health) for name, health in known if health.short_of_memory]
    if short:
        fullest = max((health for _, health in short), key=lambda health: health.memory_used_ratio or 0.0)
        yield (
            f"memory was nearly used up: {_who(short, len(known))} had up to {fullest.memory_story} taken, the limit "
            "of its container. There the kernel ends a process without a word: raise it, or run fewer users per worker."
        )


_MORE_WORKERS = "run more workers (--processes, or on more machines), with a CPU each."
_NEIGHBOURS = "something else needs its CPU, perhaps the server. Give it one of its own, or run fewer users per worker."


def _throttling(found: list[tuple[str, Health]]) -> str:
    most = max((health for _, health in found), key=lambda health: health.throttled_ratio)
    if not most.throttled:
        return ""
    share = units.format_ratio(most.throttled_ratio)
    return (
        f"a container's CPU limit of {most.usable_cpus:g} was used up in up to {share} of its periods. Raise it, run "
        "more containers, or fewer users in each."
    )


def _who(found: list[tuple[str, Health]], of: int) -> str:
    names = ", ".join(_short(name) for name, _ in found[:3]) + (", …" if len(found) > 3 else "")
    return "its one process" if of == 1 else f"{len(found)} of {of} workers ({names})"


def _short(name: str) -> str:
    """Locust's names are a host's and 32 digits; the report has them whole."""
    return name if len(name) <= _MOST_LETTERS else f"{name[: _MOST_LETTERS - 1]}…"
