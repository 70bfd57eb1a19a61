"""Verdicts of real runs: of their parts, without their warm-up, beside another run, and before their time."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.journey.runs import Workshop, end_of, family
from upswarm.results.run_file import RUN_FILE, Run
from upswarm.transfer.messages import Phase

SMALL = "files: [{name: large, size: 64KiB}, {name: small, size: 1KiB}]\n"
USERS = "workload: {users: {stages: [{to: 2, over: 0s}, {hold: HOLD}], think_time: 20ms}}\n"
FAILING = "target: {embedded: {workers: 1, faults: [{phase: chunk, share: 100%, status: 503}]}}\n"
ONCE = "transfer: {retry: {attempts: 1}}\n"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def scenario(workshop: Workshop, *rooms: str, hold: str = "60s") -> str:
    path = workshop.folder / "question.yaml"
    path.write_text("".join(rooms).replace("HOLD", hold))
    return str(path)


@pytest.mark.parametrize("options", [(), ("--processes", "2")], ids=["local", "distributed"])
def test_a_threshold_ends_a_run_in_order(workshop: Workshop, options: tuple[str, ...]) -> None:
    line = "chunk.failed{class=each} rate over last 2s < 5%"
    wanted = (
        f'thresholds: [{{expect: "{line}", abort: true, after: 500ms}}, "upload.failed{{worker=each}} rate < 1%"]\n'
    )
    ended = workshop.upswarm("run", scenario(workshop, SMALL, USERS, FAILING, ONCE, wanted), *options)
    run = workshop.run()
    assert (ended.code, run.exit_code, run.generator_faults) == (3, 3, ()), ended.err
    assert run.elapsed_s < 30
    assert run.aborted_by == line
    assert any(f"a threshold ended the run: {line} did not hold, with 100 %" in note for note in run.notes)
    assert run.measurements.uploads.stopped == 0, "those under way could end"
    first, second = run.verdicts
    assert (first.holds, second.holds) == (False, False)
    assert re.fullmatch(r"100 % \((large|small)\) after \d+\.\d s", first.observed)
    assert second.part in {each.worker_id for each in run.workers}
    assert len(run.workers) == (2 if options else 1)


class Late(BaseHTTPRequestHandler):
    """A server that takes whole files, but not the first ones."""

    protocol_version = "HTTP/1.1"
    turned_away = 6

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, type(self).turned_away = (503 if self.turned_away else 201), max(0, self.turned_away - 1)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def late_server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Late) as server:  # one connection after the other, and there is only one user
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_what_fails_in_the_warm_up_is_shown_and_not_judged(workshop: Workshop, late_server: str) -> None:
    text = (
        f"target: {{url: '{late_server}', protocol: put}}\nfiles: [1KiB]\nwarm_up: 1s\n"
        "workload: {users: {stages: [{to: 1, over: 0s}, {hold: 2s}], think_time: 20ms}}\n"
        "thresholds: [upload.failed count == 0, upload.finished count > 0, chunk.failed rate over last 60s < 1%]\n"
    )
    ended = workshop.upswarm("run", scenario(workshop, text, ONCE))
    run = workshop.run()
    assert ended.code == 0, ended.out + ended.err
    assert run.settled is not None
    assert run.warm_up_s == 1.0
    assert (run.measurements.uploads.failed, run.settled.uploads.failed) == (6, 0)
    assert 0 < run.settled.uploads.finished < run.measurements.uploads.finished
    in_warm_up = sum(at.finished for second, at in run.measurements.seconds.items() if second < 1)
    assert run.settled.uploads.finished == run.measurements.uploads.finished - in_warm_up, "to the upload"
    assert min(run.settled.seconds) == 1


def test_a_run_is_compared_with_another_one(workshop: Workshop) -> None:
    text = "thresholds: [chunk.response_time p50 < baseline * 1000, goodput mean > baseline * 1000]\n"
    path = scenario(workshop, "files: [1KiB]\n", USERS, hold="500ms")
    assert workshop.upswarm("run", path).code == 0
    before = workshop.run()
    path = scenario(workshop, "files: [1KiB]\n", USERS, text, hold="500ms")
    refused = workshop.upswarm("run", path)
    assert refused.code == 2
    assert "expected a baseline for 'chunk.response_time p50 < baseline * 1000', found none" in refused.err
    folder = str(workshop.reports / before.run_id)
    workshop.reports = workshop.folder / "after"
    ended = workshop.upswarm("run", path, "--baseline", folder, "--reports", str(workshop.reports))
    run = workshop.run()
    assert ended.code == 3, ended.err
    quick, more = run.verdicts
    p50_s = before.judged.measurements.phases[Phase.CHUNK].response_time.percentile_s(50)
    assert quick.holds
    assert quick.limit == pytest.approx(1000 * p50_s)
    assert re.fullmatch(r".*/s \(baseline .*/s\)", more.observed)
    assert not more.holds


BURNING = """\
import time
import gevent
from locust import User, task
from locustfiles_upload import *

class Burner(User):
    fixed_count = 1

    @task
    def burn(self):
        until_s = time.perf_counter() + 0.01
        while time.perf_counter() < until_s:
            pass
        gevent.sleep(0)
"""


def test_a_generator_that_is_its_own_bottleneck_is_no_measurement(workshop: Workshop) -> None:
    (workshop.folder / "locustfiles_upload.py").write_text(workshop.locustfile.read_text())
    workshop.locustfile = workshop.folder / "burning.py"
    workshop.locustfile.write_text(BURNING)
    path = scenario(workshop, "files: [1KiB]\n", USERS, hold="3500ms")
    process = workshop.start(
        sys.executable, "-m", "locust", "-f", str(workshop.locustfile), "--headless", "--scenario", path,
        "--reports", str(workshop.reports), "--only-summary",
    )  # fmt: skip
    with family(process):
        ended = end_of(process)
    run = workshop.run()
    (worker,) = run.workers
    sentence = "the generator was the bottleneck, not the server: its one process had no CPU time left in up to "
    assert worker.health.seconds >= 3
    assert worker.health.saturated
    assert any(each.startswith(sentence) for each in run.generator_faults)
    assert ended.code == 5, ended.out + ended.err
    assert " ".join(ended.out.split()).count(sentence) == 1
    document = json.loads((workshop.reports / run.run_id / RUN_FILE).read_text())
    assert document["exit_code"] == ended.code == Run.load(workshop.reports / run.run_id).exit_code
