"""The machine and the versions on which figures were taken: a figure without them is none."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

_PACKAGES = ("upswarm", "gunicorn", "falcon", "gevent")
_TOOLS = {"nginx": ("nginx", "-v"), "iperf3": ("iperf3", "--version")}


def describe(directories: Sequence[Path]) -> dict[str, Any]:
    """Cores, kernel, Python, the directories' file systems, versions, and how busy the machine was before."""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "file_systems": {str(directory): file_system(directory) for directory in directories},
        "load_before": os.getloadavg()[0],
        "versions": {name: metadata.version(name) for name in _PACKAGES},
    }


def tools(names: Sequence[str]) -> dict[str, str]:
    """The first line of what each of these tools says of its version."""
    return {name: _said(*_TOOLS[name]) for name in names if name in _TOOLS}


def sentence(machine: dict[str, Any]) -> str:
    """The description for people."""
    places = " · ".join(f"{kind} at {place}" for place, kind in machine["file_systems"].items())
    versions = " · ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['date']} · {machine['cores']} cores ({machine['cpu']}) · Linux {machine['kernel']} · "
        f"Python {machine['python']} · {places} · {versions} · "
        f"load before: {machine['load_before']:.1f}"
    )


def file_system(directory: Path) -> str:
    """The type of the file system that holds the directory: `tmpfs`, `ext4`."""
    path = directory.resolve()
    mounts = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
    return next((mounts[place] for place in (path, *path.parents) if place in mounts), "unknown")


def _cpu() -> str:
    return next(_cpu_names(), platform.machine())


def _cpu_names() -> Iterator[str]:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            yield line.partition(":")[2].strip()


def _said(*command: str) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout.strip().partition("\n")[0]
