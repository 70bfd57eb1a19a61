"""Thresholds over the life of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.results.runs import run_of, series, with_failures
from upswarm.errors import UsageError
from upswarm.results.measurements import Measurements
from upswarm.scenario.loader import resolve
from upswarm.swarm.verdicts import Verdicts
from upswarm.swarm.workers.gathering import Gathering, Reporting

ABORT = {"expect": "chunk.failed rate < 5%", "abort": True, "after": "3s"}


def of(*thresholds: Any, baseline: str = "", **more: Any) -> Verdicts:
    return Verdicts.of(resolve({"thresholds": thresholds, **more}), baseline)


def gathered(verdicts: Verdicts, measurements: Measurements) -> Gathering:
    gathering = verdicts.gathering("run", ["local"])
    gathering.take("local", Reporting("run", "h").report(Measurements(), settled=measurements)
                   if verdicts.scenario.warm_up else Reporting("run", "h").report(measurements))  # fmt: skip
    return gathering


def failing() -> Measurements:
    return with_failures(series(lambda at_s: 0.1, length_s=5.0), [4.0] * 50)


def test_a_threshold_ends_a_run_when_its_time_has_come_and_its_verdict_stays() -> None:
    verdicts = of(ABORT, "upload.finished count > 0")
    gathering = gathered(verdicts, failing())
    assert verdicts.breach(gathering, 2.9) is None, "not yet"
    found = verdicts.breach(gathering, 4.5)
    assert found is not None
    assert (found.threshold, found.observed) == ("chunk.failed rate < 5%", "20 %")
    gathering.take("local", {**Reporting("run", "h").report(series(lambda at_s: 0.1, 500.0)), "number": 2})
    last = verdicts.standing(gathering, 500.0)
    assert [(each.holds, each.observed) for each in last] == [(False, "20 % after 4.5 s"), (True, "20,200")]


def test_the_grace_counts_from_the_end_of_the_warm_up() -> None:
    verdicts = of(ABORT, warm_up="2s")
    gathering = gathered(verdicts, failing())
    assert verdicts.breach(gathering, 4.9) is None
    assert verdicts.breach(gathering, 5.0) is not None


def test_no_data_and_what_has_no_say_end_nothing() -> None:
    verdicts = of({**ABORT, "after": "0s"}, "upload.finished count > 1000")
    assert verdicts.breach(verdicts.gathering("run", ["local"]), 9.0) is None
    assert verdicts.breach(gathered(verdicts, series(lambda at_s: 0.1)), 9.0) is None


def test_a_run_that_was_ended_says_nothing_of_the_next_one() -> None:
    verdicts = of(ABORT)
    assert verdicts.breach(gathered(verdicts, failing()), 4.5) is not None
    gathered(verdicts, series(lambda at_s: 0.1))
    assert verdicts.aborted is None


def test_a_baseline_is_needed_where_a_threshold_compares_with_one(tmp_path: Path) -> None:
    text = "chunk.response_time p50 < baseline * 1.1"
    with pytest.raises(UsageError, match=r"^expected a baseline for 'chunk.*', found none\n +give --baseline RUN"):
        of(text)
    run_of(series(lambda at_s: 0.1)).save(tmp_path / "before")
    verdicts = of(text, baseline=str(tmp_path / "before"))
    (slow,) = verdicts.standing(gathered(verdicts, series(lambda at_s: 0.12)), 10.0)
    assert (slow.holds, slow.observed) == (False, "120 ms (baseline 100 ms)")
    (same,) = verdicts.standing(gathered(verdicts, series(lambda at_s: 0.1)), 10.0)
    assert same.holds
    assert verdicts.notes == ["the baseline of its thresholds is run 20250314-092653-cap"]


def test_a_baseline_that_is_none_is_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a run file, found nothing at"):
        of(baseline=str(tmp_path / "nowhere"))
    run_of(Measurements(), ("no request was sent",)).save(tmp_path / "void")
    with pytest.raises(UsageError, match=r"expected a baseline whose numbers count, found .*for no request was sent"):
        of(baseline=str(tmp_path / "void"))
