"""Slow and silent clients cost a greenlet and a timeout; others are served meanwhile, by the same worker."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest
import requests

from tests.server.rawsocket import answers_in, received
from tests.servers import RunningServer, running_server

BODY = bytes(range(256)) * 1024
DROP_S = 0.1
SILENT = 300


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One worker, with timeouts that a test can wait for."""
    timeouts = {"body_timeout": "2s", "request_timeout": "1500ms", "keepalive": "1s"}
    with running_server(tmp_path_factory.mktemp("slow"), workers=1, **timeouts) as server:
        yield server
        assert "Traceback" not in server.errors


def begin(server: RunningServer) -> str:
    about = {"filename": "a.bin", "size_bytes": len(BODY)}
    return str(requests.post(f"{server.url}/v1/uploads", json=about, timeout=10).json()["upload_id"])


def received_bytes(server: RunningServer, upload_id: str) -> int:
    return int(requests.get(f"{server.url}/v1/uploads/{upload_id}", timeout=10).json()["received_bytes"])


def require_honest_upload(server: RunningServer) -> None:
    upload_id = begin(server)
    answer = requests.put(f"{server.url}/v1/uploads/{upload_id}/chunks/0", data=BODY, timeout=10)
    assert answer.status_code == 204
    assert requests.post(f"{server.url}/v1/uploads/{upload_id}/finalize", timeout=10).status_code == 201


def head_of(upload_id: str) -> bytes:
    head = f"PUT /v1/uploads/{upload_id}/chunks/0 HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n\r\n"
    return head.encode()


def connect(server: RunningServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def drip(connection: socket.socket, data: bytes, meanwhile: Callable[[], None]) -> int:
    """Send a byte every now and then until the other side has had enough; how many went out."""
    connection.settimeout(DROP_S)
    for sent, byte in enumerate(data):
        if sent == 3:
            meanwhile()
        try:
            connection.sendall(bytes([byte]))
            connection.recv(1, socket.MSG_PEEK)  # an answer, or an end
        except TimeoutError:
            continue
        except OSError:
            """It was ended with a reset."""
        connection.settimeout(10)
        return sent + 1
    raise AssertionError(f"expected to be cut off, found {len(data)} B taken one by one")


@pytest.mark.parametrize("before", [b"", b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_a_head_that_comes_byte_by_byte_is_cut_off_while_others_are_served(
    server: RunningServer, before: bytes
) -> None:
    head = head_of(begin(server)) * 2
    with connect(server) as connection:
        connection.sendall(before)
        answered = b""
        while before and b'"alive"' not in answered:
            answered += connection.recv(10_000)
        sent = drip(connection, head, lambda: require_honest_upload(server))
        assert received(connection) == b""
    assert sent < len(head) // 2


def test_a_body_that_comes_byte_by_byte_is_cut_off_while_others_are_served(server: RunningServer) -> None:
    upload_id = begin(server)
    with connect(server) as connection:
        connection.sendall(head_of(upload_id))
        sent = drip(connection, BODY[:100], lambda: require_honest_upload(server))
        with suppress(OSError):
            assert [answer.code for answer in answers_in(received(connection))] == ["chunk_torn"]
    assert sent < 100
    assert received_bytes(server, upload_id) == 0


def test_a_body_that_nobody_wants_is_cut_off_too_when_it_comes_byte_by_byte(server: RunningServer) -> None:
    with connect(server) as connection:
        connection.sendall(head_of("no-such-upload"))
        assert drip(connection, BODY[:100], lambda: None) < 100


def test_a_client_that_is_slow_but_steady_within_its_time_is_served(server: RunningServer) -> None:
    upload_id = begin(server)
    with connect(server) as connection:
        connection.sendall(head_of(upload_id))
        for part in range(4):
            time.sleep(DROP_S / 2)
            connection.sendall(BODY[part * len(BODY) // 4 : (part + 1) * len(BODY) // 4])
        connection.shutdown(socket.SHUT_WR)
        assert [answer.status for answer in answers_in(received(connection))] == [204]


@pytest.mark.parametrize("said", ["nothing", "half a head", "half a body"])
def test_many_silent_connections_keep_nobody_out_and_are_closed(server: RunningServer, said: str) -> None:
    upload_ids = [begin(server) for _ in range(SILENT)] if said == "half a body" else [""] * SILENT
    with ExitStack() as stack:
        silent = [stack.enter_context(connect(server)) for _ in range(SILENT)]
        for connection, upload_id in zip(silent, upload_ids, strict=True):
            head = head_of(upload_id)
            connection.sendall({"nothing": b"", "half a head": head[:40], "half a body": head + BODY[:9000]}[said])
        require_honest_upload(server)
        for connection in silent:
            answers = answers_in(received(connection))
            assert [answer.code for answer in answers] == (["chunk_torn"] if said == "half a body" else [])
    if said == "half a body":
        assert {received_bytes(server, upload_id) for upload_id in upload_ids} == {0}
