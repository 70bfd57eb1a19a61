"""`POST /v1/files`: whole small files as raw bodies and as forms, in-process and over real sockets."""

from __future__ import annotations

import hashlib
import io
import socket
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import falcon
import pytest
import requests
from falcon.testing import Result, TestClient, create_environ

from tests.server.conftest import NOW_S, Clock
from tests.server.test_uploads import assert_problem
from tests.servers import RunningServer
from upswarm import digests
from upswarm_server.app import create_app, prepare
from upswarm_server.catalogs.memory import MemoryCatalog
from upswarm_server.settings import Settings
from upswarm_server.stores.memory import MemoryStore

ClientOf = Callable[..., TestClient]
CONTENT = bytes(range(256)) * 10
BOUNDARY = "frontier"
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def raw(client: TestClient, data: bytes = CONTENT, query: str = "filename=a.bin", **headers: str) -> Result:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.simulate_post(f"/v1/files?{query}", body=data, headers=named)


def part(disposition: str, data: bytes, content_type: str | None = None) -> bytes:
    kind = f"Content-Type: {content_type}\r\n" if content_type else ""
    return f"Content-Disposition: form-data; {disposition}\r\n{kind}\r\n".encode() + data


def form_of(*parts: bytes) -> bytes:
    return b"".join(b"--frontier\r\n" + each + b"\r\n" for each in parts) + b"--frontier--\r\n"


def file_part(data: bytes = CONTENT, filename: str = "a.bin", content_type: str | None = "video/mp4") -> bytes:
    return part(f'name="file"; filename="{filename}"', data, content_type)


def form(client: TestClient, *parts: bytes, content_type: str = FORM_TYPE, **headers: str) -> Result:
    return send(client, form_of(*parts), content_type, **headers)


def send(client: TestClient, body: bytes, content_type: str = FORM_TYPE, **headers: str) -> Result:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.simulate_post("/v1/files", body=body, headers={"Content-Type": content_type} | named)


def assert_nothing_left(client: TestClient) -> None:
    assert client.simulate_get("/v1/files").json["files"] == []
    assert client.simulate_get("/health").json["open_uploads"] == 0


def assert_stored(client: TestClient, answer: Result, content: bytes) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    record = dict(answer.json)
    assert answer.headers["Location"] == f"/v1/files/{record['file_id']}"
    assert client.simulate_get(answer.headers["Location"]).json == record
    assert client.simulate_get(f"/v1/files/{record['file_id']}/content").content == content
    assert record["size_bytes"] == len(content)
    assert client.simulate_get("/health").json["open_uploads"] == 0
    return record


def sha256(data: bytes) -> str:
    return digests.format_header("sha-256", hashlib.sha256(data).digest())


def test_a_raw_body_becomes_a_file(client: TestClient) -> None:
    query = "filename=gr%C3%BCn%20%26%20b.bin&client_id=c-1&timestamp=2026-11-23T12%3A00"
    answer = raw(client, query=query, Content_Type="video/mp4")
    record = assert_stored(client, answer, CONTENT)
    assert record["filename"] == "grün & b.bin"
    assert (record["client_id"], record["client_timestamp"]) == ("c-1", "2026-11-23T12:00")
    assert record["content_type"] == "video/mp4"
    assert "digest" not in record


def test_a_form_becomes_a_file(client: TestClient) -> None:
    stamp = part('name="timestamp"', b"1763899200.5")
    answer = form(client, part('name="client_id"', "cliënt".encode()), file_part(filename="grün.bin"), stamp)
    record = assert_stored(client, answer, CONTENT)
    assert record["filename"] == "grün.bin"
    assert (record["client_id"], record["client_timestamp"]) == ("cliënt", "1763899200.5")
    assert record["content_type"] == "video/mp4"


def test_both_are_answered_as_finalize_answers(client: TestClient) -> None:
    for answer in (raw(client), form(client, file_part())):
        assert client.simulate_post(f"/v1/uploads/{answer.json['upload_id']}/finalize").json == answer.json


def test_an_empty_file_is_a_file(client: TestClient) -> None:
    promised = sha256(b"")
    assert_stored(client, raw(client, b"", Content_Length="0"), b"")
    assert_stored(client, raw(client, b"", Content_Length="0", Content_Digest=promised), b"")
    assert_stored(client, form(client, file_part(b"")), b"")
    answer = raw(client, b"", Content_Length="0", Content_Digest=sha256(b"x"))
    assert_problem(answer, 422, "digest_mismatch")


def test_chunk_sizes_and_their_limits_are_for_files_in_chunks(client_of: ClientOf) -> None:
    client = client_of(min_chunk_size_bytes=100, max_chunk_size_bytes=200, auto_chunk_floor_bytes=150,
                       auto_chunk_ceiling_bytes=160)  # fmt: skip
    for data in (b"x", b"x" * 199, CONTENT):
        assert_stored(client, raw(client, data), data)


def test_a_raw_body_without_a_kind_is_bytes(client: TestClient) -> None:
    assert raw(client).json["content_type"] == "application/octet-stream"


def test_a_promised_digest_of_a_raw_body_is_checked_and_kept(client: TestClient) -> None:
    assert raw(client, Content_Digest=sha256(CONTENT)).json["digest"] == sha256(CONTENT)
    assert "digest" not in raw(client, Content_Digest="md5=:AAAA:").json


def test_a_wrong_digest_leaves_nothing(client: TestClient) -> None:
    assert_problem(raw(client, Content_Digest=sha256(b"other")), 422, "digest_mismatch")
    assert_problem(form(client, file_part(), Content_Digest=sha256(b"other")), 422, "digest_mismatch")
    assert_problem(raw(client, Content_Digest="nonsense"), 400, "invalid_request", "Content-Digest")
    assert_nothing_left(client)


@pytest.mark.parametrize("missing", [1, 2, 40, len(CONTENT), len(CONTENT) + 60])
def test_a_torn_body_leaves_nothing(client: TestClient, missing: int) -> None:
    whole = form_of(file_part())
    torn_form = send(client, whole[:-missing], Content_Length=str(len(whole)))
    assert_problem(torn_form, 400, "chunk_torn", f"expected {len(whole)} B, found {len(whole) - missing} B")
    torn = raw(client, CONTENT, Content_Length=str(len(CONTENT) + missing))
    assert_problem(torn, 400, "chunk_torn", f"expected {len(CONTENT) + missing} B, found {len(CONTENT)} B")
    assert_nothing_left(client)


@pytest.mark.parametrize(("query", "content_type"), [("?filename=a", "video/mp4"), ("", FORM_TYPE)])
def test_a_length_is_needed(client: TestClient, query: str, content_type: str) -> None:
    headers = {"Transfer-Encoding": "chunked", "Content-Type": content_type}
    assert_problem(client.simulate_post(f"/v1/files{query}", headers=headers), 411, "length_required")


def test_what_is_larger_is_sent_to_the_uploads(client_of: ClientOf) -> None:
    client = client_of(max_whole_file_size_bytes=len(CONTENT))
    assert_stored(client, raw(client, CONTENT), CONTENT)
    assert_stored(client, form(client, file_part()), CONTENT)
    larger = CONTENT + b"x"
    for answer in (
        raw(client, larger),
        form(client, file_part(larger)),
        form(client, file_part(bytes(1 << 20))),
        raw(client, b"", Content_Length=str(1 << 50)),
    ):
        document = assert_problem(answer, 413, "size_over_limit", f"expected at most {len(CONTENT)} B")
        assert "POST /v1/uploads" in document["hint"]


def test_the_limits_of_all_files_hold_here_too(client_of: ClientOf) -> None:
    client = client_of(max_file_size_bytes=1000, quota_bytes=100, max_open_uploads=1)
    assert_problem(raw(client, b"x" * 1001), 413, "size_over_limit")
    assert_problem(raw(client, b"x" * 101), 507, "quota_exceeded")
    assert_problem(form(client, file_part(b"x" * 101)), 507, "quota_exceeded")
    assert_nothing_left(client)
    client.simulate_post("/v1/uploads", json={"filename": "a", "size_bytes": 1})
    assert_problem(raw(client, b"x"), 503, "open_uploads_exceeded")


def test_a_filename_is_data_and_never_a_path(client: TestClient) -> None:
    for name in ("..%2F..%2Fetc%2Fpasswd", "a%00b", "", "..", "x" * 256):
        assert_problem(raw(client, query=f"filename={name}"), 422, "filename_rejected")
    for name in ("../../etc/passwd", "a\x01b", "", "..", "x" * 256):
        assert_problem(form(client, file_part(filename=name)), 422, "filename_rejected")
    assert_nothing_left(client)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", {"filename"}),
        ("client_id=a", {"filename"}),
        ("filename=a&client-id=b&stamp=1", {"client-id", "stamp"}),
        ("filename=a&client_id=&timestamp=" + "x" * 65, {"client_id", "timestamp"}),
        ("filename=a&client_id=a%0Ab", {"client_id"}),
    ],
)
def test_all_wrong_parameters_are_told_at_once(client: TestClient, query: str, fields: set[str]) -> None:
    document = assert_problem(raw(client, query=query), 400, "invalid_request", "wrong in the query")
    assert {error["field"] for error in document["errors"]} == fields


@pytest.mark.parametrize("query", ["filename=%FF", "filename=a&filename=b", "filename=a" + "&x=1" * 99])
def test_a_query_that_has_no_one_meaning_is_refused(client: TestClient, query: str) -> None:
    assert_problem(raw(client, query=query), 400, "invalid_request")
    assert_nothing_left(client)


def test_a_kind_that_is_none_is_refused(client: TestClient) -> None:
    assert_problem(raw(client, Content_Type="video"), 400, "invalid_request", "wrong in the headers: Content-Type")
    answer = form(client, file_part(content_type="video"))
    assert_problem(answer, 400, "invalid_request", "wrong in the headers: file")
    assert_nothing_left(client)


class BrokenCatalog(MemoryCatalog):
    def finalize(self, *arguments: object) -> None:  # type: ignore[override]
        raise ZeroDivisionError


def test_a_failure_at_the_last_step_leaves_nothing() -> None:
    store = MemoryStore()
    client = TestClient(create_app(Settings(), store=store, catalog=BrokenCatalog()))
    before = store.free_bytes()
    for answer in (raw(client), form(client, file_part())):
        assert_problem(answer, 500, "internal_error")
    assert store.free_bytes() == before
    assert_nothing_left(client)


class Slow(io.BytesIO):
    """A body during which the clock goes on."""

    def __init__(self, clock: Clock, data: bytes) -> None:
        super().__init__(data)
        self._clock = clock

    def read(self, size_bytes: int | None = -1) -> bytes:
        self._clock.now_s = NOW_S + 61
        return super().read(size_bytes)


def test_a_body_that_takes_longer_than_an_upload_may_leaves_nothing(client_of: ClientOf, clock: Clock) -> None:
    client = client_of(upload_lifetime_s=60.0)
    slow = {"wsgi.input": Slow(clock, b"x")}
    answer = client.simulate_post("/v1/files?filename=a", headers={"Content-Length": "1"}, extras=slow)
    assert_problem(answer, 410, "upload_expired")
    assert_nothing_left(client)


class Zeros:
    """A body that nobody has in memory: a beginning, zeros, an end."""

    def __init__(self, size_bytes: int, head: bytes = b"", tail: bytes = b"") -> None:
        self._left = [head, size_bytes, tail]
        self.length_bytes = len(head) + size_bytes + len(tail)

    def read(self, size_bytes: int = -1) -> bytes:
        head, zeros, tail = self._left
        if head or not zeros:
            self._left = [b"", zeros, b"" if not zeros else tail]
            return head or tail
        self._left[1] = zeros - min(zeros, size_bytes)
        return bytes(min(zeros, size_bytes))


@pytest.fixture
def on_disk(tmp_path: Path) -> falcon.App[Any, Any]:
    settings = Settings(data_dir=tmp_path / "data")
    prepare(settings)
    return create_app(settings)


def peak_bytes(app: falcon.App[Any, Any], body: Zeros, **headers: str) -> int:
    environ = create_environ("/v1/files", method="POST", query_string=headers.pop("query", ""))
    environ |= {"wsgi.input": body, "CONTENT_LENGTH": str(body.length_bytes)} | headers
    statuses: list[str] = []
    tracemalloc.start()
    try:
        app(environ, lambda status, _: statuses.append(status))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert statuses == ["201 Created"]
    return peak


def test_a_whole_file_never_stands_in_memory(on_disk: falcon.App[Any, Any]) -> None:
    head, tail = form_of(file_part(b"|")).split(b"|")
    peaks = [
        peak_bytes(on_disk, Zeros(48 << 20), query="filename=a"),
        peak_bytes(on_disk, Zeros(48 << 20, head, tail), CONTENT_TYPE=FORM_TYPE),
    ]
    assert max(peaks) < 8 << 20


def test_forms_leave_no_temporary_files(on_disk: falcon.App[Any, Any], tmp_path: Path) -> None:
    client = TestClient(on_disk)
    data = bytes(1 << 20)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    answer = form(client, file_part(data))
    assert_stored(client, answer, data)
    assert_problem(form(client, file_part(data), part('name="x"', b"")), 400, "invalid_request")
    added = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert {path.name for path in added} <= {answer.json["file_id"], "catalog.sqlite3-wal", "catalog.sqlite3-shm"}


def test_over_real_sockets_whole_files_survive_and_torn_ones_leave_nothing(
    server_of: Callable[..., RunningServer],
) -> None:
    server = server_of(workers=1)
    url = f"{server.url}/v1/files"
    data = CONTENT * 500
    fields = {"client_id": "c-1", "timestamp": "1"}
    by_form = requests.post(url, files={"file": ("ä.bin", data)}, data=fields, timeout=10)
    by_body = requests.post(url, params={"filename": "ä.bin", **fields}, data=data, timeout=10)
    assert (by_form.status_code, by_body.status_code) == (201, 201), by_form.text + by_body.text
    for query, content_type in (("", FORM_TYPE), ("?filename=a", "video/mp4")):
        head = f"POST /v1/files{query} HTTP/1.1\r\nContent-Length: 9999\r\n"
        head += f"Content-Type: {content_type}\r\nHost: x\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(head.encode() + form_of(file_part()))
            connection.shutdown(socket.SHUT_WR)
            answer = connection.makefile("rb").read()
        assert b'"code": "chunk_torn"' in answer
    server.kill()
    server.restart()
    url = f"{server.url}/v1/files"
    assert requests.get(f"{server.url}/health", timeout=10).json()["open_uploads"] == 0
    files = requests.get(url, timeout=10).json()["files"]
    assert files == [by_form.json(), by_body.json()]
    for file in files:
        assert file["filename"] == "ä.bin"
        assert requests.get(f"{url}/{file['file_id']}/content", timeout=10).content == data
