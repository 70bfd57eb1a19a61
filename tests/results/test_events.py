"""Every attempt by itself: a row each, in a file that is whole whenever somebody looks."""

import csv
import subprocess
import sys
from dataclasses import replace

import pytest
from pyarrow import parquet

from tests.results.samples import attempt, failed, finished
from upswarm.errors import UsageError
from upswarm.results import events_parquet
from upswarm.results.events import Event, check_path, free, open_sink
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase, Request, Timings

ABOUT = "run-1", "w1", 8.0


def event(at_s=0.0, **about):
    return Event.of_attempt(replace(attempt(Phase.CHUNK, 1.0), ended_s=8.0 + at_s, **about), *ABOUT)


def read(path):
    if path.suffix == ".parquet":
        return parquet.read_table(path).to_pylist()
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_an_attempt_is_a_row_whose_moments_are_seconds_of_the_run():
    row = event(3.5, file_name="f1", bytes_sent=7, status=503, failure=Failure.SERVER_ERROR,
                timings=Timings(0.25, 0.5, 0.75, reused=True))  # fmt: skip
    assert row == ("run-1", "w1", "f1", "", "chunk", 1, 2.0, 2.0, 3.5, 7, 503, "server_error", 0.25, 0.5, 0.75, True)


def test_an_upload_is_a_row_too():
    row = Event.of_outcome(replace(finished(1000), number=17), *ABOUT)
    assert (row.phase, row.number, row.bytes_sent, row.failure, row.sent_s) == ("upload", 17, 1000, None, None)
    assert Event.of_outcome(failed(Failure.GONE), *ABOUT).failure == "gone"


def test_a_row_holds_nothing_of_what_was_asked_or_said():
    asked = Request(Phase.CHUNK, "PUT", "/secret", {"Authorization": "Bearer secret"})
    assert "secret" not in repr(event(asked=asked, message="secret"))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_was_added_is_read_again(tmp_path, suffix):
    path = tmp_path / "new" / f"out{suffix}"
    sink = open_sink(path)
    for number in range(10):
        sink.add(event(float(number), bytes_sent=number))
    sink.close()
    assert [int(row["bytes_sent"]) for row in read(path)] == list(range(10))
    assert list(read(path)[0]) == list(Event._fields)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_nothing_that_is_there_is_overwritten(tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    for number in (1, 2, 3):
        sink = open_sink(path)
        sink.add(event(bytes_sent=number))
        sink.close()
    assert [read(tmp_path / f"out{end}{suffix}")[0]["bytes_sent"] for end in ("", "-2", "-3")] in ([1, 2, 3], [*"123"])
    assert free(path).name == f"out-4{suffix}"


def test_parts_of_parquet_are_whole_before_the_run_is_over(tmp_path, monkeypatch):
    monkeypatch.setattr(events_parquet, "ROWS_AT_ONCE", 10)
    monkeypatch.setattr(events_parquet, "PART_ROWS", 30)
    sink = open_sink(tmp_path / "out.parquet")
    for number in range(75):
        sink.add(event(number / 100, bytes_sent=number))
    parts = sorted(tmp_path.glob("*.parquet"))
    assert [len(read(part)) for part in parts] == [30, 30]
    assert len(sink._rows) < 10, "memory does not grow"
    sink.close()
    rows = [row for part in sorted(tmp_path.glob("*.parquet")) for row in read(part)]
    assert sorted(row["bytes_sent"] for row in rows) == list(range(75))
    assert parquet.read_table(tmp_path / "out.parquet").schema == events_parquet.SCHEMA


def test_a_part_that_tells_of_long_enough_is_closed_too(tmp_path):
    sink = open_sink(tmp_path / "out.parquet")
    for at_s in (0.0, 299.0, 301.0, 302.0):
        sink.add(event(at_s))
    assert len(read(tmp_path / "out.parquet")) == 3
    sink.close()


def test_lines_of_csv_are_there_a_second_later(tmp_path):
    sink = open_sink(tmp_path / "out.csv")
    for at_s in (0.1, 0.5, 1.7):
        sink.add(event(at_s))
    assert len(read(tmp_path / "out.csv")) == 3
    sink.close()


@pytest.mark.parametrize("name", ["out.json", "out", "out.parquet.gz"])
def test_another_kind_of_file_is_refused(tmp_path, name):
    for refuses in (check_path, open_sink):
        with pytest.raises(UsageError, match=r"expected a file for events that ends in \.csv or \.parquet"):
            refuses(tmp_path / name)


def test_without_pyarrow_it_is_said_what_to_install():
    code = (
        "import sys; sys.modules['pyarrow'] = None; from pathlib import Path\n"
        "from upswarm.results.events import check_path; check_path(Path('out.csv'))\n"
        "try: check_path(Path('out.parquet'))\n"
        "except Exception as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'upswarm[parquet]'" in said
