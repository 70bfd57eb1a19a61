"""What a fault cost is counted from its beginning until chunks arrive again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.reports.runs import MIB, run_of
from upswarm.reports.costs import cost_of
from upswarm.results.marks import Mark, MarkKind
from upswarm.results.measurements import Measurements
from upswarm.results.run_file import Run
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase
from upswarm.transfer.records import Attempt, End, Outcome

KILLED = Mark(8.1, MarkKind.FAULT, "the server was killed", 11.0)


def run(down: tuple[float, float], *, until_s: float = 30.0, every_s: float = 0.1) -> Run:
    """A chunk and a file of 1 MiB every so often; while the server is down each attempt fails."""
    measured = Measurements()
    for number in range(round(until_s / every_s)):
        at = (number + 0.5) * every_s
        failure = Failure.REFUSED if down[0] <= at < down[1] else None
        measured.record_attempt(Attempt(Phase.CHUNK, 1 + (failure is not None), at, at, at, MIB, None, failure), at)
        if failure is None:
            measured.record_outcome(Outcome(End.FINISHED, "x", MIB, at, at), at)
    return run_of(measured, elapsed_s=until_s, verdicts=())


def test_a_crash_costs_failures_time_and_goodput() -> None:
    cost = cost_of(run((8.1, 13.0)), KILLED)
    assert (cost.failed, cost.retries) == (49, 49)
    assert cost.longest_gap_s == pytest.approx(5.0)
    assert (cost.first_success_s, cost.recovered_s) == (pytest.approx(5.025), pytest.approx(2.125))
    assert cost.until_s == pytest.approx(13.125)
    assert (cost.goodput_before, cost.goodput_after) == (pytest.approx(10 * MIB, 0.02), pytest.approx(10 * MIB, 0.02))
    assert cost.goodput_during == pytest.approx(0, abs=0.4 * MIB)
    assert (
        "no chunk arrived for 5.00 s, and the next one 5.03 s after it began, 2.12 s after it ended" in cost.sentence()
    )


def test_a_fault_does_not_pay_for_the_next_one() -> None:
    two = replace(run((8.1, 9.0)), marks=(Mark(7.2, MarkKind.FAULT, "a worker was killed", 7.3), KILLED))
    cost = cost_of(two, two.marks[0])
    assert (cost.failed, cost.silence()) == (0, "chunks arrived all the time")
    assert cost_of(two, KILLED).silence().startswith("no chunk arrived for 1.00 s")


def test_where_nothing_recovers_it_says_so() -> None:
    cost = cost_of(run((8.1, 99.0), until_s=20.0), KILLED)
    assert (cost.first_success_s, cost.recovered_s, cost.until_s) == (None, None, 20.0)
    assert cost.goodput_after is None
    assert "no chunk arrived any more, for 11.9 s; goodput before, during and after:" in cost.sentence()


def test_a_fault_that_nobody_noticed_costs_nothing() -> None:
    cost = cost_of(run((99.0, 99.0)), KILLED)
    assert (cost.failed, cost.retries, cost.longest_gap_s) == (0, 0, 0)
    assert cost.sentence().startswith("0 failed attempts, 0 retries; chunks arrived all the time; goodput")


def test_of_a_moment_without_an_end_the_recovery_is_not_known() -> None:
    cost = cost_of(run((8.1, 13.0)), Mark(8.1, MarkKind.FAULT, "killed"))
    assert cost.first_success_s == pytest.approx(5.025)
    assert cost.recovered_s is None


def test_a_fault_at_the_very_beginning_and_in_an_empty_run() -> None:
    assert cost_of(run((0.0, 2.0)), Mark(0.0, MarkKind.FAULT, "killed")).first_success_s == pytest.approx(2.125)
    empty = cost_of(run_of(Measurements(), elapsed_s=5.0, verdicts=()), Mark(1.0, MarkKind.FAULT, "killed"))
    assert (empty.first_success_s, empty.longest_gap_s, empty.failed) == (None, 5.0, 0)


def test_of_a_long_run_seconds_tell() -> None:
    cost = cost_of(run((300.0, 305.0), until_s=900.0, every_s=0.5), Mark(300.0, MarkKind.FAULT, "killed", 303.0))
    assert cost.resolution_s == 1.0
    assert (cost.longest_gap_s, cost.recovered_s) == (pytest.approx(6.0), pytest.approx(2.5))
