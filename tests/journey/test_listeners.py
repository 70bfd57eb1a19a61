"""Listeners of others hear of uploads in Locust's own words."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from upswarm.testing.runs import run_scenario

SCENARIO = """\
target: {embedded: {faults: [{phase: chunk, share: 30%, status: 503}]}}
files: [64KiB]
transfer: {retry: {attempts: 20, base: 10ms}}
workload: {users: {stages: [{to: 2, over: 0s}, {hold: 2s}], think_time: 50ms}}
"""
LOCUSTFILE = """\
from locust import events
from locust.contrib.csv_request_logger import CsvRequestLogger
from locust.debug import PrintListener
from upswarm.swarm import users
from upswarm.swarm.session import connect
from upswarm.swarm.shape import StagesShape
connect()
log = CsvRequestLogger("{log}")

class Somebody(users.UploadUser):
    latest = "nothing"
    def on_upload(self, outcome):
        self.latest = outcome.receipt.size_bytes
    def context(self):
        return {{"latest": self.latest}}

@events.init.add_listener
def listen(environment, **_):
    log.register(environment)
    PrintListener(environment, include_length=True, include_time=True, include_context=True)

@events.request.add_listener
def no_more_and_no_less(
    request_type, name, response_time, response_length, response, context, exception, start_time, url
):
    assert isinstance(exception, Exception | None), exception
    assert url.startswith("http://127.0.0.1:"), url
"""


def test_listeners_of_others_are_told_what_the_run_file_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    locustfile, log = tmp_path / "own.py", tmp_path / "requests.csv"
    locustfile.write_text(LOCUSTFILE.format(log=log))
    run = run_scenario(SCENARIO, locustfile=locustfile)
    assert (run.exit_code, run.generator_faults) == (0, ())
    with log.open() as file:
        rows = list(csv.DictReader(file))
    for phase, tally in run.measurements.phases.items():
        told = [row for row in rows if row["name"] == phase]
        assert len(told) == tally.attempts
        assert sum(int(row["response_length"]) for row in told) == tally.bytes_sent
        assert sum(row["exception"] != "" for row in told) == tally.failed
    assert sum(row["name"] == "upload" for row in rows) == run.measurements.uploads.finished
    assert {row["request_type"] for row in rows} == {"chunked"}
    started_s = datetime.fromisoformat(run.started_at).replace(tzinfo=UTC).timestamp()
    assert all(started_s <= float(row["timestamp"]) <= started_s + run.elapsed_s + 2 for row in rows)
    printed = capsys.readouterr().out
    assert re.search(r"chunked\tinit .*\{'latest': 'nothing'\}", printed)
    assert re.search(r"chunked\tupload .*\{'latest': 65536\}", printed)
    assert re.search(r"chunked\tchunk .*UploadProblem\('server_error \(503\)'\)", printed)


def test_what_a_listener_requests_of_a_user_is_done_when_its_upload_has_ended(tmp_path: Path) -> None:
    locustfile = tmp_path / "own.py"
    stopping = "from locust.exception import StopUser\n@events.request.add_listener\ndef stop(exception, **_):\n"
    locustfile.write_text(LOCUSTFILE.format(log=tmp_path / "requests.csv") + f"{stopping}    raise StopUser\n")
    run = run_scenario(SCENARIO, locustfile=locustfile)
    assert run.generator_faults == ()
    uploads = run.measurements.uploads
    assert (uploads.finished, uploads.failed, uploads.stopped) == (2, 0, 0), "each user uploads one file, and goes"


def test_a_listener_that_fails_costs_no_upload(tmp_path: Path) -> None:
    locustfile = tmp_path / "own.py"
    failing = "@events.request.add_listener\ndef fail(**_):\n    raise ValueError('too bad')\n"
    locustfile.write_text(LOCUSTFILE.format(log=tmp_path / "requests.csv") + failing)
    run = run_scenario(SCENARIO, locustfile=locustfile)
    assert run.failed_verdicts == ()
    assert run.measurements.uploads.finished > 10
    (fault,) = run.generator_faults
    assert fault.startswith("the generator failed: a listener ")
