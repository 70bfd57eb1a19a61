"""Listing, records, content and removal, in-process and in memory."""

from __future__ import annotations

import pytest
from falcon.testing import TestClient

from tests.server.test_uploads import CONTENT, assert_problem, finalize, whole


@pytest.fixture
def file_id(client: TestClient) -> str:
    answer = finalize(client, whole(client, filename="grün.txt", client_id="one", content_type="text/plain"))
    return str(answer.json["file_id"])


def content(client: TestClient, file_id: str, **headers: str):
    return client.simulate_get(
        f"/v1/files/{file_id}/content", headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def test_a_file_is_shown_as_finalize_showed_it(client: TestClient) -> None:
    finalized = finalize(client, whole(client))
    assert client.simulate_get(finalized.headers["Location"]).json == finalized.json


def test_content_is_an_attachment_of_the_kind_that_the_client_named(client: TestClient, file_id: str) -> None:
    answer = content(client, file_id)
    assert answer.content == CONTENT
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Content-Length"] == "2560"
    assert answer.headers["ETag"] == client.simulate_get(f"/v1/files/{file_id}").json["etag"]
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''gr%C3%BCn.txt"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_head_tells_what_get_would(client: TestClient, file_id: str) -> None:
    asked = {"Range": "bytes=10-19", "X-Request-ID": "one"}
    head = client.simulate_head(f"/v1/files/{file_id}/content", headers=asked)
    assert (head.status_code, head.content) == (206, b"")
    assert head.headers == client.simulate_get(f"/v1/files/{file_id}/content", headers=asked).headers


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=2500-", 2500, 2560),
        ("bytes=2500-99999", 2500, 2560),
        ("bytes=-60", 2500, 2560),
        ("bytes=-99999", 0, 2560),
        ("bytes = 5 - 6", 5, 7),
    ],
)
def test_one_range_is_served(client: TestClient, file_id: str, asked: str, start: int, end: int) -> None:
    answer = content(client, file_id, Range=asked)
    assert answer.status_code == 206
    assert answer.content == CONTENT[start:end]
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/2560"
    assert answer.headers["Content-Length"] == str(end - start)


@pytest.mark.parametrize("asked", ["bytes=2560-", "bytes=9999-10000", "bytes=-0"])
def test_a_range_outside_the_file_is_refused(client: TestClient, file_id: str, asked: str) -> None:
    answer = content(client, file_id, Range=asked)
    assert_problem(answer, 416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == "bytes */2560"


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "items=0-1", "bytes=5-2", "bytes=-", "nonsense", "bytes=" + "9" * 5000 + "-"]
)
def test_what_is_no_single_range_is_ignored(client: TestClient, file_id: str, asked: str) -> None:
    answer = content(client, file_id, Range=asked)
    assert (answer.status_code, answer.content) == (200, CONTENT)


def test_who_has_the_file_need_not_load_it_again(client: TestClient, file_id: str) -> None:
    etag = content(client, file_id).headers["ETag"]
    for tags in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = content(client, file_id, If_None_Match=tags)
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
    assert content(client, file_id, If_None_Match='"other"').status_code == 200


def test_a_range_of_another_file_is_not_served(client: TestClient, file_id: str) -> None:
    etag = content(client, file_id).headers["ETag"]
    assert content(client, file_id, Range="bytes=0-1", If_Range=etag).status_code == 206
    assert content(client, file_id, Range="bytes=0-1", If_Range='"other"').status_code == 200


def test_a_deleted_file_is_gone(client: TestClient, file_id: str) -> None:
    assert client.simulate_delete(f"/v1/files/{file_id}").status_code == 204
    for answer in (
        client.simulate_get(f"/v1/files/{file_id}"),
        content(client, file_id),
        client.simulate_delete(f"/v1/files/{file_id}"),
        client.simulate_get("/v1/files/not-an-id"),
    ):
        assert_problem(answer, 404, "file_not_found")


def test_files_are_listed_page_by_page(client: TestClient) -> None:
    names = [f"file-{n}" for n in range(5)]
    for name in names:
        finalize(client, whole(client, filename=name, client_id="one"))
    finalize(client, whole(client, filename="other", client_id="two"))
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.simulate_get("/v1/files", params={"client_id": "one", "prefix": "file", "limit": "2"} | cursor)
        seen += [file["filename"] for file in page.json["files"]]
        if page.json["next_cursor"] is None:
            break
        cursor = {"cursor": page.json["next_cursor"]}
    assert seen == names


def test_open_uploads_are_no_files(client: TestClient) -> None:
    whole(client)
    assert client.simulate_get("/v1/files").json == {"files": [], "next_cursor": None}


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=many", "cursor=-1", "cursor=x", "cursor=" + "9" * 30]
)
def test_a_query_that_makes_no_sense_is_refused(client: TestClient, query: str) -> None:
    name = query.partition("=")[0]
    assert_problem(
        client.simulate_get(f"/v1/files?{query}"), 400, "invalid_request", f"{name}: expected a whole number"
    )


def test_check_tells_whether_a_name_would_be_accepted(client: TestClient) -> None:
    assert client.simulate_post("/v1/files/check", json={"filename": "a.bin"}).json == {"accepted": True}
    answer = client.simulate_post("/v1/files/check", json={"filename": "a/b"})
    assert answer.status_code == 200
    assert answer.json["accepted"] is False
    assert answer.json["code"] == "filename_rejected"
    assert "slashes" in answer.json["reason"]
    assert_problem(client.simulate_post("/v1/files/check", json={}), 400, "invalid_request")


def test_a_misspelt_parameter_of_a_listing_is_not_ignored(client: TestClient) -> None:
    answer = client.simulate_get("/v1/files?clientid=one")
    problem = assert_problem(answer, 400, "invalid_request")
    assert problem["errors"] == [{"field": "clientid", "message": 'expected no such field; did you mean "client_id"?'}]
