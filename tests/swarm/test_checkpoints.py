"""Checkpoints of a run that goes on: when they are written, and what they say."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.results.runs import run_of
from tests.results.samples import attempt, measured
from upswarm.errors import EXIT_GENERATOR
from upswarm.results.run_file import RUN_FILE, Run, WorkerRecord
from upswarm.swarm.checkpoints import EVERY_S, VARIABLE, Checkpoints


def run_now() -> Run:
    """Two workers take part, and a third was lost."""
    workers = (WorkerRecord("w1", "h", lost=True), WorkerRecord("w2", "h", lost=True, left_s=3.0))
    return replace(run_of(measured([(attempt(), 0)])), workers=workers, planned_s=60.0)


def written(folder: Path) -> bool:
    """Whether one was, which is taken away."""
    there = (folder / RUN_FILE).exists()
    (folder / RUN_FILE).unlink(missing_ok=True)
    return there


def test_one_is_written_when_it_is_due_and_the_next_so_much_later(tmp_path: Path) -> None:
    checkpoints, found = Checkpoints(tmp_path, run_now), {}
    for at_s in (1.0, EVERY_S - 1, EVERY_S, EVERY_S + 1, 2 * EVERY_S - 1, 200.0):
        checkpoints.look(at_s)
        found[at_s] = written(tmp_path)
    assert [at_s for at_s, there in found.items() if there] == [EVERY_S, 200.0]


def test_it_says_that_the_run_did_not_come_to_its_end_and_nobody_is_lost_who_is_there(tmp_path: Path) -> None:
    Checkpoints(tmp_path, run_now).look(EVERY_S)
    run = Run.load(tmp_path)
    assert (run.complete, run.exit_code) == (False, EXIT_GENERATOR)
    assert run.generator_faults == ("the run did not come to its end: this is what had been measured after 10.2 s",)
    assert {each.worker_id: each.lost for each in run.workers} == {"w1": False, "w2": True}


def test_a_run_that_is_still_to_be_audited_is_kept_as_it_was_measured(tmp_path: Path) -> None:
    Checkpoints(tmp_path, run_now).keep(run_now())
    run = Run.load(tmp_path)
    assert (run.complete, run.exit_code) == (False, EXIT_GENERATOR)
    assert run.generator_faults == ("the run was killed while it was audited; all of its 10.2 s had been measured",)
    assert {each.worker_id: each.lost for each in run.workers} == {"w1": True, "w2": True}


def test_a_disk_that_fails_is_no_trouble_yet(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    Checkpoints(tmp_path / "file", run_now).look(EVERY_S)


@pytest.mark.parametrize(("wished", "due_s"), [("5", 5.0), ("soon", EVERY_S), ("0", 0.1)])
def test_the_environment_says_how_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wished: str, due_s: float
) -> None:
    monkeypatch.setenv(VARIABLE, wished)
    checkpoints = Checkpoints(tmp_path, run_now)
    checkpoints.look(due_s - 0.05)
    assert not written(tmp_path)
    checkpoints.look(due_s)
    assert written(tmp_path)
