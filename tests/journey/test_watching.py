"""A run is watched while it goes on: on a terminal, and by Prometheus."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.journey.runs import PATIENCE_S, Workshop, await_line, end_of, family
from tests.servers import wait_for
from tests.verbs import terminal
from upswarm.results.run_file import Run
from upswarm.swarm.telemetry.figures import BUCKETS_S

SCENARIO = """\
name: watched
target: embedded
files: [{size: {uniform: [1MiB, 3MiB]}}]
transfer: {chunk_size: 1MiB}
workload: {users: {stages: [{to: 2, over: 0s}, {hold: %s}]}}
thresholds: [upload.failed count == 0]
"""
LOUD = """\
import logging
import gevent
from locust import events
from upswarm.swarm.session import connect
from upswarm.swarm.shape import StagesShape
from upswarm.swarm.users import UploadUser

__all__ = ["StagesShape", "UploadUser"]
connect()

@events.test_start.add_listener
def speak(**_):
    gevent.spawn_later(1.2, print, "somebody printed this")
    gevent.spawn_later(1.3, logging.getLogger("locust").warning, "somebody logged that")
"""
SHOW, HIDE = "\x1b[?25h", "\x1b[?25l"
ESCAPE = re.compile(r"\x1b\[[?\d;]*[A-Za-z]")


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture
def seat(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """The workshop at a terminal of 80 columns and 24 rows."""
    for name in ("CI", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm", "COLUMNS": "80", "LINES": "24"}.items():
        monkeypatch.setenv(name, value)
    return workshop


def written(workshop: Workshop, hold: str) -> str:
    path = workshop.folder / "watched.yaml"
    path.write_text(SCENARIO % hold)
    return str(path)


def plain(seen: str) -> str:
    """Without what moves the cursor; a line that is written over is followed by what is written there."""
    return ESCAPE.sub("", re.sub("\r\n?", "\n", seen))


def test_a_terminal_shows_the_run_and_is_left_as_it_was(seat: Workshop) -> None:
    (seat.folder / "loud.py").write_text(LOUD)
    command = ("run", written(seat, "2s"), "--", "-f", "loud.py")
    with terminal.upswarm(seat.folder, *command) as user:
        user.await_text("users 2, 0:0")
        assert user.end() == 0
        before, _, after = user.seen.rpartition(SHOW)
    assert HIDE in before
    assert HIDE not in after
    assert "No attempt and no upload failed." in after
    drawn, lines = plain(before), plain(user.seen).split("\n")
    assert "somebody printed this" in lines
    assert any(re.fullmatch(r"\[.*\] .*/WARNING/locust: somebody logged that", line) for line in lines)
    assert "uploads in flight" in drawn
    assert "✓ upload.failed count == 0" in drawn
    assert not re.search(r"^\d\d:\d\d/", drawn, re.MULTILINE), "no progress lines beside the view"
    assert max(map(len, drawn.split("\n"))) <= 80


def test_ctrl_z_and_ctrl_c_leave_a_terminal_with_its_cursor(seat: Workshop) -> None:
    with terminal.upswarm(seat.folder, "run", written(seat, "60s"), "--processes", "2", shell=True) as user:
        user.await_text("2 workers")
        user.type("\x1a")
        user.await_text("[stopped]")
        stopped = user.seen
        user.type("fg\n")
        user.await_text("2 workers")
        user.type("\x03")
        assert user.end() == 5
        again, _, after = user.seen.removeprefix(stopped).rpartition(SHOW)
    assert stopped.rindex(HIDE) < stopped.rindex(SHOW) < stopped.rindex("[stopped]")
    assert HIDE in again
    assert HIDE not in after
    assert "Exit code 5" in after


def test_plain_lines_are_there_for_whoever_wants_them(seat: Workshop) -> None:
    with terminal.upswarm(seat.folder, "run", written(seat, "1s"), "--plain") as user:
        user.await_text("00:01/00:01  2 users")
        assert user.end() == 0
    assert HIDE not in user.seen


def scraped(url: str) -> dict[tuple[str, ...], float]:
    """The values of a scrape, by name and labels."""
    with urlopen(url, timeout=PATIENCE_S) as answer:
        text = answer.read().decode()
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for metric in text_string_to_metric_families(text)
        for sample in metric.samples
    }


def test_prometheus_is_told_what_the_run_file_says(workshop: Workshop) -> None:
    options = ("--autostart", "--web-port", "0", "--loglevel", "WARNING", "--metrics-port", "0")
    process = workshop.locust("--scenario", written(workshop, "2s"), *options)
    with family(process):
        url = await_line(process.stdout, "^metrics ").split()[1]
        assert scraped(url)[("upswarm_load_running",)] == 0
        wait_for(lambda: scraped(url).get(("upswarm_load_attempts_total", "chunk"), 0) > 0, PATIENCE_S)
        assert scraped(url)[("upswarm_load_running",)] == 1
        assert scraped(url)[("upswarm_load_users",)] == 2
        await_line(process.stdout, "^report ")
        found = scraped(url)
        with pytest.raises(HTTPError, match="404"):
            urlopen(url.replace("/metrics", "/"), timeout=PATIENCE_S)
        process.terminate()
        end_of(process)
    run = workshop.run()
    assert_the_same(found, run)


def assert_the_same(found: dict[tuple[str, ...], float], run: Run) -> None:
    name = "upswarm_load_"
    uploads = run.measurements.uploads
    assert uploads.finished > 3
    assert found[(f"{name}running",)] == 0
    assert found[(f"{name}run_info", run.run_id, "watched")] == 1
    assert found[(f"{name}uploads_total", "finished")] == uploads.finished
    assert found[(f"{name}finished_bytes_total",)] == uploads.finished_bytes
    assert found[(f"{name}upload_response_time_seconds_count",)] == uploads.finished
    assert found[(f"{name}threshold_holds", "upload.failed count == 0")] == 1
    for phase, tally in run.measurements.phases.items():
        assert found[(f"{name}attempts_total", phase)] == tally.attempts
        assert found[(f"{name}sent_bytes_total", phase)] == tally.bytes_sent
        assert found[(f"{name}response_time_seconds_count", phase)] == tally.response_time.count
        for end_s in BUCKETS_S:
            below = sum(count for time_s, count in tally.response_time.counts() if time_s <= end_s)
            bucket = f"{name}response_time_seconds_bucket"
            assert found.get((bucket, f"{end_s}", phase), found.get((bucket, f"{end_s:g}", phase))) == below


def test_a_port_that_is_taken_is_said_before_anything_starts(workshop: Workshop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = workshop.upswarm("run", written(workshop, "3s"), "--metrics-port", port)
    assert ended.code == 2
    assert f"metrics can't be offered at 127.0.0.1:{port}: the port is taken" in ended.err
    assert not workshop.reports.exists()
