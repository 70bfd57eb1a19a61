"""The search as it goes, with runs that are made up and a clock that only they move."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.results.runs import run_of, series
from upswarm.errors import UsageError
from upswarm.results.capacity import Capacity, End
from upswarm.results.measurements import Measurements
from upswarm.results.objectives import parse
from upswarm.results.run_file import Run
from upswarm.results.steps import By, Step, Verdict
from upswarm.swarm.search.ascent import Ascent
from upswarm.swarm.search.question import Question
from upswarm.testing.clock import FakeClock
from upswarm.workload.search import Bounds

STEP_S = 10.0


class Runs:
    """Each run takes as long as it is asked for, and two seconds more."""

    def __init__(self, measured: Callable[[float, float], Measurements], clock: FakeClock) -> None:
        self._measured = measured
        self._clock = clock
        self.asked: list[tuple[float, float]] = []
        self.stopped = False
        self.fails_at: float | None = None
        self.stops_at: float | None = None

    def measure(self, load: float, length_s: float) -> tuple[Run, str]:
        self.asked.append((load, length_s))
        self._clock.sleep(length_s + 2)
        self.stopped = load == self.stops_at
        if load == self.fails_at:
            raise UsageError("no answer from the target")
        return run_of(self._measured(load, length_s)), f"{load:g}-users"


def queue(load: float, length_s: float) -> Measurements:
    """Each of N people waits N times 50 ms."""
    return series(lambda at_s: 0.05 * load, length_s, 20)


class Search:
    """One search: what it asked for, what it told, and what it found."""

    def __init__(self, measured: Callable[[float, float], Measurements] = queue, *, budget_s: float = 1000.0) -> None:
        self.clock = FakeClock()
        self.runs = Runs(measured, self.clock)
        self.told: list[float | Step] = []
        self.question = Question(
            scenario="x", name="x", target="embedded", by=By.USERS,
            objectives=(parse("chunk.response_time p50 < 400ms"),), bounds=Bounds(1, 1000, 0.05),
            step_s=STEP_S, budget_s=budget_s, reports=Path("reports"),
        )  # fmt: skip

    def climb(self) -> Capacity:
        return Ascent(self.question, self.clock, self.runs, self.told.append).climb()


def test_the_edge_is_found_and_every_step_is_told():
    search = Search()
    found = search.climb()
    assert (found.held.load, found.gave_in.load, found.end) == (7, 8, End.FOUND)
    assert [load for load, _ in search.runs.asked] == [1, 2, 4, 8, 6, 7]
    assert search.told == [each for step in found.steps for each in (step.load, step)]
    assert found.elapsed_s == 72


def test_a_load_that_is_unclear_is_tried_once_more_and_twice_as_long():
    search = Search(
        lambda load, length_s: series(lambda at_s: 0.1 + at_s / 100 if length_s < 20 else 0.1, length_s, 20)
    )
    search.question = Question(**{**{name: getattr(search.question, name) for name in Question.__slots__},
                                  "bounds": Bounds(1, 1, 0.05)})  # fmt: skip
    found = search.climb()
    assert search.runs.asked == [(1, 10), (1, 20)]
    assert [(step.verdict, step.length_s) for step in found.steps] == [(Verdict.HELD, 20)]
    assert found.end is End.MOST


def test_what_stays_unclear_counts_as_not_held():
    search = Search(lambda load, length_s: series(lambda at_s: 0.1 + at_s / 100, length_s, 20))
    found = search.climb()
    assert search.runs.asked == [(1, 10), (1, 20)]
    assert ([step.verdict for step in found.steps], found.end, found.exit_code) == ([Verdict.UNCLEAR], End.LEAST, 3)


@pytest.mark.parametrize(("budget_s", "loads"), [(12.0, [1]), (24.0, [1, 2]), (35.9, [1, 2]), (36.0, [1, 2, 4])])
def test_no_step_is_begun_that_does_not_fit_into_the_budget(budget_s, loads):
    search = Search(budget_s=budget_s)
    found = search.climb()
    assert [step.load for step in found.steps] == loads
    assert (found.end, found.exit_code, search.clock.now() <= budget_s) == (End.BUDGET, 0, True)


def test_a_longer_try_that_does_not_fit_is_left_out():
    search = Search(lambda load, length_s: series(lambda at_s: 0.1 + at_s / 100, length_s, 20), budget_s=30.0)
    assert [step.length_s for step in search.climb().steps] == [10]
    assert search.runs.asked == [(1, 10)]


def test_a_search_that_is_stopped_keeps_what_it_knows():
    search = Search()
    search.runs.stops_at = 4
    found = search.climb()
    assert ([step.load for step in found.steps], found.end, found.exit_code) == ([1, 2], End.CUT_OFF, 5)
    assert [load for load, _ in search.runs.asked] == [1, 2, 4]


def test_a_search_that_is_stopped_at_once_knows_nothing():
    search = Search()
    search.runs.stopped = True
    found = search.climb()
    assert (search.runs.asked, found.steps, found.exit_code) == ([], (), 5)


def test_a_first_run_that_refuses_to_start_is_said_at_once():
    search = Search()
    search.runs.fails_at = 1
    with pytest.raises(UsageError, match="no answer from the target"):
        search.climb()


def test_a_later_run_that_fails_is_a_step_and_the_search_goes_on_below():
    search = Search()
    search.runs.fails_at = 4
    found = search.climb()
    assert [(step.load, step.verdict) for step in found.steps] == [
        (1, Verdict.HELD), (2, Verdict.HELD), (4, Verdict.FAILED), (3, Verdict.HELD),
    ]  # fmt: skip
    assert found.is_lower_bound
