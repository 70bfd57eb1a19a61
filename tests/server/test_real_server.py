"""Real gunicorn, real sockets, real signals: what the promises are worth when processes die."""

from __future__ import annotations

import concurrent.futures
import hashlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.servers import RunningServer, running_server, wait_for
from upswarm_server.serve import configuration_file, main

ServerOf = Callable[..., RunningServer]
CHUNK_BYTES = 64 * 1024
CONTENT = random.Random(1).randbytes(9 * CHUNK_BYTES + 1234)
CHUNKS = 10


@pytest.fixture
def server(server_of: ServerOf) -> RunningServer:
    return server_of()


def begin(server: RunningServer, size_bytes: int = len(CONTENT)) -> str:
    about = {"filename": "a.bin", "size_bytes": size_bytes, "chunk_size_bytes": CHUNK_BYTES}
    answer = requests.post(f"{server.url}/v1/uploads", json=about, timeout=10)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["upload_id"])


def put(server: RunningServer, upload_id: str, index: int, content: bytes = CONTENT) -> requests.Response:
    return requests.put(
        f"{server.url}/v1/uploads/{upload_id}/chunks/{index}",
        data=content[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES],
        headers={"Content-Type": "application/octet-stream"},
        timeout=10,
    )


def put_all(server: RunningServer, upload_id: str, content: bytes = CONTENT) -> None:
    for index in range(-(-len(content) // CHUNK_BYTES)):
        assert put(server, upload_id, index, content).status_code == 204


def probe(server: RunningServer, upload_id: str) -> dict[str, Any]:
    return dict(requests.get(f"{server.url}/v1/uploads/{upload_id}", timeout=10).json())


def finalize(server: RunningServer, upload_id: str) -> requests.Response:
    return requests.post(f"{server.url}/v1/uploads/{upload_id}/finalize", timeout=10)


def download(server: RunningServer, file_id: str) -> bytes:
    return requests.get(f"{server.url}/v1/files/{file_id}/content", timeout=10).content


def half_a_chunk(server: RunningServer, upload_id: str, index: int = 0) -> socket.socket:
    """A connection on which half of a chunk's body was sent."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    head = f"PUT /v1/uploads/{upload_id}/chunks/{index} HTTP/1.1\r\nHost: x\r\nContent-Length: {CHUNK_BYTES}\r\n\r\n"
    connection.sendall(head.encode() + CONTENT[: CHUNK_BYTES // 2])
    return connection


def test_chunks_in_any_order_over_many_connections_and_two_workers_become_the_file(server: RunningServer) -> None:
    upload_id = begin(server)
    order = random.Random(2).sample(range(CHUNKS), CHUNKS)
    with concurrent.futures.ThreadPoolExecutor(6) as senders:
        answers = list(senders.map(lambda index: put(server, upload_id, index), order))
    assert {answer.status_code for answer in answers} == {204}
    answer = finalize(server, upload_id)
    assert answer.status_code == 201
    content = download(server, answer.json()["file_id"])
    assert hashlib.sha256(content).digest() == hashlib.sha256(CONTENT).digest()


def test_a_torn_chunk_is_missing_and_the_access_log_tells_what_came(server: RunningServer) -> None:
    upload_id = begin(server)
    with half_a_chunk(server, upload_id, 3) as connection:
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"code": "chunk_torn"' in answer
    assert [3, 3] not in probe(server, upload_id)["received_chunks"]
    line = next(line for line in server.access_log(at_least=3) if line.method == "PUT")
    assert (line.status, line.received_bytes) == (400, CHUNK_BYTES // 2)
    put_all(server, upload_id)
    assert download(server, finalize(server, upload_id).json()["file_id"]) == CONTENT


def test_a_reset_connection_leaves_the_chunk_missing(server: RunningServer) -> None:
    upload_id = begin(server)
    connection = half_a_chunk(server, upload_id)
    time.sleep(0.1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()
    assert put(server, upload_id, 0).status_code == 204
    assert probe(server, upload_id)["received_chunks"] == [[0, 0]]
    assert "Traceback" not in server.errors


def test_a_silent_client_is_cut_off(server_of: ServerOf) -> None:
    server = server_of(body_timeout="300ms")
    upload_id = begin(server)
    with half_a_chunk(server, upload_id) as connection:
        answer = connection.makefile("rb").read()
    assert b'"code": "chunk_torn"' in answer
    assert put(server, upload_id, 0).status_code == 204


def test_a_refused_body_is_taken_and_the_connection_goes_on(server: RunningServer) -> None:
    upload_id = begin(server)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for _ in range(2):
        connection.request("PUT", f"/v1/uploads/{upload_id}/chunks/0", bytes(8 << 20))
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["code"]) == (422, "chunk_length_mismatch")
        assert not answer.will_close
    connection.close()


def test_a_body_too_long_to_take_ends_the_connection_after_the_answer(server: RunningServer) -> None:
    for header in (f"Content-Length: {1 << 40}", "Transfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(f"PUT /v1/uploads/x/chunks/0 HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())
            answer = connection.makefile("rb").read()
        assert answer.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 411 "))
    assert "Traceback" not in server.errors


def test_a_client_that_does_not_read_its_answer_is_cut_off(server_of: ServerOf) -> None:
    server = server_of(body_timeout="300ms", workers=1)
    content = bytes(64 << 20)
    about = {"filename": "a.bin", "size_bytes": len(content), "chunk_size_bytes": len(content)}
    upload_id = requests.post(f"{server.url}/v1/uploads", json=about, timeout=10).json()["upload_id"]
    chunk = f"{server.url}/v1/uploads/{upload_id}/chunks/0"
    assert requests.put(chunk, data=content, timeout=20).status_code == 204
    file_id = finalize(server, upload_id).json()["file_id"]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(f"GET /v1/files/{file_id}/content HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_for(lambda: len(server.access_log()) >= 4, 5)
        assert [line.path.endswith("/content") for line in server.access_log()] == [False] * 3 + [True]


def test_an_idle_connection_is_kept_longer_than_a_silent_body(server_of: ServerOf) -> None:
    server = server_of(body_timeout="200ms")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for pause_s in (0.5, 0.0):
        connection.request("GET", "/health/live")
        assert connection.getresponse().read()
        time.sleep(pause_s)
    connection.close()
    assert "Traceback" not in server.errors


def test_a_connection_that_is_idle_for_too_long_is_closed_without_a_fuss(server_of: ServerOf) -> None:
    server = server_of(keepalive="1s")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert server.errors == ""


def test_connections_are_kept_between_requests(server: RunningServer) -> None:
    upload_id = begin(server)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    sockets = set()
    for index in range(3):
        body = CONTENT[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]
        connection.request("PUT", f"/v1/uploads/{upload_id}/chunks/{index}", body)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 204
        sockets.add(connection.sock)
    assert len(sockets) == 1
    assert None not in sockets
    connection.close()


def test_acknowledged_chunks_survive_the_death_of_every_process(server: RunningServer) -> None:
    upload_id = begin(server)
    for index in (0, 1, 4):
        assert put(server, upload_id, index).status_code == 204
    with half_a_chunk(server, upload_id, 7):
        time.sleep(0.1)
        server.kill()
    server.restart()
    assert probe(server, upload_id)["received_chunks"] == [[0, 1], [4, 4]]
    for first, last in probe(server, upload_id)["missing_chunks"]:
        for index in range(first, last + 1):
            assert put(server, upload_id, index).status_code == 204
    assert download(server, finalize(server, upload_id).json()["file_id"]) == CONTENT


def test_files_survive_a_kill_and_a_restart(server: RunningServer) -> None:
    upload_id = begin(server)
    put_all(server, upload_id)
    record = finalize(server, upload_id).json()
    server.kill()
    server.restart()
    assert finalize(server, upload_id).json() == record
    assert download(server, record["file_id"]) == CONTENT


def test_of_eight_racing_finalizes_all_get_the_one_file(server: RunningServer) -> None:
    upload_id = begin(server)
    put_all(server, upload_id)
    with concurrent.futures.ThreadPoolExecutor(8) as racers:
        answers = list(racers.map(lambda _: finalize(server, upload_id), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert len(requests.get(f"{server.url}/v1/files", timeout=10).json()["files"]) == 1


def test_chunks_that_race_with_finalize_cannot_change_the_file(server: RunningServer) -> None:
    upload_id = begin(server)
    put_all(server, upload_id)
    other = bytes(len(CONTENT))
    finalized = threading.Event()
    found: set[int] = set()

    def disturb(index: int) -> None:
        while not finalized.is_set():
            found.add(put(server, upload_id, index, other).status_code)

    with concurrent.futures.ThreadPoolExecutor(4) as senders:
        disturbing = [senders.submit(disturb, index) for index in range(3)]
        answer = finalize(server, upload_id)
        finalized.set()
        for each in disturbing:
            each.result()
    assert answer.status_code == 201
    assert found <= {409}
    assert put(server, upload_id, 0, other).json()["code"] == "upload_finalized"
    assert download(server, answer.json()["file_id"]) == CONTENT


def test_the_same_chunk_sent_by_many_at_once_is_whole(server: RunningServer) -> None:
    upload_id = begin(server)
    contents = [CONTENT, bytes(len(CONTENT)), b"\xff" * len(CONTENT)]
    with concurrent.futures.ThreadPoolExecutor(9) as senders:
        answers = list(senders.map(lambda n: put(server, upload_id, 0, contents[n % 3]), range(9)))
    assert {answer.status_code for answer in answers} == {204, 409}
    for index in range(1, CHUNKS):
        put(server, upload_id, index)
    first = download(server, finalize(server, upload_id).json()["file_id"])[:CHUNK_BYTES]
    assert first in [content[:CHUNK_BYTES] for content in contents]


def test_many_finalizes_share_commits(server_of: ServerOf) -> None:
    server = server_of(workers=1)
    uploads = [begin(server, 0) for _ in range(40)]
    before = requests.get(f"{server.url}/health", timeout=10).json()["catalog"]
    with concurrent.futures.ThreadPoolExecutor(40) as finalizers:
        answers = list(finalizers.map(lambda upload_id: finalize(server, upload_id), uploads))
    assert {answer.status_code for answer in answers} == {201}
    after = requests.get(f"{server.url}/health", timeout=10).json()["catalog"]
    assert after["records"] - before["records"] == 40
    assert after["commits"] - before["commits"] < 40


def test_a_stop_lets_a_request_in_flight_finish_and_does_not_wait_for_idle_connections(server: RunningServer) -> None:
    upload_id = begin(server)
    idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    idle.request("GET", "/health/live")
    idle.getresponse().read()
    connection = half_a_chunk(server, upload_id)
    time.sleep(0.2)
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    time.sleep(1.5)
    connection.sendall(CONTENT[CHUNK_BYTES // 2 : CHUNK_BYTES])
    assert connection.makefile("rb").readline() == b"HTTP/1.1 204 No Content\r\n"
    connection.close()
    assert server.wait() == 0
    assert time.monotonic() - began < 8
    idle.close()
    server.start()
    assert probe(server, upload_id)["received_chunks"] == [[0, 0]]


def test_the_ready_line_names_address_workers_and_directory(server_of: ServerOf) -> None:
    server = server_of(workers=1)
    assert server.ready_line == f"upswarm-server listening on {server.url} (1 worker, data in {server.data_dir})"
    assert requests.get(f"{server.url}/health/ready", timeout=10).json() == {"status": "ready"}


def test_a_server_without_its_parent_stops(tmp_path: Path) -> None:
    script = (
        "import os, sys, signal; from pathlib import Path; from tests.servers import RunningServer;"
        "s = RunningServer(Path(sys.argv[1]), workers=1); s.start(); print(s.process.pid, flush=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[2]
    parent = subprocess.run([sys.executable, "-c", script, tmp_path], cwd=root, stdout=subprocess.PIPE, check=False)
    pid = int(parent.stdout)
    wait_for(lambda: not psutil.pid_exists(pid), 10)
    assert not psutil.pid_exists(pid)


def run_serve(tmp_path: Path, **environ: str) -> tuple[int, str]:
    started = subprocess.run(
        [sys.executable, "-m", "upswarm_server.serve"],
        env=os.environ | {"UPSWARM_DATA_DIR": str(tmp_path / "data"), "UPSWARM_PORT": "0"} | environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert started.stdout == ""
    assert "Traceback" not in started.stderr
    return started.returncode, started.stderr


def test_a_taken_port_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = run_serve(tmp_path, UPSWARM_PORT=str(port))
    assert code == 2
    assert said.startswith(f"upswarm-server: port {port} on 127.0.0.1 is taken")


def test_a_directory_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, said = run_serve(tmp_path, UPSWARM_DATA_DIR=str(tmp_path / "file" / "data"))
    assert code == 2
    assert said.startswith(f"upswarm-server: {tmp_path}/file/data can't be used: ")


def test_a_directory_of_another_server_is_told_in_a_sentence(server: RunningServer, tmp_path: Path) -> None:
    code, said = run_serve(tmp_path, UPSWARM_DATA_DIR=str(server.data_dir))
    assert code == 2
    assert "belongs to a server that is running" in said


def test_wrong_settings_are_told_all_at_once(tmp_path: Path) -> None:
    code, said = run_serve(tmp_path, UPSWARM_WORKERS="none", UPSWARM_HOST="0.0.0.0")
    assert code == 2
    assert "UPSWARM_WORKERS: expected a whole number" in said


def test_an_unknown_store_is_told_in_a_sentence(tmp_path: Path) -> None:
    code, said = run_serve(tmp_path, UPSWARM_STORE="tape")
    assert code == 2
    assert said.startswith("upswarm-server: expected a store (disk, memory, or module:attribute), found 'tape'")


def test_an_address_of_another_machine_is_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSWARM_ALLOW_ANONYMOUS", "yes")
    monkeypatch.setattr(os, "environ", dict(os.environ))
    assert main(["--host", "192.0.2.1", "--port", "0", "--data-dir", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("upswarm-server: can't listen on 192.0.2.1: ")


def test_gunicorns_configuration_is_found() -> None:
    assert configuration_file().name == "gunicorn.conf.py"
    assert configuration_file().is_file()


def test_ctrl_c_in_a_terminal_ends_the_server_without_a_traceback(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        os.killpg(server.process.pid, signal.SIGINT)
        assert server.wait() == 0
        assert server.errors == ""


def test_what_a_blocking_call_raises_is_for_the_caller_and_for_nobody_else() -> None:
    program = """
from upswarm_server.worker import in_thread_pool

def full():
    raise OSError(28, "No space left on device")

try:
    in_thread_pool(full)
except OSError as error:
    print("caught", error.errno)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert (ended.stdout, ended.stderr) == ("caught 28\n", "")
