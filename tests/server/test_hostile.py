"""Requests that no honest client sends, on a real socket: they are refused, nothing of them is believed, and the
same worker goes on to serve an honest client."""

from __future__ import annotations

import re
import socket
import uuid
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests

from tests.server.rawsocket import RawAnswer, answers_in, exchange, received
from tests.servers import RunningServer, running_server

BODY = bytes(range(256)) * 800
HEALTH = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
TOO_LONG = b"a" * 9000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("hostile"), workers=1, body_timeout="2s") as server:
        yield server


@pytest.fixture(scope="module")
def honest() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture(autouse=True)
def _the_server_goes_on(server: RunningServer, honest: requests.Session) -> Iterator[None]:
    """After each test the one worker is the same, serves an honest client, and has nothing to be ashamed of."""
    pid = honest.get(f"{server.url}/health", timeout=10).json()["pid"]
    yield
    require_honest_upload(server, honest)
    assert honest.get(f"{server.url}/health", timeout=10).json()["pid"] == pid
    assert "Traceback" not in server.errors


def require_honest_upload(server: RunningServer, honest: requests.Session) -> None:
    """An upload as far as it goes without waiting for the disk; the last test makes a file."""
    upload = f"{server.url}/v1/uploads/{begin(server)}"
    assert honest.put(f"{upload}/chunks/0", data=BODY, timeout=10).status_code == 204
    assert honest.get(upload, timeout=10).json()["received_bytes"] == len(BODY)
    assert honest.delete(upload, timeout=10).status_code == 204


def begin(server: RunningServer) -> str:
    about = {"filename": "a.bin", "size_bytes": len(BODY)}
    return str(requests.post(f"{server.url}/v1/uploads", json=about, timeout=10).json()["upload_id"])


def received_bytes(server: RunningServer, upload_id: str) -> int:
    return int(requests.get(f"{server.url}/v1/uploads/{upload_id}", timeout=10).json()["received_bytes"])


def put_line(upload_id: str) -> bytes:
    return f"PUT /v1/uploads/{upload_id}/chunks/0 HTTP/1.1\r\nHost: x\r\n".encode()


def delete_of(upload_id: str) -> bytes:
    """A request that does harm if somebody takes it for one."""
    return f"DELETE /v1/uploads/{upload_id} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


@pytest.fixture
def upload_id(server: RunningServer) -> str:
    return begin(server)


@pytest.fixture
def victim(server: RunningServer) -> Iterator[str]:
    """Another client's upload, which is there before and must be there afterwards."""
    upload_id = begin(server)
    yield upload_id
    assert received_bytes(server, upload_id) == 0


FRAMING = {
    "two equal lengths": LENGTH + LENGTH,
    "two lengths": LENGTH + b"Content-Length: 3\r\n",
    "two lengths, the short one first": b"Content-Length: 3\r\n" + LENGTH,
    "a list of lengths": LENGTH.rstrip() + b", %d\r\n" % len(BODY),
    "a length and a transfer coding": LENGTH + b"Transfer-Encoding: chunked\r\n",
    "a transfer coding and a length": b"Transfer-Encoding: chunked\r\n" + LENGTH,
    "a coding in mixed case": LENGTH + b"Transfer-Encoding: cHuNkEd\r\n",
    "a coding after a tab": LENGTH + b"Transfer-Encoding:\tchunked\r\n",
    "a coding after a vertical tab": LENGTH + b"Transfer-Encoding: \x0bchunked\r\n",
    "a coding after NUL": LENGTH + b"Transfer-Encoding: \0chunked\r\n",
    "a coding in quotes": LENGTH + b'Transfer-Encoding: "chunked"\r\n',
    "a coding with a comma": LENGTH + b"Transfer-Encoding: chunked,\r\n",
    "a coding with a parameter": LENGTH + b"Transfer-Encoding: chunked;q=1\r\n",
    "a coding on a folded line": LENGTH + b"Transfer-Encoding:\r\n chunked\r\n",
    "two codings": LENGTH + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "the coding identity": LENGTH + b"Transfer-Encoding: identity\r\n",
    "an unknown coding": LENGTH + b"Transfer-Encoding: xchunked\r\n",
    "a space before the colon of the coding": LENGTH + b"Transfer-Encoding : chunked\r\n",
    "a space before the colon of the length": LENGTH.replace(b":", b" :"),
    "a space before the name of the length": b" " + LENGTH,
    "a negative length": LENGTH.replace(b": ", b": -"),
    "a length with a plus": LENGTH.replace(b": ", b": +"),
    "a length in hex": b"Content-Length: %#x\r\n" % len(BODY),
    "a length with an underscore": b"Content-Length: 204_800\r\n",
    "a length with a point": b"Content-Length: 204800.0\r\n",
    "a length with a space": b"Content-Length: 2 04800\r\n",
    "a length with NUL": LENGTH.rstrip() + b"\0\r\n",
    "a length in other digits": "Content-Length: \u0662\u0660\u0664\u0668\u0660\u0660\r\n".encode(),
    "an empty length": b"Content-Length:\r\n",
    "a length of 5000 digits": b"Content-Length: " + b"9" * 5000 + b"\r\n",
    "a huge length": b"Content-Length: " + b"9" * 30 + b"\r\n",
    "a length on a bare LF": LENGTH.replace(b"\r\n", b"\n") + b"X-A: a\r\n",
    "a length after a bare CR": b"X-A: a\r" + LENGTH,
    "a coding without a length": b"Transfer-Encoding: chunked\r\n",
    "several codings without a length": b"Transfer-Encoding: gzip, chunked\r\n",
}


@pytest.mark.parametrize("framing", FRAMING)
def test_a_doubtful_length_is_refused_and_nothing_behind_it_is_done(
    server: RunningServer, upload_id: str, victim: str, framing: str
) -> None:
    sent = put_line(upload_id) + FRAMING[framing] + b"\r\n" + BODY + delete_of(victim)
    answers = exchange(server.port, sent)
    assert [answer.status for answer in answers] in ([400], [411], [413], [501])
    assert received_bytes(server, upload_id) == 0


def test_a_chunked_body_is_refused_and_what_looks_like_a_request_behind_it_is_not_done(
    server: RunningServer, upload_id: str, victim: str
) -> None:
    for coded in (
        b"5\r\nhello\r\n0\r\n\r\n",
        b"0\r\n\r\n",
        b"5;x=" + b"a" * 5000 + b"\r\nhello\r\n0\r\n\r\n",
        b"zz\r\n",
    ):
        sent = put_line(upload_id) + b"Transfer-Encoding: chunked\r\n\r\n" + coded + delete_of(victim)
        answers = exchange(server.port, sent)
        assert [(answer.status, answer.code) for answer in answers] == [(411, "length_required")]


@pytest.mark.parametrize("name", ["Content_Length", "Transfer_Encoding", "X-Content-Length", "Content-Length2"])
def test_a_header_that_only_looks_like_a_length_is_none(
    server: RunningServer, upload_id: str, victim: str, name: str
) -> None:
    harm = delete_of(victim)
    body = (harm + BODY)[: len(BODY)]
    sent = put_line(upload_id) + f"{name}: 3\r\n".encode() + LENGTH + b"\r\n" + body + HEALTH
    assert [answer.status for answer in exchange(server.port, sent)] == [204, 200]


def test_what_stands_in_a_body_is_never_a_request(server: RunningServer, upload_id: str, victim: str) -> None:
    body = (delete_of(victim) * 4000)[: len(BODY)]
    answers = exchange(server.port, put_line(upload_id) + LENGTH + b"\r\n" + body + HEALTH)
    assert [answer.status for answer in answers] == [204, 200]


@pytest.mark.parametrize("target", ["uploads/{}/chunks/7", "uploads/{}/finalize", "nowhere/{}", "files/{}"])
def test_the_body_of_a_refused_request_is_never_a_request(
    server: RunningServer, upload_id: str, victim: str, target: str
) -> None:
    body = (delete_of(victim) * 4000)[: len(BODY)]
    line = f"PUT /v1/{target.format(upload_id)} HTTP/1.1\r\nHost: x\r\n".encode()
    answers = exchange(server.port, line + LENGTH + b"\r\n" + body + HEALTH)
    assert [answer.status for answer in answers][1:] in ([], [200])
    assert answers[0].status in {404, 405, 422}


def test_what_follows_a_body_is_the_next_request_and_is_held_to_be_one(server: RunningServer, upload_id: str) -> None:
    answers = exchange(server.port, put_line(upload_id) + LENGTH + b"\r\n" + BODY + b"more bytes than promised\r\n\r\n")
    assert [answer.status for answer in answers] == [204, 400]
    assert received_bytes(server, upload_id) == len(BODY)


def test_pipelined_requests_are_answered_in_order(server: RunningServer, upload_id: str) -> None:
    probe = f"GET /v1/uploads/{upload_id} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    sent = probe + put_line(upload_id) + LENGTH + b"\r\n" + BODY + probe + HEALTH + delete_of(upload_id) + probe
    answers = exchange(server.port, sent)
    assert [answer.status for answer in answers] == [200, 204, 200, 200, 204, 404]
    assert [answers[at].document["received_bytes"] for at in (0, 2)] == [0, len(BODY)]


@pytest.mark.parametrize("cut_bytes", [0, 1, 2, 100, 8191, 8192, 65535, 65536, 131072, len(BODY) - 1])
def test_a_torn_body_is_not_recorded(server: RunningServer, upload_id: str, cut_bytes: int) -> None:
    answers = exchange(server.port, put_line(upload_id) + LENGTH + b"\r\n" + BODY[:cut_bytes])
    assert [(answer.status, answer.code) for answer in answers] == [(400, "chunk_torn")]
    assert received_bytes(server, upload_id) == 0
    answers = exchange(server.port, put_line(upload_id) + LENGTH + b"\r\n" + BODY)
    assert [answer.status for answer in answers] == [204]


def test_a_torn_head_does_nothing_wherever_it_is_torn(server: RunningServer, upload_id: str, victim: str) -> None:
    head = delete_of(victim)
    for cut in (1, 3, 7, 20, head.index(b"HTTP"), head.index(b"\r\n"), len(head) - 4, len(head) - 2, len(head) - 1):
        assert [answer.status for answer in exchange(server.port, head[:cut])] in ([], [400])


HEADS = {
    "bare LF": (b"GET /health/live HTTP/1.1\nHost: x\n\n", 400),
    "NUL in a value": (b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n", 400),
    "bare CR in a value": (b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: a\rb\r\n\r\n", 400),
    "a space before the colon": (b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-A : a\r\n\r\n", 400),
    "a folded line": (b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n", 400),
    "a line without a colon": (b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-A\r\n\r\n", 400),
    "a header without a name": (b"GET /health/live HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n", 400),
    "a name that is not ASCII": ("GET /health/live HTTP/1.1\r\nHost: x\r\nX-\u00e4: a\r\n\r\n".encode(), 400),
    "two hosts": (b"GET /health/live HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
    "100 headers": (b"GET /health/live HTTP/1.1\r\nHost: x\r\n" + b"X-A: a\r\n" * 100 + b"\r\n", 431),
    "a long header": (b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: " + TOO_LONG + b"\r\n\r\n", 431),
    "a header without an end": (b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: " + TOO_LONG * 50, 431),
    "a long request line": (b"GET /" + TOO_LONG + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "a request line without an end": (b"GET /" + TOO_LONG * 50, 414),
    "HTTP/0.9": (b"GET /health/live\r\n\r\n", 400),
    "HTTP/1.11": (b"GET /health/live HTTP/1.11\r\nHost: x\r\n\r\n", 400),
    "HTTP/2 at once": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "a proxy's line": (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + HEALTH, 400),
    "a method in lower case": (b"get /health/live HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a method with a sign": (b"G@T /health/live HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a long method": (b"A" * 300 + b" /health/live HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a space in the path": (b"GET /health /live HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a path that is not ASCII": (b"GET /health/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "an unknown expectation": (b"GET /health/live HTTP/1.1\r\nHost: x\r\nExpect: money\r\n\r\n", 417),
    "all bytes there are": (bytes(range(256)) * 10, 400),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_malformed_head_is_refused_and_the_connection_ends(server: RunningServer, victim: str, name: str) -> None:
    head, status = HEADS[name]
    assert [answer.status for answer in exchange(server.port, head + delete_of(victim))] == [status]


def test_the_first_bytes_of_tls_are_no_request(server: RunningServer) -> None:
    hello = bytes.fromhex("16030102000100 01fc0303".replace(" ", "")) + bytes(508)
    assert [answer.status for answer in exchange(server.port, hello)] in ([], [400], [414])


@pytest.mark.parametrize(
    "head",
    [
        b"GET http://elsewhere.test/health/live HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: a/../b@c\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: x:port\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: [::1\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost:\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: <script>\r\nForwarded: for=\r\n\r\n",
    ],
)
def test_odd_hosts_and_wishes_to_upgrade_change_nothing(server: RunningServer, head: bytes) -> None:
    answers = exchange(server.port, head + HEALTH)
    assert [answer.status for answer in answers] in ([400], [200, 200])
    assert all(answer.document == {"status": "alive"} for answer in answers if answer.status == 200)


def test_a_client_that_expects_100_hears_it_and_then_its_body_is_taken(server: RunningServer, upload_id: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(put_line(upload_id) + LENGTH + b"Expect: 100-continue\r\n\r\n")
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY + HEALTH)
        connection.shutdown(socket.SHUT_WR)
        assert [answer.status for answer in answers_in(received(connection))] == [204, 200]


def test_a_client_that_expects_100_and_sends_nothing_records_nothing(server: RunningServer, upload_id: str) -> None:
    head = put_line(upload_id) + LENGTH + b"Expect: 100-continue\r\n\r\n"
    answers = [answer for answer in exchange(server.port, head) if answer.status != 100]
    assert [(answer.status, answer.code) for answer in answers] == [(400, "chunk_torn")]
    assert received_bytes(server, upload_id) == 0


def test_http_1_0_is_served_and_its_connection_ends(server: RunningServer, upload_id: str) -> None:
    line = put_line(upload_id).replace(b"HTTP/1.1", b"HTTP/1.0")
    answers = exchange(server.port, line + LENGTH + b"\r\n" + BODY + HEALTH)
    assert [answer.status for answer in answers] == [204]
    assert received_bytes(server, upload_id) == len(BODY)


PATHS = [
    "/v1/uploads/..%2f..%2fcatalog.sqlite3",
    "/v1/files/../../catalog.sqlite3/content",
    "/v1/files/..%2f..%2fcatalog.sqlite3/content",
    "/v1/files/%2e%2e/content",
    "/v1/files/%2e%2e%2f%2e%2e%2flock/content",
    "/v1/files/..%5c..%5clock/content",
    "/v1/files/..%c0%af..%c0%aflock/content",
    "/v1/files/%00/content",
    "/v1/files/{id}%00/content",
    "/v1/files/{id}%2f/content",
    "/v1/files/{id}/../{id}",
    "/v1/files//content",
    "/v1/files/%ff%fe/content",
    "/v1/files/%ed%a0%80/content",
    "/v1/files/%/content",
    "/v1/files/%zz/content",
    "/v1/files/%25%32%65/content",
    "/v1/files/{id};a=b/content",
    "/v1/files/{ID}/content",
    "/v1/files/urn:uuid:{id}/content",
    "/v1/files/{{{id}}}/content",
    "/v1/uploads/{id}/chunks/0%2f..",
    "/v1/uploads/{id}/chunks/%00",
    "/v1/./uploads/{id}",
    "file:///etc/passwd",
    "*",
]


@pytest.mark.parametrize("path", PATHS)
def test_an_odd_path_finds_nothing(server: RunningServer, victim: str, path: str) -> None:
    path = path.replace("{id}", victim).replace("{ID}", victim.upper())
    for method in ("GET", "DELETE"):
        sent = f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() + HEALTH
        answers = exchange(server.port, sent)
        assert [answer.status for answer in answers] in ([404, 200], [405, 200], [400])
        assert all(b"SQLite" not in answer.body for answer in answers)


@pytest.mark.parametrize("index", ["-1", "-0", "+0", "0_0", "00x", "0x0", "0.0", "%30_", "\u0660", "9" * 3000, "1e3"])
def test_an_odd_index_is_no_chunk_or_the_one_that_it_names(server: RunningServer, upload_id: str, index: str) -> None:
    path = quote(index, safe="%+")
    line = f"PUT /v1/uploads/{upload_id}/chunks/{path} HTTP/1.1\r\nHost: x\r\n".encode()
    answers = exchange(server.port, line + LENGTH + b"\r\n" + BODY + HEALTH)
    assert [answer.status for answer in answers] in ([404, 200], [422, 200], [204, 200])
    assert received_bytes(server, upload_id) in ({len(BODY)} if answers[0].status == 204 else {0})


ROUTES = [
    "/v1/uploads",
    "/v1/uploads/{}",
    "/v1/uploads/{}/chunks/0",
    "/v1/uploads/{}/finalize",
    "/v1/files",
    "/v1/files/check",
    "/v1/files/{}",
    "/v1/files/{}/content",
    "/health",
    "/health/live",
    "/health/ready",
    "/nowhere",
]
METHODS = ["HEAD", "OPTIONS", "TRACE", "PATCH", "PUT", "POST", "CONNECT", "PROPFIND", "BREW"]


@pytest.mark.parametrize("route", ROUTES)
def test_every_method_on_every_route_has_an_answer_and_leaves_the_connection_in_step(
    server: RunningServer, upload_id: str, route: str
) -> None:
    unknown = str(uuid.uuid4())
    for method in METHODS:
        for some_id in (unknown, upload_id):
            line = f"{method} {route.format(some_id)} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
            answers = exchange(server.port, line.encode() + HEALTH, head_only=method == "HEAD")
            assert is_answered(answers), f"{line!r}: {answers}"


def is_answered(answers: list[RawAnswer]) -> bool:
    """A success or a client's mistake; then the next request is served, unless the server ended the connection."""
    closes = answers[0].headers.get("connection") == "close"
    followed = [answer.status for answer in answers[1:]] == ([] if closes else [200])
    return followed and (answers[0].status < 500 or answers[0].status == 501)


@pytest.mark.parametrize("header", ["SCRIPT_NAME: /v1", "PATH_INFO: /v1/files", "X-Forwarded-Proto: https"])
def test_a_header_cannot_lead_to_another_route(server: RunningServer, header: str) -> None:
    head = f"GET /v1/uploads/x HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode()
    answers = exchange(server.port, head)
    assert [answer.code or answer.status for answer in answers] in (["upload_not_found"], [400])


def test_after_all_this_a_file_is_made_and_its_bytes_are_right(server: RunningServer, upload_id: str) -> None:
    chunk = f"{server.url}/v1/uploads/{upload_id}/chunks/0"
    assert requests.put(chunk, data=BODY, timeout=10).status_code == 204
    assert requests.post(f"{server.url}/v1/uploads/{upload_id}/finalize", timeout=10).status_code == 201
    assert requests.get(f"{server.url}/v1/files/{upload_id}/content", timeout=10).content == BODY


def test_what_was_refused_left_no_name_on_the_disk(server: RunningServer) -> None:
    named = [path.name for folder in ("data", "open") for path in (server.data_dir / folder).rglob("*")]
    assert all(re.fullmatch(r"[0-9a-f]{2}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", name) for name in named)
