"""What a workload does now, in words."""

import pytest

from upswarm.workload.arrivals import Arrivals
from upswarm.workload.iterations import Iterations
from upswarm.workload.kinds import ClosedLoad, FixedLoad, OpenLoad
from upswarm.workload.led import LedLoad
from upswarm.workload.moments import clock, moment
from upswarm.workload.rates import Ramp, Rates
from upswarm.workload.stages import Stage, Stages

CLOSED = ClosedLoad(Stages((Stage(10, 12), Stage(60), Stage(20, 50))))
OPEN = OpenLoad(Arrivals(Rates((Ramp(10, 5, 5), Ramp(20, 5, 25)))), 100)


@pytest.mark.parametrize(
    ("workload", "elapsed_s", "said"),
    [
        (CLOSED, 0, "users 0 → 12, 0:10 left in this stage"),
        (CLOSED, 9.5, "users 0 → 12, 0:01 left in this stage"),
        (CLOSED, 10, "users 12, 1:00 left in this stage"),
        (CLOSED, 70, "users 12 → 50, 0:20 left in this stage"),
        (CLOSED, 91, "users 50, the stages are over"),
        (OPEN, 0, "arrivals 5/s, 0:10 left in this stage"),
        (OPEN, 20, "arrivals 15/s → 25/s, 0:10 left in this stage"),
        (OPEN, 31, "no more arrivals are due"),
        (FixedLoad(Iterations(count=10, users=2)), 3, "10 uploads by 2 users"),
        (LedLoad(Stages(()), leader="MyShape"), 3, "users as MyShape says"),
    ],
)
def test_a_moment_names_the_stage_and_what_is_left_of_it(workload, elapsed_s, said):
    assert moment(workload, elapsed_s) == said


def test_a_clock_has_hours_when_it_needs_them():
    assert [clock(each) for each in (0, 59.9, 60, 3600)] == ["0:00", "0:59", "1:00", "1:00:00"]
