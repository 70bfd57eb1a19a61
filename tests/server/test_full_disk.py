"""A disk that is really full, or really read-only, under a real server; and that it recovers when the disk does."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.server.disks import SmallDisk, small_disk
from tests.servers import RunningServer, wait_for

MIB = 1 << 20
CONTENT = random.Random(3).randbytes(4 * MIB + 5)
CHUNKS = 5


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as disk:
        yield disk


@pytest.fixture
def server(disk: SmallDisk, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    """A server on the small disk, which reserves as the test says."""
    reserve = getattr(request, "param", "full")
    server = RunningServer(tmp_path, data_dir=disk.path / "data", reserve=reserve, min_free="1MiB")
    server.launcher = disk.enter
    try:
        server.start()
        yield server
    finally:
        server.close()


sparse = pytest.mark.parametrize("server", ["sparse"], indirect=True)


def begin(server: RunningServer, size_bytes: int = len(CONTENT)) -> requests.Response:
    about = {"filename": "a.bin", "size_bytes": size_bytes, "chunk_size_bytes": MIB}
    return requests.post(f"{server.url}/v1/uploads", json=about, timeout=10)


def put(server: RunningServer, upload_id: str, index: int) -> requests.Response:
    data = CONTENT[index * MIB : (index + 1) * MIB]
    return requests.put(f"{server.url}/v1/uploads/{upload_id}/chunks/{index}", data=data, timeout=10)


def finalize(server: RunningServer, upload_id: str) -> requests.Response:
    return requests.post(f"{server.url}/v1/uploads/{upload_id}/finalize", timeout=10)


def get(server: RunningServer, path: str) -> requests.Response:
    return requests.get(f"{server.url}{path}", timeout=10)


def probe(server: RunningServer, upload_id: str) -> dict[str, Any]:
    return dict(get(server, f"/v1/uploads/{upload_id}").json())


def said(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def require_finish(server: RunningServer, upload_id: str) -> None:
    """The upload can be resumed by its probe, and becomes the right file."""
    for first, last in probe(server, upload_id)["missing_chunks"]:
        for index in range(first, last + 1):
            assert put(server, upload_id, index).status_code == 204
    answer = finalize(server, upload_id)
    assert answer.status_code == 201, answer.text
    assert get(server, f"/v1/files/{answer.json()['file_id']}/content").content == CONTENT


@sparse
def test_a_disk_that_fills_up_in_the_middle_of_a_chunk_costs_that_chunk_only(
    server: RunningServer, disk: SmallDisk
) -> None:
    upload_id = begin(server).json()["upload_id"]
    ballast = disk.fill(leave_bytes=2 * MIB + MIB // 2)
    answers = [put(server, upload_id, index) for index in (0, 1, 2)]
    assert [answer.status_code for answer in answers] == [204, 204, 507]
    assert said(answers[2]) == (507, "storage_full")
    assert probe(server, upload_id)["received_chunks"] == [[0, 1]]
    assert said(put(server, upload_id, 3)) == (507, "storage_full")
    assert said(get(server, "/health/ready")) == (503, "not_ready")
    ballast.unlink()
    assert get(server, "/health/ready").status_code == 200
    require_finish(server, upload_id)
    assert server.errors == ""


def test_a_full_disk_is_told_at_init_and_leaves_nothing_behind(server: RunningServer, disk: SmallDisk) -> None:
    ballast = disk.fill(leave_bytes=3 * MIB)
    assert said(begin(server)) == (507, "storage_full")
    assert [*disk.seen.glob("data/data/*/*"), *disk.seen.glob("data/open/*")] == []
    assert disk.free_bytes >= 3 * MIB - 64 * 1024
    ballast.unlink()
    require_finish(server, begin(server).json()["upload_id"])
    assert server.errors == ""


def test_an_upload_whose_space_is_reserved_takes_its_chunks_on_a_full_disk(
    server: RunningServer, disk: SmallDisk
) -> None:
    upload_id = begin(server).json()["upload_id"]
    disk.fill()
    assert [put(server, upload_id, index).status_code for index in range(CHUNKS)] == [204] * CHUNKS
    assert probe(server, upload_id)["missing_chunks"] == []


def test_a_disk_too_full_for_records_is_told_and_costs_nothing_that_was_there(
    server: RunningServer, disk: SmallDisk
) -> None:
    upload_id = begin(server).json()["upload_id"]
    for index in range(CHUNKS):
        assert put(server, upload_id, index).status_code == 204
    ballast = disk.fill()
    answers = [begin(server, 0) for _ in range(100)]  # until the log of the catalog has no room either
    assert {answer.status_code for answer in answers} <= {201, 507}
    assert said(answers[-1]) == (507, "storage_full")
    assert said(finalize(server, upload_id)) == (507, "storage_full")
    assert get(server, "/v1/files").json()["files"] == []
    assert probe(server, upload_id)["state"] == "open"
    ballast.unlink()
    require_finish(server, upload_id)
    assert "Traceback" not in server.errors


def test_a_server_restarts_on_a_disk_that_is_full(server: RunningServer, disk: SmallDisk) -> None:
    upload_id = begin(server).json()["upload_id"]
    assert put(server, upload_id, 2).status_code == 204
    ballast = disk.fill(leave_bytes=256 * 1024)
    server.kill()
    server.restart()
    assert probe(server, upload_id)["received_chunks"] == [[2, 2]]
    ballast.unlink()
    require_finish(server, upload_id)


def test_a_read_only_directory_stops_the_start_with_a_sentence(disk: SmallDisk) -> None:
    (disk.seen / "data").mkdir()
    with disk.read_only(disk.path / "data"):
        started = subprocess.run(
            [
                *disk.enter,
                sys.executable,
                "-m",
                "upswarm_server.serve",
                "--port",
                "0",
                "--data-dir",
                disk.path / "data",
            ],
            capture_output=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("UPSWARM_")},
            text=True,
            timeout=30,
            check=False,
        )
    assert started.returncode == 2
    assert started.stdout == ""
    sentence = f"upswarm-server: {disk.path}/data can't be used: Read-only file system"
    assert started.stderr.splitlines()[0] == sentence
    assert "Traceback" not in started.stderr


def test_a_directory_that_becomes_read_only_is_told_by_ready_and_by_every_answer(
    server: RunningServer, disk: SmallDisk
) -> None:
    upload_id = begin(server).json()["upload_id"]
    assert put(server, upload_id, 0).status_code == 204
    with disk.read_only(disk.path / "data"):
        ready = get(server, "/health/ready")
        assert said(ready) == (503, "not_ready")
        assert "the store does not work" in " ".join(ready.json()["reasons"])
        asked = [begin(server), put(server, upload_id, 1), finalize(server, upload_id)]
        assert all(answer.headers["Content-Type"] == "application/problem+json" for answer in asked)
        assert {said(answer) for answer in asked} == {(503, "storage_failed")}
        assert get(server, "/health/live").status_code == 200
    assert get(server, "/health/ready").status_code == 200
    assert probe(server, upload_id)["received_chunks"] == [[0, 0]]
    require_finish(server, upload_id)
    assert "Traceback" not in server.errors


def test_a_worker_that_meets_its_catalog_while_it_is_read_only_writes_it_when_it_is_not(
    server: RunningServer, disk: SmallDisk
) -> None:
    before = {worker.pid: worker for worker in psutil.Process(server.process.pid).children()}
    assert {begin(server, 0).status_code for _ in range(20)} == {201}
    with disk.read_only(disk.path / "data"):
        next(iter(before.values())).kill()
        wait_for(lambda: pid_that_answers(server) not in before, 10)
    assert {begin(server, 0).status_code for _ in range(40)} == {201}


def pid_that_answers(server: RunningServer) -> int:
    """Which worker gives the summary, for which it reads its catalog; 0 when it dies over it."""
    try:
        return int(get(server, "/health").json()["pid"])
    except requests.ConnectionError:
        return 0
