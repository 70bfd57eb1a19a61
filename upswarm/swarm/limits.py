"""What a container leaves to the processes in it: CPUs and memory, as the kernel's control groups (cgroups) say it.

The machine's own numbers mislead there: sixty-four cores are seen where a quota leaves two. Both forms are read,
cgroup v1 and v2, and all groups around this process that can be seen, for the narrowest of them holds. Where the system
does not tell, nothing is limited.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Number = TypeVar("Number", int, float)

_NO_LIMIT_BYTES = 1 << 60  # v1 has no word for it, but a number that no machine has


@dataclass(frozen=True, slots=True)
class Limits:
    """What this process and those beside it may use: CPUs, which need not be whole ones, and memory; None is all."""

    cpus: float
    memory_bytes: int | None = None
    _cpu_group: Path | None = None
    _memory_group: Path | None = None

    @classmethod
    def here(cls, root: Path = Path("/")) -> Limits:
        """Those of this process, as they are now; the kernel's files are looked for below `root`."""
        cpu, quota = _narrowest(root, "cpu", _quota)
        memory, size_bytes = _narrowest(root, "memory", _memory_bytes)
        cpus = _allowed_cpus()
        return cls(cpus if quota is None else min(cpus, quota), size_bytes, cpu, memory)

    @property
    def processes(self) -> int:
        """How many processes these CPUs are enough for."""
        return max(1, int(self.cpus))

    def memory_used_ratio(self) -> float | None:
        """The share of the memory that is taken, also by others under the same limit; files that are cached are not."""
        if self._memory_group is None or not self.memory_bytes:
            return None
        stat = _counts(self._memory_group / "memory.stat")
        held = ("total_rss", "total_shmem") if "total_rss" in stat else ("anon", "shmem")  # v1, v2
        return sum(stat.get(name, 0) for name in held) / self.memory_bytes

    def throttled(self) -> tuple[int, int]:
        """In how many periods there was work, and in how many of these all was stopped, for the CPU quota was spent."""
        counts = {} if self._cpu_group is None else _counts(self._cpu_group / "cpu.stat")
        return counts.get("nr_periods", 0), counts.get("nr_throttled", 0)


def _allowed_cpus() -> float:
    """Those that this process may run on, which a `cpuset` and `taskset` restrict."""
    if hasattr(os, "sched_getaffinity"):
        return float(len(os.sched_getaffinity(0)))
    return float(os.cpu_count() or 1)


def _narrowest(
    root: Path, controller: str, read: Callable[[Path], Number | None]
) -> tuple[Path, Number] | tuple[None, None]:
    limits = [(group, limit) for group in _groups(root, controller) if (limit := read(group)) is not None]
    return min(limits, key=lambda each: each[1], default=(None, None))


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of the groups that bind this process, from its own outwards, as far as they are mounted here."""
    own: dict[str, str] = {}
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, names, path = line.split(":", 2)
        own |= dict.fromkeys(names.split(","), path)  # v2's line has no name
    for line in _text(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        name = {"cgroup2": "", "cgroup": controller}.get(kind)
        if name not in own or (name and name not in options.split(",")):
            continue
        mounted, point = before.split()[3:5]
        top = root / point.lstrip("/")
        below = Path(own[name])
        folder = top / below.relative_to(mounted) if below.is_relative_to(mounted) else top
        yield from (each for each in (folder, *folder.parents) if each.is_relative_to(top))


def _quota(group: Path) -> float | None:
    """CPUs, None where there is no limit."""
    quota, period = [*_text(group / "cpu.max").split(), "", ""][:2]
    if not quota:
        quota, period = _text(group / "cpu.cfs_quota_us").strip(), _text(group / "cpu.cfs_period_us").strip()
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None


def _memory_bytes(group: Path) -> int | None:
    text = (_text(group / "memory.max") or _text(group / "memory.limit_in_bytes")).strip()
    return int(text) if text.isdecimal() and int(text) < _NO_LIMIT_BYTES else None


def _counts(path: Path) -> dict[str, int]:
    pairs = (line.split() for line in _text(path).splitlines())
    return {name: int(count) for name, count in pairs}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
