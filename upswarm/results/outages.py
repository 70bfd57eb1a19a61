"""Outages as the figures of a run show them: nobody has to have broken anything, or to have marked it.

An outage is a time in which uploads were under way or requests failed, and not one request succeeded, for much longer
than it usually takes until the next one does. Pure arithmetic on what was measured, so old runs can be asked anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from upswarm.results.measurements import Measurements
from upswarm.results.stretches import Stretches
from upswarm.transfer.messages import Phase

SHORTEST_S = 1.0
"""Less is no outage, however much is sent."""
_TIMES_AS_LONG = 5.0
"""As the usual time between two requests that succeed: of gaps that come by chance one in 150 is so long."""
_TIMES_P95 = 3.0
"""As requests usually take: where nothing failed, nothing less tells a server that stands still from a slow one."""


@dataclass(frozen=True, slots=True)
class Outage:
    """No request succeeded from `start_s` to `end_s` after the start of the run; meanwhile `failed` attempts failed.

    Both moments are as fine as the run's intervals, and the true outage is not shorter. One that is not `over` went on
    until the end of the run.
    """

    start_s: float
    end_s: float
    failed: int
    over: bool


def outages(measured: Measurements, elapsed_s: float) -> list[Outage]:
    """In the order of time; none where no request succeeded in the whole run, which is more than an outage."""
    known = Stretches.of(measured)
    succeeded = sum(each.succeeded for each in known.all)
    if not succeeded:
        return []
    shortest_s = max(SHORTEST_S, _TIMES_AS_LONG * elapsed_s / succeeded)
    silent_s = max(shortest_s, _TIMES_P95 * _slowest_p95_s(measured))
    good = [each for each in known.all if each.succeeded]
    return [
        Outage(start_s, end_s, failed, end_s < elapsed_s)
        for start_s, end_s in known.gaps(good, elapsed_s, reach_s=known.width_s / 2)
        for failed in [known.failed(start_s, end_s)]
        if end_s - start_s >= (shortest_s if failed else silent_s)
        and (failed or _stood_still(measured, start_s, end_s))
    ]


def _stood_still(measured: Measurements, start_s: float, end_s: float) -> bool:
    """Whether uploads were under way in each whole second of it; rests that were wished for tell nothing."""
    within = range(int(start_s), int(end_s))
    flying = [measured.seconds[at].in_flight for at in within if at in measured.seconds]
    return not measured.uploads.interruptions and len(flying) == len(within) > 0 and all(flying)


def _slowest_p95_s(measured: Measurements) -> float:
    # A probe or an abort is sent after something broke, so how long it takes is no measure of what is usual.
    usual = (measured.phases[phase] for phase in (Phase.INIT, Phase.CHUNK, Phase.FINALIZE))
    return max(tally.response_time.percentile_s(95) or 0.0 for tally in usual)
