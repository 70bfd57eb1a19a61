"""What the server writes about itself: one object per request, no secrets, no forged lines."""

from __future__ import annotations

import contextvars
import json
import logging
import re
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from falcon.testing import TestClient

from tests.server.conftest import ClientOf
from tests.servers import Access, RunningServer, wait_for
from upswarm_server import trace
from upswarm_server.logs import FIELDS, JsonFormatter, TextFormatter

DOCS = (Path(__file__).parents[2] / "docs" / "server.md").read_text()
ServerOf = Callable[..., RunningServer]
SAFE = "Az09._:+=/@-"
TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"
UNSAFE = ["", " ", "a b", "a" * 65, 'a"b', "a{b}", "ü", "a,b", "a\tb", "a;b"]


@pytest.fixture
def server(server_of: ServerOf) -> RunningServer:
    return server_of(workers=1)


def raw(server: RunningServer, head: str) -> bytes:
    """What a client that writes heads by hand is answered, up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        return connection.makefile("rb").read()


def begin(server: RunningServer, **about: object) -> requests.Response:
    wish = {"filename": "a.bin", "size_bytes": 3} | about
    return requests.post(f"{server.url}/v1/uploads", json=wish, timeout=10)


def documented(section: str) -> list[str]:
    """The first column of the first table in this section."""
    text = DOCS.partition(f"### {section}\n")[2].partition("\n#")[0]
    return re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)


def test_every_field_is_documented_and_no_other() -> None:
    assert documented("The access log") == list(FIELDS)
    assert documented("On stderr") == list(json.loads(formatted(JsonFormatter(), record("said"))))


def test_a_line_has_every_field_in_its_place(server: RunningServer) -> None:
    upload_id = begin(server, client_id="client-7").json()["upload_id"]
    path = f"/v1/uploads/{upload_id}/chunks/0"
    headers = {"X-Request-ID": "mine", "traceparent": PARENT}
    before = datetime.now(UTC)
    assert requests.put(f"{server.url}{path}?a=b", data=b"abc", headers=headers, timeout=10).status_code == 204
    wait_for(lambda: len(server.access_log()) == 2)
    line = (server.directory / "access.log").read_text().splitlines()[1]
    members = json.loads(line)
    assert tuple(members) == FIELDS == Access._fields
    assert before - timedelta(seconds=1) < datetime.fromisoformat(members.pop("time")) < datetime.now(UTC)
    assert 0 < members.pop("seconds") < 10
    assert members == {
        "request_id": "mine",
        "method": "PUT",
        "path": path,
        "route": "/v1/uploads/{upload_id}/chunks/{index}",
        "status": 204,
        "received_bytes": 3,
        "upload_id": upload_id,
        "client_id": "client-7",
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "server_id": socket.gethostname(),
        "pid": next(iter(server.workers)),
    }


def test_upload_and_client_are_known_in_every_request_about_them(server: RunningServer) -> None:
    upload_id = begin(server, client_id="c").json()["upload_id"]
    url = f"{server.url}/v1/uploads/{upload_id}"
    requests.get(url, timeout=10)
    assert requests.put(f"{url}/chunks/0", data=b"torn", timeout=10).status_code == 422
    requests.put(f"{url}/chunks/0", data=b"abc", timeout=10)
    requests.post(f"{url}/finalize", timeout=10)
    for method in ("GET", "DELETE"):
        requests.request(method, f"{server.url}/v1/files/{upload_id}", timeout=10)
    requests.get(f"{server.url}/v1/files?client_id=d", timeout=10)
    requests.get(f"{server.url}/v1/files", timeout=10)
    about = [(line.upload_id, line.client_id) for line in server.access_log(9)]
    assert about == [(upload_id, "c")] * 7 + [(None, "d"), (None, None)]


def test_a_kept_connection_carries_nothing_from_one_request_to_the_next(server: RunningServer) -> None:
    with requests.Session() as session:
        about = {"filename": "a", "size_bytes": 3, "client_id": "c"}
        session.post(f"{server.url}/v1/uploads", json=about, headers={"X-Request-ID": "one"}, timeout=10)
        session.get(f"{server.url}/nowhere", timeout=10)
    first, second = server.access_log(2)
    assert (first.request_id, first.client_id, first.status) == ("one", "c", 201)
    assert (second.client_id, second.upload_id, second.route, second.status) == (None, None, "none", 404)
    assert second.request_id != "one"


@pytest.mark.parametrize("proposed", [SAFE, "a", "a" * 64])
def test_a_safe_request_id_is_taken_over(client_of: ClientOf, proposed: str) -> None:
    client = client_of(tokens=("one",))
    for path, status in (("/health/live", 200), ("/health/nowhere", 401), ("/v1/files", 401)):
        answer = client.simulate_get(path, headers={"X-Request-ID": proposed})
        assert answer.status_code == status
        assert answer.headers["X-Request-ID"] == proposed


@pytest.mark.parametrize("proposed", UNSAFE)
def test_an_unsafe_request_id_is_replaced(proposed: str) -> None:
    drawn = trace.begin(proposed).request_id
    assert re.fullmatch("[0-9a-f]{32}", drawn)
    assert trace.begin(proposed).request_id != drawn


def test_without_a_request_id_each_request_gets_its_own(client: TestClient) -> None:
    drawn = {client.simulate_get("/health/live").headers["X-Request-ID"] for _ in range(10)}
    assert len(drawn) == 10


@pytest.mark.parametrize("parent", [PARENT, f"{PARENT[:-2]}00", f"cc{PARENT[2:]}", f"cc{PARENT[2:]}-what-comes-later"])
def test_a_valid_traceparent_is_taken_over(parent: str) -> None:
    assert trace.ids_of(parent) == (TRACE_ID, SPAN_ID)


@pytest.mark.parametrize(
    "parent",
    [None, "", f"{PARENT}-more", f"{PARENT}\n", f"ff{PARENT[2:]}", PARENT.upper(), PARENT[:-1], f"0{PARENT}",
     f"00-{'0' * 32}-{SPAN_ID}-01", f"00-{TRACE_ID}-{'0' * 16}-01", f"cc{PARENT[2:]}."],
)  # fmt: skip
def test_any_other_traceparent_is_as_good_as_none(parent: str | None) -> None:
    assert trace.ids_of(parent) == (None, None)


def test_no_log_has_a_secret(server_of: ServerOf) -> None:
    server = server_of(workers=1, tokens="s3cr3t-token", log_level="debug")
    authorization = "Authorization: Bearer s3cr3t-token"
    for head in (
        f"GET /v1/files?key=s3cr3t-query HTTP/1.1\r\nHost: x\r\n{authorization}\r\n\r\n",
        "GET /v1/files?key=s3cr3t-query HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3cr3t-wrong\r\n\r\n",
        "GET http://user:s3cr3t-user@x/v1/files?key=s3cr3t-query HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /v1/files?key=s3cr3t-query HTTP/9.9\r\nHost: x\r\n\r\n",
        f"GET /v1/files?key=s3cr3t query HTTP/1.1\r\nHost: x\r\n{authorization}\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer s3cr3t-token\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3cr3t-\x01token\r\n\r\n",
    ):
        assert raw(server, head).startswith(b"HTTP/1.1 ")
    lines = server.access_log(3)
    assert [line.path for line in lines[:3]] == ["/v1/files"] * 3
    wait_for(lambda: server.errors.count("Invalid request from ip=127.0.0.1: ") >= 4)
    assert server.errors.count("Invalid request from ip=127.0.0.1: ") >= 4
    said = server.errors + (server.directory / "access.log").read_text()
    assert "s3cr3t" not in said


def test_hostile_values_make_no_lines_of_their_own(server: RunningServer) -> None:
    forged = '{"status": 200}'
    for path in ("/%0a" + forged.replace(" ", "%20"), "/%0d%0a%1b[31m", "/%e2%80%a8x", "/%ff%fe", '/"}', "/%00"):
        answer = raw(server, f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Request-ID: {forged}\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 404 ")
    begin(server, client_id='"}\u202e{"')
    requests.get(f'{server.url}/v1/files?client_id=%0a{forged}%00"', timeout=10)
    assert len(server.access_log(8)) == 8
    text = (server.directory / "access.log").read_bytes()
    assert text.count(b"\n") == 8
    assert text.isascii()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", text)
    assert forged.encode() not in text


def test_the_access_log_may_be_standard_output(server_of: ServerOf) -> None:
    server = server_of(workers=1, access_log="-")
    begin(server)
    assert server.process.stdout is not None
    line = Access(**json.loads(server.process.stdout.readline()))
    assert (line.method, line.path, line.status) == ("POST", "/v1/uploads", 201)


def meet_a_bug(server: RunningServer) -> requests.Response:
    """Ask for an upload whose record nobody can have written."""
    upload_id = begin(server).json()["upload_id"]
    with closing(sqlite3.connect(server.data_dir / "catalog.sqlite3", isolation_level=None)) as connection:
        connection.execute("UPDATE uploads SET record = '{}'")
    return requests.get(f"{server.url}/v1/uploads/{upload_id}", timeout=10)


def test_on_stderr_a_bug_has_the_id_of_its_request(server: RunningServer) -> None:
    answer = meet_a_bug(server)
    assert answer.status_code == 500
    request_id = answer.headers["X-Request-ID"]
    first, *traceback = server.errors.splitlines()
    assert re.fullmatch(rf"\[[^]]+\] \[\d+\] \[ERROR\] GET /v1/uploads/\S+ failed \(request {request_id}\)", first)
    assert traceback[0] == "    Traceback (most recent call last):"
    assert "TypeError" in traceback[-1]
    assert all(line.startswith("    ") for line in traceback)
    assert server.access_log(2)[1].request_id == request_id


def test_on_stderr_there_is_json_where_it_is_wanted(server_of: ServerOf) -> None:
    server = server_of(workers=1, log_format="json", log_level="info")
    answer = meet_a_bug(server)
    raw(server, "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/9.9\r\n\r\n")
    assert server.stop() == 0
    said: list[dict[str, Any]] = [json.loads(line) for line in server.errors.splitlines()]
    (bug,) = [each for each in said if each["level"] == "error"]
    assert bug["logger"] == "upswarm_server"
    assert re.fullmatch(r"GET /v1/uploads/\S+ failed", bug["message"])
    assert bug["request_id"] == answer.headers["X-Request-ID"]
    assert bug["traceback"].startswith("Traceback (most recent call last):\n")
    assert bug["pid"] == server.access_log(1)[0].pid
    (invalid,) = [each for each in said if each["level"] == "warning"]
    assert invalid["logger"] == "gunicorn.error"
    assert invalid["message"].startswith("Invalid request from ip=127.0.0.1: ")
    assert invalid["request_id"] is None
    assert "Shutting down: Master" in [each["message"] for each in said]


def record(message: str, *args: object, name: str = "upswarm_server", error: BaseException | None = None) -> Any:
    exc_info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord(name, logging.ERROR, __file__, 1, message, args, exc_info)


def formatted(formatter: logging.Formatter, message: logging.LogRecord) -> str:
    """Where no request is being answered."""
    return contextvars.Context().run(formatter.format, message)


def test_text_on_stderr_cannot_be_forged() -> None:
    error = ValueError("one\r\n[2026-11-23] [1] [ERROR] forged\x1b[31m\u2028")
    text = formatted(TextFormatter(), record("%s failed", "/a\n[2026-11-23] forged\x85\x00", error=error))
    first, *more = text.split("\n")
    assert first.endswith(r"[ERROR] /a\n[2026-11-23] forged\x85\x00 failed")
    assert more
    assert all(line.startswith("    ") for line in more)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028]", text)


def test_json_on_stderr_is_one_line_whatever_is_said() -> None:
    line = formatted(JsonFormatter(), record("a\nb\u2028%s", "\x00"))
    assert "\n" not in line
    assert line.isascii()
    assert json.loads(line)["message"] == "a\nb\u2028\x00"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Error handling request GET /a?key=secret", "Error handling request GET /a"),
        ("Error handling request /a?key=secret", "Error handling request /a"),
        ("Invalid request from ip=1.2.3.4: Invalid HTTP request line: 'GET /a?b=secret'", None),
        ('Invalid request from ip=1.2.3.4: Invalid HTTP Header: "Authorization: \'secret\n"', None),
    ],
)
def test_what_gunicorn_says_of_a_request_has_neither_query_nor_head(said: str, left: str | None) -> None:
    for formatter in (TextFormatter(), JsonFormatter()):
        text = formatted(formatter, record(said, name="gunicorn.error"))
        assert "secret" not in text
        assert (left or "Invalid request from ip=1.2.3.4: Invalid HTTP") in text
        assert left is not None or "(left out)" in text


def test_a_message_with_a_percent_sign_is_said_as_it_is() -> None:
    assert "100 %s done" in formatted(TextFormatter(), record("%s", "100 %s done"))


def test_whoever_has_no_trace_notes_nothing() -> None:
    contextvars.Context().run(trace.note, "upload", "client")
    assert contextvars.Context().run(trace.current) is None
