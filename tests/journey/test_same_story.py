"""One run in which everything happens at once: whoever has counted it tells the same story, to the last request."""

import csv
import json
from collections import Counter

import pytest

from tests.journey.runs import Workshop
from upswarm.audit.ledger import ledgers_of, read
from upswarm.results.audit_record import Fate
from upswarm.results.server_rows import server_rows
from upswarm.transfer.failures import NO_FAILURE

SCENARIO = """\
name: story
target:
  embedded:
    faults:
      - {phase: chunk, share: 5%, status: 503, retry_after_s: 0}
      - {phase: chunk, share: 4%, cut: request, body_share: 0.5}
      - {phase: finalize, share: 10%, cut: after_work}
      - {phase: init, share: 45%, status: 503}
      - {phase: any, share: 20%, delay_s: 0.3, max_delay_s: 1}
files:
  - {name: small, weight: 3, size: 64KiB}
  - {name: large, weight: 1, size: 512KiB}
transfer:
  chunk_size: 128KiB
  retry: {attempts: 3, base: 20ms}
  interrupt: {share: 25%, resume_in: 200ms, resume_on: another_worker}
  abort: 10%
workload: {arrivals: {stages: [{rate: 25/s, hold: 4s}], max_in_flight: 6}}
warm_up: 1500ms
audit: {}
thresholds: [upload.failed count >= 0]
"""
SECONDS = ("attempts", "failed", "bytes_sent", "finished", "finished_bytes")
IN_SERIES = ("attempts", "failed", "bytes_sent", "finished_bytes")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    workshop = Workshop(tmp_path_factory.mktemp("story"))
    path = workshop.folder / "story.yaml"
    path.write_text(SCENARIO)
    left = ("--events", "out.csv", "--", "--json-file", "locust.json")
    ended = workshop.upswarm("run", str(path), "--processes", "2", *left)
    assert ended.code == 0, ended.out + ended.err
    return workshop


@pytest.fixture(scope="module")
def run(workshop):
    return workshop.run()


@pytest.fixture(scope="module")
def events(workshop):
    rows = []
    for path in workshop.folder.glob("out.*.csv"):
        with path.open(newline="") as file:
            rows += csv.DictReader(file)
    return rows


def totals(part):
    phases = part.phases.values()
    return {
        "attempts": part.attempts,
        "failed": sum(tally.failed for tally in phases),
        "bytes_sent": sum(tally.bytes_sent for tally in phases),
        "finished": part.uploads.finished,
        "finished_bytes": part.uploads.finished_bytes,
    }


def ends(part):
    uploads = part.uploads
    return [uploads.finished, uploads.failed, uploads.aborted, uploads.stopped]


def test_all_of_it_has_happened(run):
    measured = run.measurements
    assert all(ends(measured)[:3]), ends(measured)
    assert measured.uploads.interruptions > 0 < measured.uploads.resumes
    assert measured.arrivals.dropped > 0 < measured.arrivals.begun
    assert all(totals(measured).values())
    assert len(run.workers) == 2


def test_seconds_add_up(run):
    seconds = run.measurements.seconds.values()
    assert {name: sum(getattr(each, name) for each in seconds) for name in SECONDS} == totals(run.measurements)
    arrivals = run.measurements.arrivals
    assert sum(each.late for each in seconds) == arrivals.late
    assert sum(each.dropped for each in seconds) == arrivals.dropped


def test_workers_add_up(run):
    whole = totals(run.measurements)
    for name in IN_SERIES:
        assert sum(sum(getattr(worker.series, name)) for worker in run.workers) == whole[name], name
    assert sum(worker.finished for worker in run.workers) == whole["finished"]
    assert sum(worker.finished_bytes for worker in run.workers) == whole["finished_bytes"]


def test_classes_add_up(run):
    classes = run.measurements.classes
    assert set(classes) == {"small", "large"}
    summed = Counter()
    for each in classes.values():
        summed.update(totals(each))
    assert summed == totals(run.measurements)
    assert [sum(column) for column in zip(*map(ends, classes.values()), strict=True)] == ends(run.measurements)


def test_intervals_add_up(run):
    intervals = [interval for _, interval in run.measurements.intervals.items()]
    phases = [tally for interval in intervals for tally in interval.phases.values()]
    found = {name: sum(getattr(tally, name) for tally in phases) for name in ("attempts", "failed", "bytes_sent")}
    found |= {name: sum(getattr(each.uploads, name) for each in intervals) for name in ("finished", "finished_bytes")}
    assert found == totals(run.measurements)
    assert sum(each.uploads.failed for each in intervals) == run.measurements.uploads.failed
    good = sum(tally.response_time.count for tally in run.measurements.phases.values())
    assert sum(tally.response_time.count for tally in phases) == good


def test_every_arrival_has_become_an_upload_or_was_dropped(run):
    assert run.measurements.arrivals.begun == sum(ends(run.measurements)) == run.measurements.files.made


def test_events_are_as_many(run, events):
    requests = [row for row in events if row["phase"] != "upload"]
    uploads = [row for row in events if row["phase"] == "upload"]
    good = [row for row in uploads if not row["failure"]]
    assert {
        "attempts": len(requests),
        "failed": sum(bool(row["failure"]) and row["failure"] not in NO_FAILURE for row in requests),
        "bytes_sent": sum(int(row["bytes_sent"]) for row in requests),
        "finished": len(good),
        "finished_bytes": sum(int(row["bytes_sent"]) for row in good),
    } == totals(run.measurements)
    assert len(uploads) == len({row["number"] for row in uploads}) == sum(ends(run.measurements))
    for name, part in run.measurements.classes.items():
        assert sum(row["file_class"] == name for row in requests) == part.attempts
    for worker in run.workers:
        assert sum(row["worker"] == worker.worker_id for row in good) == worker.finished


def test_the_warm_up_and_what_came_after_are_the_whole(run, events):
    settled = sum(float(row["ended_s"]) >= run.warm_up_s for row in events if row["phase"] != "upload")
    assert 0 < settled == run.settled.attempts < run.measurements.attempts
    in_time = [each.attempts for at, each in run.settled.seconds.items() if at >= int(run.warm_up_s)]
    assert sum(in_time) == settled


def test_the_ledger_has_a_receipt_for_each_finished_upload(workshop, run, events):
    (folder,) = workshop.reports.iterdir()
    entries = list(read(ledgers_of(folder)))
    assert {str(entry.number) for entry in entries} == {
        row["number"] for row in events if row["phase"] == "upload" and not row["failure"]
    }
    assert len(entries) == run.measurements.uploads.finished == run.audit.counts[Fate.INTACT]
    assert sum(entry.size_bytes for entry in entries) == run.measurements.uploads.finished_bytes


def test_the_server_does_not_contradict(run):
    assert {row.what: row.agrees for row in server_rows(run)} == {
        "requests answered": True,
        "bytes received": True,
        "files": True,
    }


def test_locusts_own_statistics_say_the_same(workshop, run):
    found = {row["name"]: row for row in json.loads((workshop.folder / "locust.json").read_text())}
    measured = run.measurements
    for phase, tally in measured.phases.items():
        if tally.attempts - tally.interrupted:
            row = found.pop(phase.value)
            assert row["num_requests"] == tally.attempts - tally.interrupted, phase
            assert row["num_failures"] == tally.failed + tally.stopped, phase
    uploads = found.pop("upload")
    assert uploads["num_requests"] == sum(ends(measured)) - measured.uploads.aborted
    assert uploads["num_failures"] == measured.uploads.failed + measured.uploads.stopped
    assert not found
