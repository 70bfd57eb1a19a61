"""Time comes in from outside: the real clock here, a fake one in `upswarm.testing`."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Two readings of time, and the only way to wait."""

    def now(self) -> float:
        """Seconds on a clock that never jumps; only differences mean anything."""

    def wall(self) -> float:
        """Seconds since 1970, as the machine believes."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clock. Under gevent's monkey patching its sleep lets other users run."""

    def now(self) -> float:
        """`time.perf_counter()`."""
        return time.perf_counter()

    def wall(self) -> float:
        """`time.time()`."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """`time.sleep()`."""
        time.sleep(seconds)
