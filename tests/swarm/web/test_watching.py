from pathlib import Path

import pytest

from tests.reports import runs
from upswarm.results.measurements import Measurements
from upswarm.results.run_file import WorkerRecord
from upswarm.swarm.web.watching import Watch
from upswarm.transfer.records import End, Outcome

LATER_S = 30.0


@pytest.fixture
def watch():
    watch = Watch()
    watch.begin()
    return watch


def report(watch, worker_id, at_s, *, in_flight=1, last=False, finished_bytes=0):
    measured = Measurements()
    if finished_bytes:
        measured.record_outcome(Outcome(End.FINISHED, "f", finished_bytes, 0.0, at_s), at_s)
    watch.heard(worker_id, {"in_flight": in_flight, "last": last}, measured, at_s)


def states(watch, at_s, *records, missing=(), over=False):
    return [worker.state for worker in watch.workers(records, at_s, missing=missing, over=over)]


def test_uploads_in_flight_are_the_sum_of_those_who_have_reported_lately(watch):
    report(watch, "a", 3.0, in_flight=2)
    report(watch, "b", 4.0, in_flight=5)
    assert watch.in_flight(4.0) == 7
    assert watch.in_flight(LATER_S) == 0
    assert watch.levels.points() == [(3.0, 2), (4.0, 7)]


def test_what_one_who_still_reports_has_not_told_is_not_known(watch):
    report(watch, "a", 3.0)
    report(watch, "b", 5.5)
    assert watch.known_s(6.0) == 3.0
    report(watch, "a", 6.0, last=True)
    assert watch.known_s(6.1) == 5.5
    assert watch.known_s(LATER_S) == LATER_S  # nobody waits for those who are silent


def test_the_goodput_of_a_worker_is_that_of_its_last_report(watch):
    for at_s, finished_bytes in ((3.0, 300), (6.0, 900)):
        report(watch, "a", at_s, finished_bytes=finished_bytes)
    (worker,) = watch.workers([WorkerRecord("a", "bench")], 8.0, missing=(), over=False)
    assert (worker.goodput_per_s, worker.reports, worker.age_s) == (300, 2, 2.0)


def test_a_worker_uploads_is_lost_has_left_or_is_complete(watch):
    unheard, whole = WorkerRecord("a", "bench", lost=True), WorkerRecord("b", "bench", left_s=2.0)
    assert states(watch, 1.0, unheard) == ["no report yet"]
    report(watch, "a", 3.0)
    assert states(watch, 4.0, unheard, whole) == ["uploading", "has left"]
    assert states(watch, 4.0, WorkerRecord("c", "bench")) == ["complete"], "the run has ended, and is audited"
    assert states(watch, 4.0, unheard, missing=["a"]) == ["lost"]
    assert states(watch, 9.0, unheard, whole, over=True) == [
        "lost: not everything that it measured arrived",
        "complete",
    ]


def test_the_last_twenty_runs_can_be_found_newest_first(watch):
    for number in range(25):
        watch.ended(runs.run_of(runs.good().measurements, run_id=f"run-{number}"), Path(str(number)))
    assert [run.run_id for run in watch.past] == [f"run-{number}" for number in range(24, 4, -1)]
    assert watch.folder("run-24") == Path("24")
    assert watch.folder("run-4") is None
    assert watch.folder("../journey") is None
