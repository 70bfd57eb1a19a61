"""What a workload does at a moment of the run, in words: the stage that is on, and how long it still lasts."""

from __future__ import annotations

import math

from upswarm.workload.arrivals import Arrivals
from upswarm.workload.kinds import ClosedLoad, FixedLoad, OpenLoad, Workload
from upswarm.workload.led import LedLoad
from upswarm.workload.rates import Rates
from upswarm.workload.stages import Stages


def moment(workload: Workload, elapsed_s: float) -> str:
    """As in `users 12 → 50, 0:20 left in this stage`; only the load's name where it has no stages, or they are over."""
    match workload:
        case LedLoad():
            return f"users as {workload.leader} says"
        case ClosedLoad():
            return _of_stages(workload.stages, elapsed_s)
        case OpenLoad(schedule=Arrivals(rates=rates)):
            return _of_rates(rates, elapsed_s)
        case OpenLoad() | FixedLoad():
            return str(workload)


def _of_stages(stages: Stages, elapsed_s: float) -> str:
    level, start_s = 0, 0.0
    for step in stages.steps:
        following = level if step.to is None else step.to
        if elapsed_s < start_s + step.over_s:
            users = f"{level:,} → {following:,}" if level != following else f"{level:,}"
            return f"users {users}, {_left(start_s + step.over_s - elapsed_s)}"
        level, start_s = following, start_s + step.over_s
    return f"users {level:,}, the stages are over"


def _of_rates(rates: Rates, elapsed_s: float) -> str:
    start_s = 0.0
    for ramp in rates.ramps:
        if elapsed_s < start_s + ramp.over_s:
            now, last = (f"{each:,.3g}/s" for each in (ramp.rate_at(elapsed_s - start_s), ramp.last_per_s))
            return f"arrivals {now if now == last else f'{now} → {last}'}, {_left(start_s + ramp.over_s - elapsed_s)}"
        start_s += ramp.over_s
    return "no more arrivals are due"


def _left(left_s: float) -> str:
    return f"{clock(math.ceil(left_s))} left in this stage"


def clock(value_s: float) -> str:
    """As in `0:20`, or `1:02:03` from an hour on, in whole seconds that are over."""
    minutes, seconds = divmod(int(value_s), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}" if minutes >= 60 else f"{minutes}:{seconds:02d}"
