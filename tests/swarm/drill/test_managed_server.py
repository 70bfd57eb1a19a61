"""A server that is broken on purpose comes back as it was, and nothing is left of it, however its run ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest

from upswarm.errors import TargetError, UsageError
from upswarm.swarm.drill import disk
from upswarm.swarm.embedded import EmbeddedServer

GONE_S = 15
HOLDER = """
import sys, time
from upswarm.swarm.embedded import EmbeddedServer
server = EmbeddedServer({"UPSWARM_WORKERS": "1"}, 16 << 20)
server.pause()
print(server._process.pid, server.disk._holder.pid, server._folder, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    server = EmbeddedServer({"UPSWARM_WORKERS": "1"}, 32 << 20)
    yield server
    server.stop()


def ask(server: EmbeddedServer, method: str, path: str, document: object = None) -> dict[str, object]:
    data = None if document is None else json.dumps(document).encode()
    request = Request(server.url + path, data, {"Content-Type": "application/json"}, method=method)
    with urlopen(request, timeout=10) as answer:
        return dict(json.load(answer))


def begin(server: EmbeddedServer, size_bytes: int) -> dict[str, object]:
    return ask(server, "POST", "/v1/uploads", {"filename": "a", "size_bytes": size_bytes})


def test_it_comes_back_on_the_same_port_with_what_it_had(server: EmbeddedServer) -> None:
    upload = begin(server, 1 << 20)["upload_id"]
    before = server.worker_pids()
    server.kill()
    assert server.worker_pids() == []
    server.start_again()
    assert ask(server, "GET", f"/v1/uploads/{upload}")["upload_id"] == upload
    assert len(server.worker_pids()) == 1
    assert not set(before) & set(server.worker_pids())


def test_others_that_tidy_up_leave_it_alone_while_it_is_away(server: EmbeddedServer) -> None:
    upload = begin(server, 1 << 20)["upload_id"]
    server.kill()
    EmbeddedServer({"UPSWARM_WORKERS": "1"}).stop()
    server.start_again()
    assert ask(server, "GET", f"/v1/uploads/{upload}")["upload_id"] == upload


def test_it_stands_still_and_goes_on(server: EmbeddedServer) -> None:
    server.pause()
    with pytest.raises(TimeoutError):
        urlopen(f"{server.url}/health/live", timeout=0.2)
    server.resume()
    assert ask(server, "GET", "/health/live") == {"status": "alive"}


def test_its_disk_is_full_for_a_while(server: EmbeddedServer) -> None:
    assert server.disk is not None
    server.disk.fill()
    with pytest.raises(HTTPError) as caught:
        begin(server, 1 << 20)
    with caught.value as answer:
        assert answer.code == 507
    server.disk.empty()
    assert begin(server, 1 << 20)["upload_id"]


def test_nothing_is_left_when_the_run_is_killed_while_its_server_stands_still() -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        master, holder, folder = run.stdout.readline().split()
        pids = [int(master), int(holder), *(child.pid for child in psutil.Process(int(master)).children())]
        assert len(pids) == 3
        run.send_signal(signal.SIGKILL)
    deadline_s = time.monotonic() + GONE_S
    while any(map(_lives, pids)) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert not any(map(_lives, pids))
    assert Path(folder).parent == Path(tempfile.gettempdir())
    assert folder not in Path("/proc/mounts").read_text()
    EmbeddedServer({"UPSWARM_WORKERS": "1"}).stop()  # the next one tidies up
    assert not Path(folder).exists()


def test_a_server_that_does_not_start_leaves_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    before = set(Path(tempfile.gettempdir()).glob("upswarm-embedded-*"))
    with pytest.raises(TargetError):
        EmbeddedServer({"UPSWARM_WORKERS": "none"})
    assert set(Path(tempfile.gettempdir()).glob("upswarm-embedded-*")) <= before
    assert "UPSWARM_WORKERS" in capfd.readouterr().err


def test_without_a_namespace_there_is_no_disk_to_fill(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # nothing is found there, `unshare` neither
    with pytest.raises(UsageError, match="fill_disk needs a small disk to fill"):
        disk.SmallDisk(tmp_path / "disk", 1 << 20)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
