"""Faults on purpose over real gunicorn and raw sockets: what a client sees, what became of its request."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from tests.server.test_real_server import (
    CHUNK_BYTES,
    CHUNKS,
    CONTENT,
    begin,
    download,
    finalize,
    half_a_chunk,
    probe,
    put,
)
from tests.servers import RunningServer, wait_for
from upswarm_server.fault_rules import read_rules
from upswarm_server.faults import Draws

ServerOf = Callable[..., RunningServer]


def written(*rules: dict[str, Any]) -> str:
    return json.dumps([{"share": 1} | rule for rule in rules])


def faults_of(server: RunningServer) -> dict[tuple[str, str], int]:
    """What the server says that it has injected."""
    scrape = requests.get(f"{server.url}/metrics", timeout=10).text
    found = re.findall(r'^upswarm_faults_total\{kind="(\w+)",phase="(\w+)"\} (\S+)$', scrape, re.MULTILINE)
    return {(phase, kind): int(float(count)) for kind, phase, count in found}


@contextmanager
def asked(server: RunningServer, request: str, body: bytes = b"") -> Iterator[socket.socket]:
    """A connection on which this was sent."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(f"{request} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        yield connection


def until_the_end(connection: socket.socket) -> tuple[bytes, str]:
    """All that comes, and how the connection ended."""
    came = b""
    try:
        while piece := connection.recv(4096):
            came += piece
    except ConnectionResetError:
        return came, "reset"
    return came, "close"


def only_warned(server: RunningServer) -> bool:
    """Whether it said that it fails on purpose, and nothing of failing."""
    (warning,) = server.errors.splitlines()
    return warning.endswith("fail on purpose (UPSWARM_FAULTS)")


def test_a_status_leaves_the_connection_usable_and_says_when_to_try_again(server_of: ServerOf) -> None:
    server = server_of(
        faults=written({"phase": "chunk", "status": 503, "retry_after_s": 2}, {"phase": "abort", "status": 429})
    )
    upload_id = begin(server)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for method, path, body, expected in [
        ("PUT", f"/v1/uploads/{upload_id}/chunks/0", bytes(8 << 20), (503, "2")),
        ("DELETE", f"/v1/uploads/{upload_id}", None, (429, None)),
        ("PUT", f"/v1/uploads/{upload_id}/chunks/0", CONTENT[:CHUNK_BYTES], (503, "2")),
    ]:
        connection.request(method, path, body)
        answer = connection.getresponse()
        assert json.loads(answer.read())["code"] == "injected_fault"
        assert (answer.status, answer.headers["Retry-After"]) == expected
        assert not answer.will_close
    connection.close()
    assert probe(server, upload_id)["received_chunks"] == []
    assert [line.received_bytes for line in server.access_log(at_least=4)][1:4] == [8 << 20, 0, CHUNK_BYTES]
    assert faults_of(server) == {("chunk", "status_503"): 2, ("abort", "status_429"): 1}


def test_a_delay_lasts_as_long_as_it_says_and_holds_up_nobody_else(server_of: ServerOf) -> None:
    server = server_of(workers=1, faults=written({"phase": "inspect", "delay_s": 1.5}))
    answers: list[requests.Response] = []
    began = time.monotonic()
    delayed = threading.Thread(target=lambda: answers.append(requests.get(f"{server.url}/v1/files", timeout=10)))
    delayed.start()
    wait_for(lambda: bool(faults_of(server)))
    assert faults_of(server) == {("inspect", "delay"): 1}
    assert not answers, "others are answered while one waits"
    delayed.join()
    assert answers[0].status_code == 200
    assert time.monotonic() - began >= 1.5


@pytest.mark.parametrize("by", ["reset", "close"])
def test_a_request_that_is_cut_leaves_its_chunk_missing_and_resumable(server_of: ServerOf, by: str) -> None:
    rule = {"phase": "chunk", "share": 0.5, "cut": "request", "body_share": 0.25, "by": by}
    server = server_of(workers=1, faults=written(rule), faults_seed=3)
    expected = Draws(read_rules(written(rule)), 3, 1)
    upload_id = begin(server)
    cuts = 0
    for index in range(CHUNKS):
        while expected.next("chunk").failure:
            with pytest.raises(requests.ConnectionError):
                put(server, upload_id, index)
            assert [index, CHUNKS - 1] in probe(server, upload_id)["missing_chunks"]
            cuts += 1
        assert put(server, upload_id, index).status_code == 204
    answer = finalize(server, upload_id)
    assert download(server, answer.json()["file_id"]) == CONTENT
    assert cuts > 1
    assert faults_of(server) == {("chunk", "cut_request"): cuts}
    torn = [line for line in server.access_log() if line.status == 444]
    assert len(torn) == cuts
    assert {line.received_bytes for line in torn[:2]} == {CHUNK_BYTES // 4}
    assert only_warned(server)


@pytest.mark.parametrize("by", ["reset", "close"])
def test_a_lost_answer_is_lost_whole_and_the_work_is_done(server_of: ServerOf, by: str) -> None:
    cut = {"cut": "after_work", "by": by}
    server = server_of(faults=written({"phase": "chunk"} | cut, {"phase": "finalize"} | cut))
    upload_id = begin(server, CHUNK_BYTES)
    with asked(server, f"PUT /v1/uploads/{upload_id}/chunks/0", CONTENT[:CHUNK_BYTES]) as connection:
        assert until_the_end(connection) == (b"", by)
    assert probe(server, upload_id)["received_chunks"] == [[0, 0]]
    with asked(server, f"POST /v1/uploads/{upload_id}/finalize") as connection:
        assert until_the_end(connection) == (b"", by)
    assert probe(server, upload_id)["state"] == "finalized"
    assert download(server, probe(server, upload_id)["file_id"]) == CONTENT[:CHUNK_BYTES]
    assert faults_of(server) == {("chunk", "cut_after_work"): 1, ("finalize", "cut_after_work"): 1}
    assert [line.status for line in server.access_log(at_least=4)][1:4:2] == [204, 201]
    assert only_warned(server)


@pytest.mark.parametrize("by", ["reset", "close"])
def test_of_a_cut_answer_the_first_half_comes_and_the_work_is_done(server_of: ServerOf, by: str) -> None:
    cut = {"cut": "answer", "by": by}
    server = server_of(faults=written({"phase": "chunk"} | cut, {"phase": "inspect"} | cut))
    upload_id = begin(server, CHUNK_BYTES)
    with asked(server, f"PUT /v1/uploads/{upload_id}/chunks/0", CONTENT[:CHUNK_BYTES]) as connection:
        came, end = until_the_end(connection)
    assert end == by
    assert came.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert b"\r\n\r\n" not in came
    file_id = finalize(server, upload_id).json()["file_id"]
    with asked(server, f"GET /v1/files/{file_id}/content") as connection:
        came, end = until_the_end(connection)
    head, _, content = came.partition(b"\r\n\r\n")
    assert end == by
    assert f"content-length: {CHUNK_BYTES}".encode() in head
    assert len(came) == (len(head) + 4 + CHUNK_BYTES) // 2
    assert CONTENT.startswith(content)
    with asked(server, f"HEAD /v1/files/{file_id}/content") as connection:
        came, end = until_the_end(connection)
    assert (len(came) in range(50, len(head)), end) == (True, by)
    assert faults_of(server) == {("chunk", "cut_answer"): 1, ("inspect", "cut_answer"): 2}
    assert only_warned(server)


def test_who_hangs_up_first_is_not_counted(server_of: ServerOf) -> None:
    server = server_of(faults=written({"phase": "chunk", "cut": "after_work"}))
    upload_id = begin(server)
    with half_a_chunk(server, upload_id):
        """Closed in the middle of the body."""
    assert (server.access_log(at_least=2)[1].method, server.access_log()[1].status) == ("PUT", 400)
    assert faults_of(server) == {}


def test_every_worker_draws_by_its_own_number_and_a_new_one_gets_the_next(server_of: ServerOf) -> None:
    rule = written({"phase": "inspect", "share": 0.5, "status": 500})
    server = server_of(workers=2, faults=rule, faults_seed=5)
    seen = set()
    for end in (signal.SIGKILL, signal.SIGSTOP, signal.SIGSTOP):
        with requests.Session() as session:  # one connection, so one worker
            pid = session.get(f"{server.url}/health", timeout=10).json()["pid"]
            seen.add(tuple(session.get(f"{server.url}/v1/files", timeout=10).status_code for _ in range(20)))
            os.kill(pid, end)
    expected = set()
    for worker in (1, 2, 3):
        draws = Draws(read_rules(rule), 5, worker)
        expected.add(tuple(500 if draws.next("inspect").failure else 200 for _ in range(20)))
    assert seen == expected


def test_what_clients_saw_is_exactly_what_the_server_counted(server_of: ServerOf) -> None:
    share = {"phase": "any", "share": 0.15}
    faults = [{"status": 503}, {"cut": "request"}, {"cut": "answer"}, {"cut": "after_work"}]
    server = server_of(faults=written(*(share | fault for fault in faults)), faults_seed=1)
    seen: Counter[str] = Counter()

    def until_it_works(method: str, path: str, **request: Any) -> requests.Response:
        while True:
            try:
                answer = requests.request(method, f"{server.url}{path}", timeout=10, **request)
            except requests.RequestException:
                seen["cut"] += 1
                continue
            if answer.status_code < 500:
                return answer
            seen["status"] += 1

    about = {"filename": "a.bin", "size_bytes": len(CONTENT), "chunk_size_bytes": CHUNK_BYTES}
    for _ in range(3):
        upload = f"/v1/uploads/{until_it_works('POST', '/v1/uploads', json=about).json()['upload_id']}"
        for index in range(CHUNKS):
            data = CONTENT[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]
            assert until_it_works("PUT", f"{upload}/chunks/{index}", data=data).status_code == 204
        file_id = until_it_works("POST", f"{upload}/finalize").json()["file_id"]
        assert until_it_works("GET", f"/v1/files/{file_id}/content").content == CONTENT
    counted: Counter[str] = Counter()
    for (_, kind), count in faults_of(server).items():
        counted[kind.partition("_")[0]] += count
    assert counted == seen
    assert min(seen.values()) > 2
    assert only_warned(server)


def test_a_server_that_fails_on_purpose_says_so(server_of: ServerOf) -> None:
    server = server_of(faults='[{"phase": "chunk", "share": 0.5, "status": 503}]', workers=1)
    assert server.errors == "upswarm-server: 1 rule makes requests fail on purpose (UPSWARM_FAULTS)\n"
    assert requests.get(f"{server.url}/health", timeout=10).json()["fault_rules"] == 1
