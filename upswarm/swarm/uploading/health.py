"""A worker's own pulse: how late its event loop runs, and how much of a core it uses."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import gevent

from upswarm.results.recorder import Recorder
from upswarm.swarm.limits import Limits
from upswarm.transfer.clock import Clock

LOOK_EVERY_S = 0.05
_CPU_EVERY_S = 1.0
_SCHEDSTAT = Path("/proc/self/schedstat")
_RSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024


class Pulse:
    """Looks at the clock on a fixed schedule, in a greenlet of its own, until it is stopped.

    A look that comes late stands for all those that were due meanwhile, each with the time that it had to wait: a loop
    that hung for half a second was late ten times and not once.
    """

    def __init__(self, recorder: Recorder, clock: Clock, in_flight: Callable[[], int]) -> None:
        self._recorder = recorder
        self._in_flight = in_flight
        self._clock = clock
        self._due_s = clock.now() + LOOK_EVERY_S
        self._cpu_from_s = clock.now()
        self._cpu_s, self._queued_s = time.process_time(), _queued_s()
        self._beating = gevent.spawn(self._beat)

    def stop(self) -> None:
        """Look no more; the last second counts as far as it came."""
        self._beating.kill()
        self._recorder.looked()
        if self._clock.now() - self._cpu_from_s >= _CPU_EVERY_S / 2:
            self._weigh(self._clock.now())

    def _beat(self) -> None:
        while True:
            gevent.sleep(max(0.0, self._due_s - self._clock.now()))
            self._look(self._clock.now())

    def _look(self, now_s: float) -> None:
        while self._due_s <= now_s:
            self._recorder.woke(now_s - self._due_s, now_s)
            self._due_s += LOOK_EVERY_S
        self._recorder.saw(self._in_flight(), now_s)
        if now_s - self._cpu_from_s >= _CPU_EVERY_S:
            self._weigh(now_s)

    def _weigh(self, now_s: float) -> None:
        cpu_s, queued_s = time.process_time(), _queued_s()
        used_s, waited_s = cpu_s - self._cpu_s, queued_s - self._queued_s
        self._recorder.spent(used_s, waited_s, from_s=self._cpu_from_s, to_s=now_s)
        self._cpu_s, self._queued_s, self._cpu_from_s = cpu_s, queued_s, now_s


class Confines:
    """How near a process comes to the limits of its container, from now on."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._throttled_before = limits.throttled()
        self._memory_used_ratio = limits.memory_used_ratio()

    def document(self) -> dict[str, float | None]:
        """As `Health` has it; to be asked now and then, for memory is looked at when it is."""
        used, before = self._limits.memory_used_ratio(), self._memory_used_ratio
        if used is not None and before is not None:
            self._memory_used_ratio = max(used, before)
        periods, stopped = (
            now - then for now, then in zip(self._limits.throttled(), self._throttled_before, strict=True)
        )
        return {
            "usable_cpus": self._limits.cpus,
            "throttled_ratio": stopped / periods if periods > 0 else 0.0,
            "memory_limit_bytes": self._limits.memory_bytes,
            "memory_used_ratio": self._memory_used_ratio,
        }


def _queued_s() -> float:
    """How long our thread could have run so far, but others had the CPU, or a quota was spent.

    0 where the system does not tell.
    """
    try:
        return int(_SCHEDSTAT.read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def peak_rss_bytes() -> int:
    """The most memory that this process has held since it began."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT_BYTES
