"""The form of `POST /v1/files`: its parts, and what is no such form."""

from __future__ import annotations

import pytest
from falcon.testing import TestClient

from tests.server.test_uploads import assert_problem
from tests.server.test_whole_files import (
    CONTENT,
    FORM_TYPE,
    assert_nothing_left,
    assert_stored,
    file_part,
    form,
    form_of,
    part,
    send,
    sha256,
)


@pytest.mark.parametrize(
    ("parts", "fields"),
    [
        ((), {"file"}),
        ((part('name="file"', b"x"),), {"file"}),
        ((part('name="client_id"', b"a"),), {"file"}),
        ((file_part(), part('name="clientid"', b"a"), part('name="x"', b"b")), {"clientid", "x"}),
        ((file_part(), part("", b"a")), {""}),
        ((file_part(), part('name="client_id"', b""), part('name="timestamp"', b"x" * 65)), {"client_id", "timestamp"}),
        ((file_part(), part('name="client_id"', b"x" * 9000)), {"client_id"}),
        ((file_part(), file_part()), {"file"}),
        ((part('name="client_id"', b"a"), part('name="client_id"', b"a"), file_part()), {"client_id"}),
    ],
)
def test_all_wrong_parts_are_told_at_once(client: TestClient, parts: tuple[bytes, ...], fields: set[str]) -> None:
    document = assert_problem(form(client, *parts), 400, "invalid_request", "wrong in the form")
    assert {error["field"] for error in document["errors"]} == fields
    assert_nothing_left(client)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form at all",
        b"--frontier--",
        b"--frontier\r\n\r\n--frontier--",
        b"--frontier\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\nno end",
        form_of(file_part(), part('name="client_id"', b"\xff")),
        form_of(b'Content-Disposition: form-data; name="\xff"\r\n\r\nx'),
        form_of(b'Content-Disposition: form-data; name="file"; filename="\xff"\r\n\r\nx'),
        form_of(b'Content-Disposition: form-data; name="file"; filename=a\r\nContent-Type: t\xff/x\r\n\r\nx'),
        form_of(b"Content-Disposition: form-data; name=\"file\"; filename*=base64''AAAA\r\n\r\nx"),
        form_of(b"Content-Disposition: form-data; name=file; filename=a\r\nX: " + b"y" * 9000 + b"\r\n\r\nx"),
        form_of(file_part(), *(part(f'name="x{number}"', b"") for number in range(20))),
        form_of(b"Content-Transfer-Encoding: base64\r\n" + file_part()),
    ],
)
def test_what_is_no_such_form_is_refused(client: TestClient, body: bytes) -> None:
    assert_problem(send(client, body, Content_Length=str(len(body))), 400, "invalid_request")
    assert_nothing_left(client)


@pytest.mark.parametrize("boundary", ["", "; boundary=", "; boundary=" + "x" * 71])
def test_a_form_without_a_boundary_is_refused(client: TestClient, boundary: str) -> None:
    assert_problem(form(client, file_part(), content_type=f"multipart/form-data{boundary}"), 400, "invalid_request")


def test_a_forms_values_are_parts_and_not_parameters(client: TestClient) -> None:
    headers = {"Content-Type": FORM_TYPE}
    answer = client.simulate_post("/v1/files?client_id=a", body=form_of(file_part()), headers=headers)
    assert_problem(answer, 400, "invalid_request", "wrong in the query: client_id")


@pytest.mark.parametrize("cut", range(0, 40, 3))
def test_bytes_that_look_like_the_boundary_are_the_files(client: TestClient, cut: int) -> None:
    almost = b"\r\n--frontie\r\n--fronti\r\n--" * (3000 + cut)
    assert_stored(client, form(client, file_part(almost[cut:])), almost[cut:])


def test_the_digest_of_a_form_is_that_of_the_whole_form(client: TestClient) -> None:
    body = form_of(file_part())
    record = assert_stored(client, send(client, body, Content_Digest=sha256(body)), CONTENT)
    assert "digest" not in record


def test_a_files_part_without_a_kind_is_text_as_the_standard_has_it(client: TestClient) -> None:
    assert form(client, file_part(content_type=None)).json["content_type"] == "text/plain"
