"""What tests install, once below the virtual environment that runs them, however many of them come at once."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def installing(name: str) -> Iterator[Path]:
    """The place that has this name, for nobody else meanwhile; whoever waited finds what the first one installed."""
    shelf = Path(sys.prefix) / "share" / "upswarm"
    shelf.mkdir(parents=True, exist_ok=True)
    with (shelf / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield shelf / name
