"""One rate instead of what the scenario says: the command line's `--rate`."""

from __future__ import annotations

import pytest

from upswarm.errors import UsageError
from upswarm.workload.arrivals import Arrivals, Spacing
from upswarm.workload.iterations import Iterations
from upswarm.workload.kinds import USUAL_IN_FLIGHT, ClosedLoad, FixedLoad, OpenLoad, Override
from upswarm.workload.rates import Ramp, Rates
from upswarm.workload.replay import Replay
from upswarm.workload.stages import Stage, Stages

PEOPLE = ClosedLoad(Stages((Stage(0.0, 4), Stage(10.0))), think_time_s=1.0)
RISING = OpenLoad(Arrivals(Rates((Ramp(10.0, 0.0, 20.0),)), Spacing.POISSON, 7), max_in_flight=30, max_wait_s=2.0)


def test_people_become_arrivals_for_as_long() -> None:
    load = PEOPLE.overridden(Override(rate_per_s=5.0))
    assert isinstance(load, OpenLoad)
    assert (load.schedule.count, load.planned_s, load.max_in_flight) == (50, 10.0, USUAL_IN_FLIGHT)


def test_rates_become_one_rate_and_all_else_stays() -> None:
    load = RISING.overridden(Override(rate_per_s=5.0))
    assert (load.schedule.rates, load.schedule.spacing, load.schedule.seed) == (
        Rates((Ramp(10.0, 5.0, 5.0),)), Spacing.POISSON, 7,
    )  # fmt: skip
    assert (load.max_in_flight, load.max_wait_s) == (30, 2.0)


@pytest.mark.parametrize("load", [PEOPLE, RISING])
def test_a_rate_for_another_time(load) -> None:
    other = load.overridden(Override(rate_per_s=5.0, duration_s=60.0))
    assert (other.planned_s, other.schedule.rates.expected) == (60.0, 300.0)


@pytest.mark.parametrize(
    ("load", "wish", "message"),
    [
        (PEOPLE, Override(users=3, rate_per_s=5.0), "expected --rate or --users, found both"),
        (RISING, Override(rate_per_s=0.0), "expected a rate above 0/s"),
        (
            OpenLoad(Replay((0.0,), (1,)), 3),
            Override(rate_per_s=5.0),
            "this scenario replays a recorded one, found 5/s",
        ),
        (FixedLoad(Iterations(9, 1)), Override(rate_per_s=5.0), "this scenario is so many uploads, found 5/s"),
    ],
)
def test_a_rate_that_can_not_be_is_refused(load, wish, message) -> None:
    with pytest.raises(UsageError, match=message):
        load.overridden(wish)
