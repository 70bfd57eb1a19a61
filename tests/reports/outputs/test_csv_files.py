"""The CSV of a run: read back as a spreadsheet would."""

import csv
import io

import pytest
from click.testing import CliRunner

from tests.reports import runs
from upswarm.cli import cli
from upswarm.reports.outputs.csv_files import CSV_FILES, errors_csv, phases_csv, series_csv, workers_csv
from upswarm.results.measurements import Measurements
from upswarm.results.run_file import WorkerRecord
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase
from upswarm.transfer.records import Attempt


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_there_is_a_row_for_each_phase_and_one_for_uploads():
    run = runs.crashed()
    rows = {row["phase"]: row for row in table(phases_csv(run))}
    tally, uploads = run.measurements.phases[Phase.CHUNK], run.measurements.uploads
    assert list(rows) == ["init", "chunk", "finalize", "upload"]
    assert int(rows["chunk"]["count"]) == tally.attempts
    assert int(rows["chunk"]["succeeded"]) == tally.response_time.count
    assert int(rows["chunk"]["bytes"]) == tally.bytes_sent
    assert float(rows["chunk"]["response_time_p99_s"]) == tally.response_time.percentile_s(99)
    assert float(rows["chunk"]["service_time_p50_s"]) == tally.service_time.percentile_s(50)
    assert (int(rows["upload"]["succeeded"]), int(rows["upload"]["bytes"])) == (
        uploads.finished,
        uploads.finished_bytes,
    )


def test_the_seconds_add_up_and_none_is_left_out():
    run = runs.crashed()
    rows = table(series_csv(run))
    assert [int(row["second"]) for row in rows] == list(range(max(run.measurements.seconds) + 1))
    assert sum(int(row["finished_bytes"]) for row in rows) == run.measurements.uploads.finished_bytes
    assert sum(int(row["failed_attempts"]) for row in rows) == sum(
        tally.failed for tally in run.measurements.phases.values()
    )


def test_a_run_without_a_request_has_its_heads_and_no_second():
    assert [row["phase"] for row in table(phases_csv(runs.silent()))] == ["upload"]
    assert table(phases_csv(runs.silent()))[0]["response_time_p50_s"] == ""
    assert table(series_csv(runs.silent())) == []


def test_each_worker_and_how_it_fared_is_a_row():
    rows = table(workers_csv(runs.strained()))
    assert [(row["worker"], row["host"], row["lost"]) for row in rows] == [
        ("bench-1", "host-1", "0"),
        ("bench-2", "host-2", "0"),
        ("bench-3", "host-3", "0"),
    ]
    assert float(rows[0]["cpu_mean_ratio"]) == 0.97
    assert float(rows[1]["lag_p99_s"]) == 0.033
    assert [row["lost"] for row in table(workers_csv(runs.worker_lost()))] == ["0", "0", "1"]
    assert table(workers_csv(runs.good()))[0]["cpu_mean_ratio"] == ""


def test_each_kind_of_failure_is_a_row_with_its_first_example():
    measured, rows = runs.crashed().measurements, table(errors_csv(runs.crashed()))
    assert {(row["phase"], row["kind"]): int(row["count"]) for row in rows} == {
        **{("chunk", kind): count for kind, count in measured.phases[Phase.CHUNK].failures.items()},
        ("finalize", "server_error (503)"): 1,
        **{("upload", kind): count for kind, count in measured.uploads.failures.items()},
    }
    assert rows[2]["first_example"].startswith("503 not_ready · at 13.0 s · {")
    assert table(errors_csv(runs.good())) == []


def test_a_second_has_what_was_under_way_late_and_dropped():
    measured = Measurements()
    measured.record_in_flight(3, 0)
    measured.record_dropped(0.5)
    (row,) = table(series_csv(runs.run_of(measured)))
    assert (row["in_flight_uploads"], row["late_arrivals"], row["dropped_arrivals"]) == ("3", "0", "1")


@pytest.mark.parametrize("written", CSV_FILES.values())
@pytest.mark.parametrize("begin", "=+-@")
def test_nothing_that_anybody_says_can_become_a_formula(written, begin):
    evil = f'{begin}HYPERLINK("http://evil")'
    measured = runs.Users(8).run(1, 1.0)
    for message in (evil, f"\t{evil}"):
        measured.record_attempt(Attempt(Phase.INIT, 1, 0, 0, 0.1, 0, 400, Failure.REJECTED, message), 0)
    workers = (WorkerRecord(evil, evil),)
    run = runs.run_of(measured, scenario={"name": evil, "about": evil}, target=evil, workers=workers)
    for row in table(written(run)):
        assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())


def test_the_command_writes_all_of_them_beside_the_run(tmp_path):
    runs.good().save(tmp_path)
    result = CliRunner().invoke(cli, ["report", str(tmp_path), "--csv"])
    assert result.exit_code == 0
    for name, written in CSV_FILES.items():
        assert (tmp_path / name).read_text() == written(runs.good())
        assert f"csv       {tmp_path / name}" in result.output
