"""tus 1.0.0, clause by clause, in-process and in memory: the core protocol, creation and expiration.

`test_tus_extensions` has the other extensions, `tus_witnesses` the clients that others wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

import pytest
from falcon.testing import Result, TestClient

from tests.server.conftest import NOW_S, Clock
from tests.server.test_uploads import CONTENT, assert_problem, finalize, whole
from tests.server.tus_client import (
    PATCH,
    CutInput,
    ask,
    b64,
    content,
    create,
    cut_patch,
    head,
    id_of,
    listed,
    offset_bytes,
    patch,
)
from upswarm_server.resources.tus import EXTENSIONS

ClientOf = Callable[..., TestClient]


def test_an_upload_in_two_patches_becomes_a_file(client: TestClient) -> None:
    url = create(client)
    assert offset_bytes(client, url) == 0
    assert patch(client, url, 0, CONTENT[:1000]).headers["Upload-Offset"] == "1000"
    answer = head(client, url)
    assert (answer.status_code, answer.headers["Upload-Offset"], answer.headers["Upload-Length"]) == (
        200,
        "1000",
        "2560",
    )
    assert listed(client) == []
    last = patch(client, url, 1000, CONTENT[1000:])
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, "2560")
    assert [file["file_id"] for file in listed(client)] == [id_of(url)]
    assert content(client, url) == CONTENT
    assert offset_bytes(client, url) == 2560


@pytest.mark.parametrize("version", [None, "0.2.2", "1.0", ""])
@pytest.mark.parametrize("method", ["POST", "HEAD", "PATCH", "DELETE"])
def test_another_version_is_not_spoken_and_nothing_is_done(
    client: TestClient, method: str, version: str | None
) -> None:
    url = create(client)
    headers = PATCH | {"Upload-Offset": "0", "Upload-Length": "1"}
    headers |= {} if version is None else {"Tus-Resumable": version}
    path = "/tus/" if method == "POST" else url
    answer = client.simulate_request(method, path, headers=headers, body=b"x" if method == "PATCH" else None)
    assert answer.status_code == 412
    assert (answer.headers["Tus-Version"], answer.headers["Tus-Resumable"]) == ("1.0.0", "1.0.0")
    assert offset_bytes(client, url) == 0
    assert client.simulate_get("/health").json["open_uploads"] == 1


def test_an_answer_about_the_version_is_a_problem(client: TestClient) -> None:
    answer = client.simulate_post("/tus/", headers={"Tus-Resumable": "2.0.0"})
    assert_problem(answer, 412, "version_unsupported", "Tus-Resumable: expected 1.0.0, found '2.0.0'")


def test_options_tells_what_the_server_can_do_and_needs_neither_version_nor_token(client_of: ClientOf) -> None:
    client = client_of(tokens=("secret",), max_file_size_bytes=12345)
    for path in ("/tus/", "/tus/1", "/tus/8b4b4b2c-6d3c-4ba0-9b0f-000000000000"):
        answer = client.simulate_options(path, headers={"Tus-Resumable": "0.2.2"})
        assert answer.status_code == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Extension"] == "creation,termination,checksum,concatenation,expiration"
        assert answer.headers["Tus-Max-Size"] == "12345"
        assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256,crc32c"


def test_everything_else_needs_a_token_and_its_refusal_tells_the_version(client_of: ClientOf) -> None:
    client = client_of(tokens=("secret",))
    for method, path in [("POST", "/tus/"), ("HEAD", "/tus/1"), ("PATCH", "/tus/1"), ("DELETE", "/tus/1")]:
        assert ask(client, method, path, Upload_Length="0").status_code == 401
        # nor does a method that is only said open the door
        assert ask(client, "OPTIONS", path, X_HTTP_Method_Override=method).status_code == 401
    assert create(client, Authorization="Bearer secret")


@pytest.mark.parametrize("offset", [0, 999, 1001, 2560, 9999])
def test_a_wrong_offset_changes_nothing(client: TestClient, offset: int) -> None:
    url = create(client)
    patch(client, url, 0, CONTENT[:1000])
    answer = patch(client, url, offset, b"x" * 10)
    assert_problem(answer, 409, "offset_mismatch", f"expected the bytes from 1000 on, found {offset}")
    assert "Upload-Offset" not in answer.headers
    patch(client, url, 1000, CONTENT[1000:])
    assert content(client, url) == CONTENT


@pytest.mark.parametrize("offset", [None, "", "-1", "1.0", "0x1", "١", "9" * 19])
def test_an_offset_that_is_none_is_refused(client: TestClient, offset: str | None) -> None:
    headers = PATCH if offset is None else PATCH | {"Upload-Offset": offset.encode().decode("latin-1")}
    answer = ask(client, "PATCH", create(client), b"x", **headers)
    assert_problem(answer, 400, "invalid_request", "Upload-Offset: expected a number of bytes")


@pytest.mark.parametrize("media_type", ["", "application/octet-stream", "application/offset+octet-streams"])
def test_a_wrong_content_type_changes_nothing(client: TestClient, media_type: str) -> None:
    url = create(client)
    answer = ask(client, "PATCH", url, b"x", Upload_Offset="0", Content_Type=media_type)
    assert_problem(answer, 415, "media_type_unsupported", "application/offset+octet-stream")
    assert offset_bytes(client, url) == 0


def test_more_bytes_than_are_left_are_refused_whole(client: TestClient) -> None:
    url = create(client)
    patch(client, url, 0, CONTENT[:2000])
    answer = patch(client, url, 2000, bytes(561))
    assert_problem(answer, 413, "size_over_limit", "expected at most 560 B, found 561 B")
    assert offset_bytes(client, url) == 2000


def test_a_patch_without_a_length_is_refused(client: TestClient) -> None:
    answer = ask(client, "PATCH", create(client), Upload_Offset="0", **PATCH)
    assert_problem(answer, 411, "length_required")


def test_a_patch_without_bytes_is_a_success_where_it_belongs(client: TestClient) -> None:
    url = create(client)
    headers = PATCH | {"Content-Length": "0"}
    for data in (CONTENT[:1000], CONTENT[1000:]):
        at = offset_bytes(client, url)
        answer = ask(client, "PATCH", url, Upload_Offset=str(at), **headers)
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(at))
        patch(client, url, at, data)
    assert ask(client, "PATCH", url, Upload_Offset="2560", **headers).status_code == 204


def test_a_finished_upload_takes_no_bytes(client: TestClient) -> None:
    url = create(client)
    patch(client, url, 0, CONTENT)
    assert_problem(patch(client, url, 0, CONTENT), 409, "offset_mismatch")
    assert_problem(patch(client, url, 2560, b"x"), 413, "size_over_limit", "expected at most 0 B")
    assert content(client, url) == CONTENT


@pytest.mark.parametrize("upload_id", ["8b4b4b2c-6d3c-4ba0-9b0f-000000000000", "nonsense", "a%00b"])
def test_what_is_not_there_is_not_found(client: TestClient, upload_id: str) -> None:
    url = f"/tus/{upload_id}"
    answer = head(client, url)
    assert answer.status_code == 404
    assert "Upload-Offset" not in answer.headers
    assert_problem(patch(client, url, 0, b"x"), 404, "upload_not_found")
    assert_problem(ask(client, "DELETE", url), 404, "upload_not_found")


def test_a_method_that_is_meant_counts_and_the_one_that_is_sent_does_not(client: TestClient) -> None:
    url = create(client)
    for sent in ("POST", "DELETE"):
        at = offset_bytes(client, url)
        answer = ask(client, sent, url, b"12345", X_HTTP_Method_Override="patch", Upload_Offset=str(at), **PATCH)
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(at + 5))
    assert ask(client, "GET", url, X_HTTP_Method_Override="HEAD").headers["Upload-Offset"] == "10"
    assert ask(client, "POST", url, X_HTTP_Method_Override="DELETE").status_code == 204
    assert head(client, url).status_code == 404


@pytest.mark.parametrize(("sent", "meant"), [("POST", "HEAD"), ("HEAD", "PATCH"), ("HEAD", "DELETE")])
def test_an_error_that_has_no_body_does_not_say_it_has_one(client: TestClient, sent: str, meant: str) -> None:
    answer = ask(client, sent, "/tus/nothing", X_HTTP_Method_Override=meant)
    assert (answer.content, answer.headers["Content-Length"]) == (b"", "0")


def test_a_method_that_is_meant_is_heard_only_where_tus_is_spoken(client: TestClient) -> None:
    file_id = finalize(client, whole(client)).json["file_id"]
    headers = {"X-HTTP-Method-Override": "DELETE"}
    assert client.simulate_get(f"/v1/files/{file_id}", headers=headers).json["file_id"] == file_id
    assert len(listed(client)) == 1


@pytest.mark.parametrize(("method", "meant"), [("GET", ""), ("PUT", ""), ("POST", "GET"), ("POST", "BREW")])
def test_an_unknown_method_is_refused(client: TestClient, method: str, meant: str) -> None:
    headers = {"X_HTTP_Method_Override": meant} if meant else {}
    assert ask(client, method, create(client), **headers).status_code in {400, 405}


def break_off() -> None:
    raise ConnectionResetError


@pytest.mark.parametrize("then", [lambda: None, break_off])
def test_a_cut_patch_keeps_what_came(client: TestClient, then: Callable[[], None]) -> None:
    url = create(client)
    answer = cut_patch(client, url, CutInput([CONTENT[:400], CONTENT[400:700]], then))
    assert_problem(answer, 400, "body_torn", "expected 2560 B, found 700 B")
    assert offset_bytes(client, url) == 700
    patch(client, url, 700, CONTENT[700:])
    assert content(client, url) == CONTENT


def test_bytes_count_while_the_patch_is_still_running(client: TestClient) -> None:
    url = create(client)
    seen: list[int] = []
    cut_patch(client, url, CutInput([CONTENT[:700]], lambda: seen.append(offset_bytes(client, url))))
    assert seen == [700]


def test_a_second_patch_waits_and_is_busy(client: TestClient) -> None:
    url = create(client)
    found: list[Result] = []
    cut_patch(client, url, CutInput([CONTENT[:700]], lambda: found.append(patch(client, url, 700, b"x"))))
    assert_problem(found[0], 503, "busy")
    assert found[0].headers["Retry-After"] == "1"
    assert offset_bytes(client, url) == 700


def test_a_patch_of_an_upload_that_is_ended_meanwhile_finds_it_gone(client: TestClient) -> None:
    url = create(client)

    def ending() -> Iterator[bytes]:
        yield CONTENT[:1000]
        assert ask(client, "DELETE", url).status_code == 204
        yield CONTENT[1000:]

    assert_problem(cut_patch(client, url, CutInput(ending())), 404, "upload_not_found")
    assert listed(client) == []


def test_creation_tells_where_and_until_when(client: TestClient) -> None:
    answer = ask(client, "POST", "/tus/", Upload_Length="5")
    assert answer.status_code == 201
    assert parsedate_to_datetime(answer.headers["Upload-Expires"]).timestamp() == NOW_S + 24 * 3600
    assert answer.content == b""


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1/tus/", "https://up.example.org/a/b/tus/"])
def test_the_location_is_right_behind_any_proxy(client: TestClient, endpoint: str) -> None:
    location = ask(client, "POST", "/tus/", Upload_Length="5").headers["Location"]
    url = urljoin(endpoint, location)
    assert url == endpoint + location
    assert head(client, url[url.index("/tus/") :]).status_code == 200


def test_an_empty_upload_is_a_file_at_once(client: TestClient) -> None:
    url = create(client, 0, Upload_Metadata=f"filename {b64(b'empty')}")
    assert [(file["filename"], file["size_bytes"]) for file in listed(client)] == [("empty", 0)]
    answer = head(client, url)
    assert (answer.headers["Upload-Offset"], answer.headers["Upload-Length"]) == ("0", "0")
    assert "Upload-Expires" not in answer.headers


@pytest.mark.parametrize("length", [None, "", "-1", "one", "1e3", "9" * 19])
def test_a_creation_needs_a_length(client: TestClient, length: str | None) -> None:
    answer = ask(client, "POST", "/tus/", **({} if length is None else {"Upload_Length": length}))
    assert_problem(answer, 400, "invalid_request", "Upload-Length: expected a number of bytes")


def test_an_upload_that_is_too_long_is_refused(client_of: ClientOf) -> None:
    client = client_of(max_file_size_bytes=1000)
    assert create(client, 1000)
    assert_problem(ask(client, "POST", "/tus/", Upload_Length="1001"), 413, "size_over_limit")


def test_a_creation_is_bounded_as_everywhere(client_of: ClientOf) -> None:
    client = client_of(max_open_uploads=1)
    create(client)
    assert_problem(ask(client, "POST", "/tus/", Upload_Length="1"), 503, "open_uploads_exceeded")


def test_what_is_not_promised_is_refused(client: TestClient) -> None:
    assert_problem(ask(client, "POST", "/tus/", Upload_Defer_Length="1"), 400, "invalid_request", "Upload-Length")
    answer = ask(client, "POST", "/tus/", b"hello", Upload_Length="5", **PATCH)
    assert_problem(answer, 400, "invalid_request", "no creation-with-upload")
    assert client.simulate_get("/health").json["open_uploads"] == 0
    assert not {"creation-defer-length", "creation-with-upload", "checksum-trailer"} & set(EXTENSIONS)


def test_metadata_comes_back_as_it_was_sent_and_stands_on_the_file(client: TestClient) -> None:
    said = f"filename {b64('Übung.txt'.encode())},filetype {b64(b'text/plain')},who {b64(b'me')},draft,raw /w=="
    url = create(client, Upload_Metadata=said)
    assert head(client, url).headers["Upload-Metadata"] == said
    patch(client, url, 0, CONTENT)
    assert head(client, url).headers["Upload-Metadata"] == said
    (file,) = listed(client)
    assert (file["filename"], file["content_type"]) == ("Übung.txt", "text/plain")
    assert file["metadata"] == {"who": "me", "draft": "", "raw": "/w=="}


def test_without_a_filename_the_id_is_the_name(client: TestClient) -> None:
    url = create(client)
    patch(client, url, 0, CONTENT)
    (file,) = listed(client)
    assert (file["filename"], file["content_type"]) == (id_of(url), "application/octet-stream")
    assert "Upload-Metadata" not in head(client, url).headers


def test_a_client_id_in_the_metadata_is_the_client(client: TestClient) -> None:
    create(client, 0, Upload_Metadata=f"client_id {b64(b'phone-7')}")
    assert [file["client_id"] for file in client.simulate_get("/v1/files?client_id=phone-7").json["files"]] == [
        "phone-7"
    ]


def test_a_filetype_that_is_none_is_metadata(client: TestClient) -> None:
    url = create(client, 0, Upload_Metadata=f"filetype {b64(b'unknown')}")
    file = client.simulate_get(f"/v1/files/{id_of(url)}").json
    assert (file["content_type"], file["metadata"]) == ("application/octet-stream", {"filetype": "unknown"})


@pytest.mark.parametrize("filename", [b"../a", b"a/b", b"", b"a\x00b", b"\xff", b"n" * 256])
def test_an_illegal_filename_is_refused(client: TestClient, filename: bytes) -> None:
    answer = ask(client, "POST", "/tus/", Upload_Length="1", Upload_Metadata=f"filename {b64(filename)}")
    assert_problem(answer, 422, "filename_rejected")


@pytest.mark.parametrize(
    "said", ["a YQ==,a Yg==", "a !", "a YQ", ",", "a YQ==,", "a  YQ==", "\xe9 YQ==", " , ", "a YQ== Yg=="]
)
def test_metadata_that_cannot_be_read_is_refused(client: TestClient, said: str) -> None:
    answer = ask(client, "POST", "/tus/", Upload_Length="1", Upload_Metadata=said)
    assert_problem(answer, 400, "invalid_request", "Upload-Metadata: expected")


def test_metadata_is_bounded(client_of: ClientOf) -> None:
    client = client_of(max_metadata_size_bytes=100)
    create(client, Upload_Metadata=f"a {b64(b'x' * 80)}")
    answer = ask(client, "POST", "/tus/", Upload_Length="1", Upload_Metadata=f"a {b64(b'x' * 100)}")
    assert_problem(answer, 400, "invalid_request", "at most 100 B")


def test_an_upload_that_has_expired_is_gone(client: TestClient, clock: Clock) -> None:
    url = create(client)
    until = [ask(client, "HEAD", url).headers["Upload-Expires"], patch(client, url, 0, b"x").headers["Upload-Expires"]]
    assert [parsedate_to_datetime(text).timestamp() for text in until] == [NOW_S + 24 * 3600] * 2
    clock.now_s += 24 * 3600
    assert head(client, url).status_code == 410
    assert "Upload-Offset" not in head(client, url).headers
    assert_problem(patch(client, url, 1, b"x"), 410, "upload_expired")


def test_a_finished_upload_does_not_expire(client: TestClient, clock: Clock) -> None:
    url = create(client)
    assert "Upload-Expires" not in patch(client, url, 0, CONTENT).headers
    clock.now_s += 9 * 24 * 3600
    assert offset_bytes(client, url) == 2560
