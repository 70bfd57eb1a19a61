"""An outage is found in what was measured, and only where a server that works as usual would not look the same."""

from __future__ import annotations

import pytest

from upswarm.results.measurements import Measurements
from upswarm.results.outages import Outage, outages
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase
from upswarm.transfer.records import Attempt, End, Outcome


def measured(
    down: tuple[float, float],
    *,
    fails: bool = True,
    every_s: float = 0.1,
    took_s: float = 0.05,
    in_flight: int = 4,
    until_s: int = 20,
) -> Measurements:
    """Chunks, one every so often; while the server is down they fail, or get no answer at all."""
    known = Measurements()
    for number in range(round(until_s / every_s)):
        at = (number + 0.5) * every_s
        failure = Failure.REFUSED if down[0] <= at < down[1] else None
        if fails or failure is None:
            known.record_attempt(Attempt(Phase.CHUNK, 1, at - took_s, at - took_s, at, 1, None, failure), at)
    for second in range(until_s):
        known.record_in_flight(in_flight, second)
    return known


def test_requests_that_all_fail_are_an_outage() -> None:
    (found,) = outages(measured((7.0, 9.0)), 20.0)
    assert found == Outage(7.0, 9.0, 20, over=True)


def test_one_may_begin_with_the_run_or_go_on_to_its_end() -> None:
    assert outages(measured((0.0, 3.0)), 20.0) == [Outage(0.0, 3.0, 30, over=True)]
    assert outages(measured((15.0, 20.0)), 20.0) == [Outage(15.0, 20.0, 50, over=False)]


def test_of_a_long_run_the_seconds_tell() -> None:
    known = measured((300.0, 305.0), every_s=0.5, until_s=900)
    assert known.intervals.width_s > 1
    assert outages(known, 900.0) == [Outage(300.0, 305.0, 10, over=True)]


def test_uploads_that_get_no_answer_are_one_too() -> None:
    assert outages(measured((7.0, 9.0), fails=False), 20.0) == [Outage(7.0, 9.0, 0, over=True)]


def test_what_is_asked_after_one_says_nothing_of_how_long_requests_take() -> None:
    known = measured((7.0, 9.0), fails=False)
    known.record_attempt(Attempt(Phase.PROBE, 1, 7.5, 7.5, 12.5, 0, None, None), 12.5)
    assert outages(known, 20.0) == [Outage(7.0, 9.0, 0, over=True)]


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(measured((7.0, 7.8)), id="too short"),
        pytest.param(measured((0.0, 0.0)), id="nothing failed"),
        pytest.param(measured((7.0, 9.0), fails=False, in_flight=0), id="nobody uploaded"),
        pytest.param(measured((7.0, 9.0), fails=False, took_s=0.8), id="requests take long"),
        pytest.param(measured((7.0, 9.0), every_s=1.0), id="requests are few"),
        pytest.param(measured((0.0, 20.0)), id="nothing ever succeeded"),
        pytest.param(Measurements(), id="nothing was sent"),
    ],
)
def test_what_is_none(known: Measurements) -> None:
    assert outages(known, 20.0) == []


def test_rests_that_were_wished_for_are_none() -> None:
    known = measured((7.0, 9.0), fails=False)
    known.record_outcome(Outcome(End.FINISHED, "x", 1, 0.0, 20.0, interruptions=1), 19.9)
    assert outages(known, 20.0) == []
