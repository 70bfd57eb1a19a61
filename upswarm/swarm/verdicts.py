"""The thresholds of one run: how they stand while it goes on, whether one of them ends it, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from upswarm.errors import UsageError
from upswarm.results.metrics import Summary
from upswarm.results.run_file import Run
from upswarm.results.thresholds import Threshold, Verdict
from upswarm.scenario.expectations import Abort
from upswarm.scenario.model import Scenario
from upswarm.swarm.workers.gathering import Gathering


@dataclass(slots=True)
class Verdicts:
    """Judges a run by its scenario; `aborted` is what ended it early, if anything did."""

    scenario: Scenario
    thresholds: list[Threshold]
    aborts: list[Abort]
    baseline: Run | None = None
    aborted: Verdict | None = None

    @classmethod
    def of(cls, scenario: Scenario, baseline: str = "") -> Verdicts:
        """For runs of this scenario, compared with the run at a path, or that of the scenario itself.

        Raises `UsageError` where that can't be read or counts for nothing, and where one is needed and none is given.
        """
        thresholds, path = scenario.build_thresholds(), baseline or scenario.baseline
        if not path and scenario.needs().baseline:
            text = next(each.text for each in thresholds if each.factor)
            raise UsageError(f"expected a baseline for {text!r}, found none",
                             hint="give --baseline RUN, or `baseline: PATH` in the scenario")  # fmt: skip
        return cls(scenario, thresholds, scenario.build_aborts(), _measured(path) if path else None)

    def gathering(self, run_id: str, worker_ids: list[str]) -> Gathering:
        """Where a run's reports come together, so that it can be judged; no earlier one has ended it."""
        self.aborted = None
        return Gathering(run_id, worker_ids, self.scenario.needs(), warm_up_s=self.scenario.warm_up)

    def standing(self, gathering: Gathering, end_s: float) -> tuple[Verdict, ...]:
        """How each threshold stands by what is known so many seconds after the start of the run.

        What ended a run did not hold, whatever came of the uploads that were still under way.
        """
        before: Summary | None = None if self.baseline is None else self.baseline.judged
        seen = gathering.evidence(end_s, classes=self.scenario.class_names, baseline=before)
        found = (each.judge(seen) for each in self.thresholds)
        ended = self.aborted
        return tuple(ended if ended is not None and each.threshold == ended.threshold else each for each in found)

    def breach(self, gathering: Gathering, known_s: float) -> Verdict | None:
        """The verdict that ends a run of which all is known up to this moment; None where none does, yet."""
        due = {each.threshold.text for each in self.aborts if known_s >= self.scenario.warm_up + each.after_s}
        for verdict in self.standing(gathering, known_s) if due else ():
            if verdict.threshold in due and verdict.has_data and not verdict.holds:
                self.aborted = replace(verdict, observed=f"{verdict.observed} after {known_s:.1f} s")
                return verdict
        return None

    @property
    def notes(self) -> list[str]:
        """What it was compared with."""
        return [] if self.baseline is None else [f"the baseline of its thresholds is run {self.baseline.run_id}"]


def _measured(path: str) -> Run:
    run = Run.load(Path(path).expanduser())
    if run.generator_faults:
        raise UsageError(f"expected a baseline whose numbers count, found {path}, for {run.generator_faults[0]}",
                         hint="give another run")  # fmt: skip
    return run
