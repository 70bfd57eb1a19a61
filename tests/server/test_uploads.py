"""init, chunk, probe, finalize and abort, in-process and in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from falcon.testing import Result, TestClient

from tests.server.conftest import NOW_S, Clock
from upswarm import digests

ClientOf = Callable[..., TestClient]
CONTENT = bytes(range(256)) * 10  # 2560 bytes: two chunks of 1000 and one of 560


def begin(client: TestClient, size_bytes: int = len(CONTENT), **wish: Any) -> dict[str, Any]:
    about = {"filename": "a.bin", "size_bytes": size_bytes, "chunk_size_bytes": 1000} | wish
    answer = client.simulate_post("/v1/uploads", json=about)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def put(client: TestClient, upload_id: str, index: int, data: bytes | None = None, **headers: str) -> Result:
    data = CONTENT[index * 1000 : (index + 1) * 1000] if data is None else data
    return client.simulate_put(f"/v1/uploads/{upload_id}/chunks/{index}", body=data, headers=headers)


def probe(client: TestClient, upload_id: str) -> dict[str, Any]:
    return dict(client.simulate_get(f"/v1/uploads/{upload_id}").json)


def finalize(client: TestClient, upload_id: str) -> Result:
    return client.simulate_post(f"/v1/uploads/{upload_id}/finalize")


def whole(client: TestClient, **wish: Any) -> str:
    upload_id = str(begin(client, **wish)["upload_id"])
    for index in (2, 0, 1):
        assert put(client, upload_id, index).status_code == 204
    return upload_id


def assert_problem(answer: Result, status: int, code: str, detail: str = "") -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = dict(answer.json)
    assert (answer.status_code, document["status"], document["code"]) == (status, status, code), document
    assert detail in document["detail"], document["detail"]
    assert {"type", "title", "hint"} <= document.keys()
    return document


def test_a_whole_upload_becomes_a_file(client: TestClient) -> None:
    answer = finalize(client, whole(client, client_id="c-1", client_timestamp=12.5, metadata={"a": 1}))
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/files/{answer.json['file_id']}"
    assert answer.json["size_bytes"] == len(CONTENT)
    assert answer.json["metadata"] == {"a": 1}
    assert answer.json["client_timestamp"] == 12.5
    assert "digest" not in answer.json
    content = client.simulate_get(f"/v1/files/{answer.json['file_id']}/content")
    assert content.content == CONTENT


def test_init_tells_chunk_size_and_count_and_when_it_expires(client: TestClient) -> None:
    answer = client.simulate_post("/v1/uploads", json={"filename": "a", "size_bytes": 6 << 20})
    assert answer.headers["Location"] == f"/v1/uploads/{answer.json['upload_id']}"
    assert answer.json["chunk_size_bytes"] == 5 << 20
    assert answer.json["chunk_count"] == 2
    assert answer.json["expires_at"] == "2027-01-16T08:00:00.000Z"


def test_every_chunk_tells_how_much_has_come(client: TestClient) -> None:
    upload_id = begin(client)["upload_id"]
    assert put(client, upload_id, 2).headers["Upload-Received-Bytes"] == "560"
    assert put(client, upload_id, 0).headers["Upload-Received-Bytes"] == "1560"


def test_the_probe_tells_what_is_there_and_what_is_missing(client: TestClient) -> None:
    upload_id = begin(client)["upload_id"]
    put(client, upload_id, 1)
    assert probe(client, upload_id) == {
        "upload_id": upload_id,
        "state": "open",
        "filename": "a.bin",
        "size_bytes": 2560,
        "chunk_size_bytes": 1000,
        "chunk_count": 3,
        "received_bytes": 1000,
        "received_chunks": [[1, 1]],
        "missing_chunks": [[0, 0], [2, 2]],
        "expires_at": "2027-01-16T08:00:00.000Z",
    }


def test_after_finalize_probe_and_finalize_still_answer(client: TestClient) -> None:
    upload_id = whole(client)
    first = finalize(client, upload_id)
    again = finalize(client, upload_id)
    assert (again.status_code, again.json) == (201, first.json)
    found = probe(client, upload_id)
    assert (found["state"], found["file_id"]) == ("finalized", first.json["file_id"])
    assert (found["received_bytes"], found["missing_chunks"]) == (2560, [])


def test_an_empty_file_is_a_file(client: TestClient) -> None:
    begun = begin(client, size_bytes=0)
    assert begun["chunk_count"] == 0
    file_id = finalize(client, begun["upload_id"]).json["file_id"]
    content = client.simulate_get(f"/v1/files/{file_id}/content")
    assert (content.status_code, content.content) == (200, b"")


def test_a_torn_chunk_is_not_recorded(client: TestClient) -> None:
    upload_id = begin(client)["upload_id"]
    answer = client.simulate_put(
        f"/v1/uploads/{upload_id}/chunks/0", body=CONTENT[:300], headers={"Content-Length": "1000"}
    )
    assert_problem(answer, 400, "chunk_torn", "expected 1000 B, found 300 B")
    assert probe(client, upload_id)["received_bytes"] == 0
    assert put(client, upload_id, 0).status_code == 204


def test_a_damaged_chunk_is_not_recorded(client: TestClient) -> None:
    upload_id = begin(client)["upload_id"]
    for algorithm in digests.ALGORITHMS:
        promised = digests.format_header(algorithm, digests.digest_of(algorithm, [CONTENT[:1000]]))
        answer = put(client, upload_id, 0, b"x" * 1000, **{"Content-Digest": promised})
        assert_problem(answer, 422, "digest_mismatch", f"expected {promised}")
    assert probe(client, upload_id)["received_bytes"] == 0


@pytest.mark.parametrize("algorithm", digests.ALGORITHMS)
def test_a_chunk_with_its_digest_is_recorded(client: TestClient, algorithm: str) -> None:
    upload_id = begin(client)["upload_id"]
    promised = digests.format_header(algorithm, digests.digest_of(algorithm, [CONTENT[:1000]]))
    assert put(client, upload_id, 0, **{"Content-Digest": promised}).status_code == 204


def test_a_digest_of_an_unknown_algorithm_is_ignored(client: TestClient) -> None:
    assert put(client, begin(client)["upload_id"], 0, **{"Content-Digest": "md5=:AAAA:"}).status_code == 204


def test_a_digest_that_cannot_be_read_is_refused(client: TestClient) -> None:
    answer = put(client, begin(client)["upload_id"], 0, **{"Content-Digest": "sha-256=abc"})
    assert_problem(answer, 400, "invalid_request", "Content-Digest: expected algorithm=:base64:")


def test_the_same_chunk_again_is_a_success(client: TestClient) -> None:
    upload_id = begin(client)["upload_id"]
    for _ in range(3):
        assert put(client, upload_id, 0).headers["Upload-Received-Bytes"] == "1000"


def test_another_chunk_in_the_same_place_is_refused_and_changes_nothing(client: TestClient) -> None:
    upload_id = whole(client)
    assert_problem(put(client, upload_id, 1, b"x" * 1000), 409, "chunk_conflict")
    file_id = finalize(client, upload_id).json["file_id"]
    assert client.simulate_get(f"/v1/files/{file_id}/content").content == CONTENT


def test_a_torn_repetition_takes_nothing_back(client: TestClient) -> None:
    upload_id = whole(client)
    answer = client.simulate_put(f"/v1/uploads/{upload_id}/chunks/0", body=b"x", headers={"Content-Length": "1000"})
    assert_problem(answer, 400, "chunk_torn")
    assert probe(client, upload_id)["missing_chunks"] == []


@pytest.mark.parametrize(("index", "data"), [(0, b"x" * 999), (0, b"x" * 1001), (2, b"x" * 1000), (0, b"")])
def test_a_chunk_of_another_length_is_refused(client: TestClient, index: int, data: bytes) -> None:
    upload_id = begin(client)["upload_id"]
    answer = put(client, upload_id, index, data, **{"Content-Length": str(len(data))})
    assert_problem(answer, 422, "chunk_length_mismatch", f"found {len(data)} B")


@pytest.mark.parametrize("index", [3, 99999999])
def test_a_chunk_outside_the_file_is_refused(client: TestClient, index: int) -> None:
    upload_id = begin(client)["upload_id"]
    assert_problem(put(client, upload_id, index, b"x" * 1000), 422, "chunk_out_of_range", f"found {index}")


def test_a_chunk_without_a_length_is_refused(client: TestClient) -> None:
    answer = client.simulate_put(f"/v1/uploads/{begin(client)['upload_id']}/chunks/0")
    assert_problem(answer, 411, "length_required")


def test_a_chunk_longer_than_any_may_be_is_refused(client: TestClient) -> None:
    answer = client.simulate_put(
        f"/v1/uploads/{begin(client)['upload_id']}/chunks/0", headers={"Content-Length": str(1 << 40)}
    )
    assert_problem(answer, 413, "size_over_limit")


@pytest.mark.parametrize("upload_id", ["0" * 36, "7b7c1c86-2ac2-4d6f-b60e-0ad8f0d3dc4e", "..", "%2e%2e%2fetc", "A"])
def test_an_unknown_upload_is_not_found(client: TestClient, upload_id: str) -> None:
    for answer in (
        client.simulate_get(f"/v1/uploads/{upload_id}"),
        put(client, upload_id, 0),
        client.simulate_delete(f"/v1/uploads/{upload_id}"),
    ):
        assert answer.json["code"] in {"upload_not_found", "not_found"}
        assert answer.status_code == 404


def test_an_id_in_another_spelling_is_not_the_same_id(client: TestClient) -> None:
    upload_id = begin(client)["upload_id"]
    assert client.simulate_get(f"/v1/uploads/{upload_id.upper()}").status_code == 404


def test_finalize_lists_what_is_missing(client: TestClient) -> None:
    upload_id = begin(client)["upload_id"]
    put(client, upload_id, 1)
    document = assert_problem(
        finalize(client, upload_id), 409, "upload_incomplete", "expected 3 chunks, found 2 missing"
    )
    assert document["missing_chunks"] == [[0, 0], [2, 2]]


def test_a_promised_digest_is_checked_and_kept(client: TestClient) -> None:
    promised = digests.format_header("sha-256", hashlib.sha256(CONTENT).digest())
    answer = finalize(client, whole(client, digest=promised))
    assert answer.status_code == 201
    assert answer.json["digest"] == promised


def test_a_file_without_its_promised_digest_is_refused_and_can_be_sent_again(client: TestClient) -> None:
    right = digests.format_header("sha-256", hashlib.sha256(CONTENT).digest())
    upload_id = str(begin(client, digest=right)["upload_id"])
    for index in range(3):
        put(client, upload_id, index, b"x" * min(1000, 2560 - 1000 * index))
    assert_problem(finalize(client, upload_id), 422, "digest_mismatch", f"expected {right}")
    assert probe(client, upload_id)["missing_chunks"] == [[0, 2]]
    for index in range(3):
        assert put(client, upload_id, index).status_code == 204
    assert finalize(client, upload_id).status_code == 201


def test_a_finalized_upload_takes_no_chunks_and_is_not_aborted(client: TestClient) -> None:
    upload_id = whole(client)
    finalize(client, upload_id)
    assert_problem(put(client, upload_id, 0), 409, "upload_finalized")
    assert_problem(client.simulate_delete(f"/v1/uploads/{upload_id}"), 409, "upload_finalized")


def test_an_aborted_upload_is_gone(client: TestClient) -> None:
    upload_id = whole(client)
    assert client.simulate_delete(f"/v1/uploads/{upload_id}").status_code == 204
    for answer in (
        client.simulate_delete(f"/v1/uploads/{upload_id}"),
        client.simulate_get(f"/v1/uploads/{upload_id}"),
        put(client, upload_id, 0),
        finalize(client, upload_id),
    ):
        assert_problem(answer, 404, "upload_not_found")


def test_an_upload_that_was_not_finalized_in_time_is_gone(client_of: ClientOf, clock: Clock) -> None:
    client = client_of(upload_lifetime_s=60.0)
    upload_id, finished = whole(client), whole(client)
    finalize(client, finished)
    clock.now_s = NOW_S + 60
    for answer in (
        client.simulate_get(f"/v1/uploads/{upload_id}"),
        put(client, upload_id, 0),
        finalize(client, upload_id),
    ):
        assert_problem(answer, 410, "upload_expired")
    assert finalize(client, finished).status_code == 201
    assert client.simulate_delete(f"/v1/uploads/{upload_id}").status_code == 204


def test_all_wrong_fields_are_told_at_once(client: TestClient) -> None:
    answer = client.simulate_post(
        "/v1/uploads",
        json={"size_bytes": -1, "client_id": "a\nb", "chunk_size": 5, "digest": "md5=:AA:", "content_type": "text"},
    )
    errors = {error["field"]: error["message"] for error in assert_problem(answer, 400, "invalid_request")["errors"]}
    assert errors.keys() == {"filename", "size_bytes", "client_id", "chunk_size", "digest", "content_type"}
    assert errors["size_bytes"] == "expected a whole number of bytes, found -1"
    assert errors["chunk_size"] == 'expected no such field; did you mean "chunk_size_bytes"?'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b"\xff",
        b'{"size_bytes": NaN, "filename": "a"}',
        b'{"size_bytes": 1, "filename": "a", "client_timestamp": 1e400}',
        b"[" * 20_000,
        b'{"size_bytes": 1' + b"0" * 5000 + b"}",
        b'{"filename": "\\ud800", "size_bytes": 1}',
        b"null",
    ],
)
def test_what_is_no_json_object_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.simulate_post("/v1/uploads", body=body, headers={"Content-Length": str(len(body))})
    assert_problem(answer, 400, "invalid_request", "expected a JSON object")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size_bytes", True),
        ("size_bytes", 1.0),
        ("size_bytes", "1"),
        ("filename", None),
        ("client_timestamp", True),
        ("client_timestamp", "x" * 65),
        ("content_type", "text/html\r\nX-Evil: yes"),
        ("content_type", 'text/plain; a="ü"'),
        ("metadata", []),
        ("metadata", {"a": "x" * 9000}),
        ("digest", ""),
        ("digest", "sha-256=:AAAA:"),
    ],
)
def test_a_field_of_the_wrong_kind_is_refused(client: TestClient, field: str, value: object) -> None:
    answer = client.simulate_post("/v1/uploads", json={"filename": "a", "size_bytes": 1} | {field: value})
    assert [error["field"] for error in assert_problem(answer, 400, "invalid_request")["errors"]] == [field]


def test_a_json_body_over_the_limit_is_refused(client_of: ClientOf) -> None:
    client = client_of(max_json_size_bytes=100)
    answer = client.simulate_post("/v1/uploads", json={"filename": "a" * 200, "size_bytes": 1})
    assert_problem(answer, 413, "size_over_limit", "expected at most 100 B")


def test_a_filename_is_data_and_never_a_path(client: TestClient) -> None:
    for name in ("../../etc/passwd", "a\x00b", "", ".."):
        answer = client.simulate_post("/v1/uploads", json={"filename": name, "size_bytes": 1})
        assert_problem(answer, 422, "filename_rejected")


def test_limits_are_kept(client_of: ClientOf) -> None:
    client = client_of(max_file_size_bytes=5000, quota_bytes=6000, max_open_uploads=2)
    over = client.simulate_post("/v1/uploads", json={"filename": "a", "size_bytes": 5001})
    assert_problem(over, 413, "size_over_limit", "expected at most 5000 B, found 5001 B")
    begin(client, 5000)
    beyond = client.simulate_post("/v1/uploads", json={"filename": "a", "size_bytes": 1001})
    assert_problem(beyond, 507, "quota_exceeded", "expected at most 1000 B, found 1001 B")
    begin(client, 1000)
    many = client.simulate_post("/v1/uploads", json={"filename": "a", "size_bytes": 0})
    assert_problem(many, 503, "open_uploads_exceeded")
    assert many.headers["Retry-After"] == "5"


def test_a_full_store_says_so(client: TestClient) -> None:
    answer = client.simulate_post("/v1/uploads", json={"filename": "a", "size_bytes": 1 << 40})
    assert_problem(answer, 507, "storage_full")


def test_a_rejected_chunk_size_tells_the_limits(client_of: ClientOf) -> None:
    client = client_of(min_chunk_size_bytes=100, max_chunk_size_bytes=20 << 20)
    answer = client.simulate_post("/v1/uploads", json={"filename": "a", "size_bytes": 1, "chunk_size_bytes": 99})
    document = assert_problem(answer, 422, "chunk_size_rejected", "expected 100 to 20971520 B, found 99 B")
    assert document["min_chunk_size_bytes"] == 100
    assert document["max_chunk_size_bytes"] == 20 << 20


def test_answers_are_json_that_python_and_others_read_alike(client: TestClient) -> None:
    answer = client.simulate_post("/v1/uploads", json={"filename": "ümlaut 🐝", "size_bytes": 0})
    record = finalize(client, answer.json["upload_id"])
    assert json.loads(record.content)["filename"] == "ümlaut 🐝"


@pytest.mark.parametrize("index", ["1_0", "-0", "+1", "٣", "1e0", "0x1", "9" * 30, "%31%00"])
def test_an_index_is_digits_and_nothing_that_python_takes_for_a_number(client: TestClient, index: str) -> None:
    answer = client.simulate_put(f"/v1/uploads/{begin(client)}/chunks/{index}", body=b"x")
    assert_problem(answer, 404, "not_found")
