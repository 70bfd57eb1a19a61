"""A search for a capacity as it goes: which load is tried next, for how long, and when it is over.

Where a load's objectives stay unclear, or nothing settles, it is tried once more and twice as long, and only the
longer run counts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from upswarm.errors import UpswarmError
from upswarm.results.capacity import Capacity, End
from upswarm.results.run_file import Run
from upswarm.results.steps import Step, Verdict
from upswarm.swarm.search.question import START_S, Question
from upswarm.transfer.clock import Clock
from upswarm.workload.search import Search


class Runner(Protocol):
    """What makes a run of one load."""

    def measure(self, load: float, length_s: float) -> tuple[Run, str]:
        """The run, and where it lies; raises `UpswarmError` where there is none."""

    @property
    def stopped(self) -> bool:
        """Whether somebody wants the search to end: the last run was cut off, and there are no more."""


class Ascent:
    """`tell` hears of each load before it is tried, and of each step after it."""

    def __init__(self, question: Question, clock: Clock, runner: Runner, tell: Callable[[float | Step], None]) -> None:
        self._question = question
        self._clock = clock
        self._runner = runner
        self._tell = tell
        self._search = Search(question.bounds)
        self._steps: list[Step] = []
        self._started_s = clock.now()
        self._started_at = datetime.fromtimestamp(clock.wall(), UTC).isoformat(timespec="seconds")

    def climb(self) -> Capacity:
        """Search to the end; raises what the first run raises, for then nothing can be searched."""
        end, question = self._climb(), self._question
        return Capacity(
            name=question.name,
            target=question.target,
            by=question.by,
            objectives=tuple(each.text for each in question.objectives),
            precision_ratio=question.bounds.precision_ratio,
            started_at=self._started_at,
            elapsed_s=round(self._elapsed_s, 3),
            end=end,
            steps=tuple(self._steps),
        )

    @property
    def _elapsed_s(self) -> float:
        return self._clock.now() - self._started_s

    def _climb(self) -> End:
        while (load := self._search.next_load()) is not None:
            if not self._fits(self._question.step_s):
                return End.BUDGET
            self._tell(load)
            step = self._step(load)
            if step is None:
                return End.CUT_OFF
            self._steps.append(step)
            self._tell(step)
            self._search.judged(load, holds=step.verdict is Verdict.HELD)
        if self._search.held is None:
            return End.LEAST
        return End.MOST if self._search.gave_in is None else End.FOUND

    def _step(self, load: float) -> Step | None:
        """One load, judged; None where it was stopped before it could be."""
        step = self._once(load, self._question.step_s)
        longer_s = 2 * self._question.step_s
        if step is not None and step.verdict is Verdict.UNCLEAR and self._fits(longer_s):
            return self._once(load, longer_s)
        return step

    def _once(self, load: float, length_s: float) -> Step | None:
        if self._runner.stopped:
            return None
        try:
            run, place = self._runner.measure(load, length_s)
        except UpswarmError as error:
            if not (self._steps or self._runner.stopped):
                raise
            return None if self._runner.stopped else Step.failed(load, str(error), length_s)
        return None if self._runner.stopped else Step.of(load, run, self._question.objectives, length_s, place)

    def _fits(self, length_s: float) -> bool:
        return self._elapsed_s + length_s + START_S <= self._question.budget_s
