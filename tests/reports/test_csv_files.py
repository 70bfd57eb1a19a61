"""The CSV of a run: read back as a spreadsheet would."""

import csv
import io

import pytest
from click.testing import CliRunner

from tests.reports import runs
from upswarm.cli import cli
from upswarm.reports.csv_files import CSV_FILES, phases_csv, series_csv
from upswarm.transfer.messages import Phase


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


@pytest.mark.parametrize("written", CSV_FILES.values())
def test_nothing_that_anybody_says_can_become_a_formula(written):
    evil = '=HYPERLINK("http://evil")'
    run = runs.run_of(runs.crashed().measurements, scenario={"name": evil, "about": evil}, target=evil)
    for row in table(written(run)):
        row.pop("phase", None)
        assert all(cell == "" or float(cell) >= 0 for cell in row.values())


def test_the_command_writes_both_beside_the_run(tmp_path):
    runs.good().save(tmp_path)
    result = CliRunner().invoke(cli, ["report", str(tmp_path), "--csv"])
    assert result.exit_code == 0
    for name, written in CSV_FILES.items():
        assert (tmp_path / name).read_text() == written(runs.good())
        assert f"csv       {tmp_path / name}" in result.output
