"""`--events`: as many rows as attempts; a disk that fails ends nothing. Those of workers are in test_run_file.py."""

import csv

import pytest

from tests.journey.runs import Workshop
from tests.servers import running_server


@pytest.fixture
def workshop(tmp_path):
    return Workshop(tmp_path)


def agrees(run, rows):
    attempts = [row for row in rows if row["phase"] != "upload"]
    uploads = [row for row in rows if row["phase"] == "upload"]
    assert len(attempts) == run.measurements.attempts > 0
    assert sum(int(row["bytes_sent"]) for row in attempts) == sum(
        tally.bytes_sent for tally in run.measurements.phases.values()
    )
    assert sum(not row["failure"] for row in uploads) == run.measurements.uploads.finished
    assert {row["run_id"] for row in rows} == {run.run_id}
    assert all(0 <= float(row["ended_s"]) <= run.elapsed_s for row in rows)


def test_a_local_run_keeps_every_attempt_as_csv(workshop):
    """And what its target shows at `target.metrics` is nothing of the kind, which is no trouble."""
    with running_server(workshop.folder) as server:
        scenario = workshop.scenario(target=f"{{url: '{server.url}', metrics: /health/live}}", hold="1s")
        assert workshop.upswarm("run", scenario, "--events", "out.csv").code in {0, 3}
    with (workshop.folder / "out.csv").open(newline="") as file:
        agrees(workshop.run(), list(csv.DictReader(file)))
    assert workshop.run().server == {}


def test_a_disk_that_does_not_want_them_is_told_of_once_and_the_run_goes_on(workshop):
    (workshop.folder / "file").touch()
    ended = workshop.upswarm("run", workshop.scenario(hold="1s"), "--events", "file/out.csv")
    assert ended.code == 5
    (fault,) = workshop.run().generator_faults
    assert "events can't be kept any more" in fault
    assert workshop.run().measurements.attempts > 0


def test_a_file_of_another_kind_is_refused_before_anything_starts(workshop):
    ended = workshop.upswarm("run", workshop.scenario(), "--events", "out.xlsx")
    assert ended.code == 2
    assert "ends in .csv or .parquet" in ended.err
    assert not workshop.reports.exists()
