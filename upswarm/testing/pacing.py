"""Plays a schedule against a server that is only a function: an hour of arrivals in no time, to the microsecond."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

from upswarm.transfer.clock import Clock
from upswarm.workload.pacing import Arrival, Pacer


@dataclass(frozen=True, slots=True)
class Played:
    """An arrival that has begun and ended. Times are seconds since the start of the run."""

    arrival: Arrival
    ended_s: float

    @property
    def response_time_s(self) -> float:
        """From when it was due."""
        return self.ended_s - self.arrival.due_s

    @property
    def service_time_s(self) -> float:
        """From when it began."""
        return self.ended_s - self.arrival.began_s


def play(pacer: Pacer, service_s: Callable[[float], float], clock: Clock) -> list[Played]:
    """Drive a pacer to the end of its schedule, and return what began, in this order.

    `service_s` says how long the server takes for an upload that begins at this moment. The clock, most often a
    `FakeClock`, may oversleep: then arrivals are late, as they are on a busy machine.
    """
    started_s = clock.now()
    played: list[Played] = []
    ends: list[float] = []
    while pacer.wake_s is not None or ends:
        moments = [*ends[:1], *([] if pacer.wake_s is None else [pacer.wake_s])]
        clock.sleep(max(0.0, started_s + min(moments) - clock.now()))
        now_s = max(min(moments), clock.now() - started_s)  # a sum of floats may be a hair too early
        while ends and ends[0] <= now_s:
            pacer.end(heapq.heappop(ends))
        while (arrival := pacer.begin(now_s)) is not None:
            played.append(Played(arrival, now_s + service_s(now_s)))
            heapq.heappush(ends, played[-1].ended_s)
    return played
