"""Run files of older versions: one that a run of those days really left, and what the very first lacked."""

import json
from pathlib import Path

import pytest

from upswarm.results.histogram import Histogram
from upswarm.results.run_file import SCHEMA_VERSION, Run
from upswarm.results.run_upgrade import upgraded
from upswarm.transfer.messages import Phase

SAMPLE = Path(__file__).parent / "run-v1.json"


@pytest.fixture
def document():
    return json.loads(SAMPLE.read_text())


def test_a_run_file_of_version_1_is_read_with_all_its_numbers(document):
    run, chunk = Run.load(SAMPLE), document["measurements"]["phases"]["chunk"]
    assert document["schema_version"] == 1
    assert run.measurements.phases[Phase.CHUNK].attempts == chunk["attempts"] > 100
    assert run.measurements.phases[Phase.CHUNK].failures == chunk["failures"] != {}
    assert run.measurements.phases[Phase.CHUNK].response_time.encode() == chunk["response_time"]
    assert run.exit_code == document["exit_code"] == 3
    assert [worker.worker_id for worker in run.workers] == ["local"]


def test_the_times_of_its_intervals_are_still_those_of_its_phases():
    measured, together = Run.load(SAMPLE).measurements, Histogram()
    for number in range(len(measured.intervals)):
        measured.intervals.at(number).phase(Phase.CHUNK).response_time.add_to(together)
    whole = measured.phases[Phase.CHUNK].response_time
    assert together.count == whole.count
    for percentile in (1, 50, 99, 100):
        assert together.percentile_s(percentile) == pytest.approx(whole.percentile_s(percentile), rel=0.005)


def test_its_seconds_are_where_they_were(document):
    seconds = Run.load(SAMPLE).measurements.seconds
    assert {at: (each.attempts, each.bytes_sent, each.cpu_ms) for at, each in seconds.items()} == {
        each["second"]: (each["attempts"], each["bytes_sent"], each["cpu_ms"])
        for each in document["measurements"]["seconds"]
    }


def test_it_is_written_in_the_newest_form_and_is_then_the_same_run(tmp_path):
    old = Run.load(SAMPLE)
    new = Run.load(old.save(tmp_path))
    assert json.loads((tmp_path / "run.json").read_text())["schema_version"] == SCHEMA_VERSION
    assert new.measurements.to_document() == old.measurements.to_document()
    assert (new.workers, new.verdicts, new.complete) == (old.workers, old.verdicts, True)


def test_what_nobody_had_looked_at_in_the_first_files_is_nothing(document):
    measured = document["measurements"]
    for name in ("arrivals", "files", "generator", "examples", "intervals"):
        del measured[name]
    for name in ("interrupted", "unretried", "connected", "reused", "connect_time", "send_time", "wait_time"):
        del measured["phases"]["chunk"][name]
    for name in ("aborted", "interruptions", "restarts", "resent_bytes"):
        del measured["uploads"][name]
    for second in measured["seconds"]:
        del second["cpu_ms"]
    for worker in document["workers"]:
        del worker["health"], worker["finished"], worker["finished_bytes"]
    del document["notes"], document["workload"]
    run = Run._of_document(upgraded(document))
    assert run.measurements.phases[Phase.CHUNK].send_time.count == run.measurements.uploads.aborted == 0
    assert (run.workers[0].health.seconds, run.notes, len(run.measurements.intervals)) == (0, (), 0)


def test_the_newest_form_is_left_as_it_is(tmp_path):
    newest = json.loads(Run.load(SAMPLE).save(tmp_path).read_text())
    assert upgraded(newest) is newest
