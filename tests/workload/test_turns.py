"""When the planned load turns, and in which words."""

from __future__ import annotations

import pytest

from upswarm.workload.arrivals import Arrivals
from upswarm.workload.iterations import Iterations
from upswarm.workload.kinds import ClosedLoad, FixedLoad, OpenLoad, Workload
from upswarm.workload.led import LedLoad
from upswarm.workload.rates import Ramp, Rates
from upswarm.workload.replay import Replay
from upswarm.workload.stages import Stage, Stages
from upswarm.workload.turns import Turn, turns


def closed(*steps: Stage) -> ClosedLoad:
    return ClosedLoad(Stages(steps))


def arriving(*ramps: Ramp) -> OpenLoad:
    return OpenLoad(Arrivals(Rates(ramps)), 10)


@pytest.mark.parametrize(
    ("workload", "expected"),
    [
        (closed(Stage(10, 50), Stage(30), Stage(5, 0)), [(10, "50 users, held"), (40, "the users fall to 0")]),
        (closed(Stage(0, 4), Stage(20)), []),
        (closed(Stage(10), Stage(0, 1), Stage(10)), [(10, "1 user, held")]),
        (closed(Stage(5, 4), Stage(10), Stage(10, 4)), [(5, "4 users, held")]),
        (closed(Stage(5, 4), Stage(5, 12000)), [(5, "the users rise to 12,000")]),
        (arriving(Ramp(60, 5, 5), Ramp(30, 5, 20), Ramp(60, 20, 20)),
         [(60, "the load rises to 20/s"), (90, "the load is held at 20/s")]),
        (arriving(Ramp(10, 5, 5), Ramp(10, 0.5, 0.5)), [(10, "the load is held at 0.5/s")]),
        (FixedLoad(Iterations(10, 2)), []),
        (OpenLoad(Replay((0.0, 1.0), (5, 5)), 4), []),
        (LedLoad(Stages((Stage(10, 4), Stage(10))), leader="a shape"), []),
    ],
)  # fmt: skip
def test_the_load_turns_where_a_ramp_begins_or_has_reached_its_end(workload: Workload, expected: list[Turn]) -> None:
    assert turns(workload) == expected


def test_users_who_are_changed_by_hand_turn_the_load_there() -> None:
    edited = closed(Stage(0, 4), Stage(60)).edited(20.0, 10, 2.0)
    assert turns(edited) == [(20, "the users rise to 10"), (23, "10 users, held")]
