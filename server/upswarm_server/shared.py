"""What all processes of one server share in memory: a directory for figures, and the word that it is draining.

Both are made in the process that starts the workers, before it starts them.
"""

from __future__ import annotations

import atexit
import fcntl
import mmap
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Read by prometheus_client when it is imported, so it has to be there before."""

_PREFIX = "upswarm-metrics-"
_IN_MEMORY = Path("/dev/shm")

_draining = mmap.mmap(-1, 1)
_started_s: float | None = None


def start_draining() -> None:
    """From now on the server only finishes what it has; every process sees it."""
    _draining[0] = 1


def draining() -> bool:
    """Whether the server is about to stop."""
    return _draining[0] == 1


def started_s() -> float | None:
    """When the server started, in seconds since the epoch; None in a process that no `begin` stands before."""
    return _started_s


def begin() -> None:
    """A server starts: have a directory for its figures, fresh and empty, and gone at the exit. Again, nothing."""
    global _started_s  # noqa: PLW0603 - there is one server per process, as there is one environment
    if _started_s is None:
        _started_s = time.time()
        base = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
        _remove_left_behind(base)
        directory = _make(base)
        atexit.register(_remove, directory, os.getpid())
        os.environ[METRICS_VARIABLE] = str(directory)


def _make(base: Path) -> Path:
    while True:
        directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        with suppress(OSError):
            _lock(directory)
            if directory.exists():
                return directory
        # A server that starts at the same time took it for left behind.


def _remove_left_behind(base: Path) -> None:
    # A killed server could not; the kernel has given back its lock.
    for directory in base.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            fd = _lock(directory)
            shutil.rmtree(directory, ignore_errors=True)
            os.close(fd)


def _lock(directory: Path) -> int:
    """Held until this process and all that were forked from it are gone; raises `BlockingIOError`."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise
    return fd


def _remove(directory: Path, maker: int) -> None:
    # Workers end by the same exit, but the directory is not theirs.
    if os.getpid() == maker:
        shutil.rmtree(directory, ignore_errors=True)
