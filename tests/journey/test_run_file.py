"""Run files of real runs: valid by the published schema, readable by others, and there after a SIGKILL."""

import json
import os
import signal
import time
from pathlib import Path

import jsonschema
import pytest
from hdrh.histogram import HdrHistogram
from pyarrow import parquet

from tests.journey.runs import PATIENCE_S, Workshop, family
from tests.journey.test_events import agrees
from upswarm.errors import EXIT_GENERATOR
from upswarm.results.run_file import RUN_FILE, Run
from upswarm.results.server_rows import server_rows

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "run.schema.json").read_text())


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    """A run of two workers that has ended."""
    workshop = Workshop(tmp_path_factory.mktemp("run-file"), UPSWARM_CHECKPOINT_S="1")
    command = ("run", workshop.scenario(hold="2s"), "--processes", "2", "--events", "raw/out.parquet")
    ended = workshop.upswarm(*command)
    assert ended.code == 0, ended.err
    return workshop


@pytest.fixture(scope="module")
def document(workshop):
    (folder,) = workshop.reports.iterdir()
    return json.loads((folder / RUN_FILE).read_text())


def test_a_real_run_file_is_what_the_schema_says(document):
    jsonschema.validate(document, SCHEMA)
    assert document["complete"] is True


def test_the_columns_of_all_seconds_add_up_to_what_was_sent(document):
    seconds, phases = document["measurements"]["seconds"], document["measurements"]["phases"].values()
    assert sum(seconds["attempts"]) == sum(phase["attempts"] for phase in phases)
    assert sum(seconds["bytes_sent"]) == sum(phase["bytes_sent"] for phase in phases)
    assert any(seconds["in_flight"])


def test_each_worker_has_a_series_of_its_own_and_together_they_are_the_run(document):
    assert len(document["workers"]) == 2
    for name in ("attempts", "bytes_sent", "finished_bytes"):
        own = [sum(worker["series"][name]) for worker in document["workers"]]
        assert all(own)
        assert sum(own) == sum(document["measurements"]["seconds"][name])
    assert {worker["joined_s"] for worker in document["workers"]} == {0.0}
    assert {worker["left_s"] for worker in document["workers"]} == {None}


def test_another_hdr_library_reads_the_histograms(document, workshop):
    written = HdrHistogram(1, 3_600_000_000, 3)
    written.decode_and_add(document["measurements"]["phases"]["chunk"]["response_time"])
    ours = workshop.run().measurements.phases["chunk"].response_time
    assert written.get_total_count() == ours.count > 0
    assert written.get_max_value() == round(ours.max_s * 1e6)
    assert written.get_mean_value() == pytest.approx(ours.mean_s * 1e6, rel=1e-3)


def test_another_hdr_library_reads_those_of_intervals_too(document):
    together = HdrHistogram(1, 3_600_000_000, 2)
    for interval in document["measurements"]["intervals"]["intervals"]:
        times = interval["phases"].get("chunk", {}).get("response_time")
        if times:
            together.decode_and_add(times)
    chunk = document["measurements"]["phases"]["chunk"]
    assert together.get_total_count() == chunk["attempts"] - chunk["failed"] - chunk["stopped"]


def test_a_run_that_was_killed_outright_leaves_its_last_checkpoint(tmp_path):
    workshop = Workshop(tmp_path, UPSWARM_CHECKPOINT_S="1")
    process = workshop.begin("run", workshop.scenario(hold="60s"))
    with family(process):
        path = await_checkpoint(workshop)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(PATIENCE_S)
    jsonschema.validate(json.loads(path.read_text()), SCHEMA)
    run = Run.load(path)
    assert (run.complete, run.exit_code) == (False, EXIT_GENERATOR)
    assert run.measurements.attempts > 0
    assert [worker.lost for worker in run.workers] == [False]
    report = workshop.upswarm("report", str(path.parent))
    assert "the run did not come to its end" in report.out
    assert (path.parent / "report.html").stat().st_size > 1000


def await_checkpoint(workshop):
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        found = list(workshop.reports.glob(f"*/{RUN_FILE}"))
        if found:
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no checkpoint was written")


def test_the_servers_own_counts_are_there_and_agree_with_the_clients(workshop):
    run = workshop.run()
    assert any(name.startswith("upswarm_requests_total{") for name in run.server)
    assert {row.what: row.agrees for row in server_rows(run)} == {
        "requests answered": True,
        "bytes received": True,
        "files": True,
    }


def test_each_worker_keeps_its_events_in_a_file_of_its_own(workshop):
    run = workshop.run()
    files = {worker.worker_id: workshop.folder / "raw" / f"out.{worker.worker_id}.parquet" for worker in run.workers}
    assert sorted(files.values()) == sorted((workshop.folder / "raw").iterdir())
    rows = {worker_id: parquet.read_table(path).to_pylist() for worker_id, path in files.items()}
    assert all({row["worker"] for row in own} == {worker_id} for worker_id, own in rows.items())
    agrees(run, [row for own in rows.values() for row in own])
