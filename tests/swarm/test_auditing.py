"""Of a worker that was lost, a run says where its last receipts are, or that there are none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.reports.runs import worker_lost
from upswarm.audit.ledger import worker_file
from upswarm.results.run_file import Run
from upswarm.swarm.auditing import elsewhere


def lost_on(host: str) -> tuple[Run, str]:
    run = worker_lost()
    (worker_id,) = (each.worker_id for each in run.workers if each.lost)
    workers = tuple(replace(each, host=host) if each.lost else each for each in run.workers)
    return replace(run, workers=workers), worker_id


def test_the_ledger_of_one_on_another_machine_is_there(tmp_path: Path) -> None:
    run, worker_id = lost_on("faraway")
    (note,) = elsewhere(run, tmp_path, [worker_id])
    assert f"may stand in its ledger.{worker_id}.jsonl on faraway" in note


def test_one_on_this_machine_without_a_ledger_was_promised_nothing(tmp_path: Path) -> None:
    run, worker_id = lost_on(worker_lost().machine.host)
    (note,) = elsewhere(run, tmp_path, [worker_id])
    assert f"has left no ledger.{worker_id}.jsonl in the run's folder: before it was lost, it was promised" in note


@pytest.mark.parametrize("host", ["faraway", worker_lost().machine.host])
def test_where_a_ledger_lies_in_the_folder_there_is_nothing_to_say(tmp_path: Path, host: str) -> None:
    run, worker_id = lost_on(host)
    worker_file(tmp_path, worker_id).touch()
    assert elsewhere(run, tmp_path, [worker_id]) == []
