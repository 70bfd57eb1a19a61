"""Whatever a server says back, no secret of ours is kept, and what is kept is short and printable."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm.results.redaction import MOST_LETTERS, place, said
from upswarm.transfer.messages import Phase, Request

SECRET = "hunter2-Hunter2"
SIGNED = Request(
    Phase.CHUNK,
    "PUT",
    f"/c/blob?comp=block&sv=2024-01-01&se=2030-01-01&sig={SECRET}%3D&sp=rw",
    {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json", "X-Thing": "another-secret"},
)


@pytest.mark.parametrize(
    "body",
    [
        f"no such token: {SECRET}",
        f'{{"authorization": "Bearer {SECRET}"}}',
        f"<Error><Code>SignatureDoesNotMatch</Code><SignatureProvided>{SECRET}</SignatureProvided></Error>",
        f"could not read https://h/c/blob?sig={SECRET}%3D&sp=rw",
        "X-Thing=another-secret is unknown",
        f"sig={SECRET}= is not the signature",
        f"no such token: {SECRET.upper()}",
        f"no such token: {base64.b64encode(SECRET.encode()).decode()}",
    ],
)
def test_what_was_sent_as_a_secret_does_not_come_back(body):
    kept = said(body, SIGNED)
    assert SECRET.lower() not in kept.lower()
    assert "aHVudGVyMi" not in kept
    assert "another-secret" not in kept
    assert "***" in kept or "?…" in kept


@pytest.mark.parametrize(
    "body",
    [
        '{"token": "s3cr3t-of-another"}',
        "api_key=s3cr3t-of-another&x=1",
        "Authorization: Basic s3cr3t-of-another",
        "AWS4-HMAC-SHA256 Credential=s3cr3t-of-another/20250101, Signature=s3cr3t-of-another",
        "<StringToSign>AWS4\n20250101\ns3cr3t-of-another</StringToSign>",
        "<AWSAccessKeyId>s3cr3t-of-another</AWSAccessKeyId>",
        "see https://me:s3cr3t-of-another@host/x",
        "see https://h/x?X-Amz-Signature=s3cr3t-of-another",
        "Set-Cookie: session=s3cr3t-of-another",
        f"signed with {'s3cr3t' * 3}s3cr3t-of-another{'s3cr3t' * 9}",
        "eyJhbGciOiJIUzI1NiJ9.s3cr3t-of-another",
    ],
)
def test_what_looks_like_a_secret_is_not_kept_either(body):
    assert "s3cr3t-of-another" not in said(body, None)


def test_a_secret_of_the_query_is_known_quoted_and_plain():
    request = Request(Phase.CHUNK, "PUT", "/c?key=ab%2Fcd%2Bef%3D%3D")
    said_of_it = "no ab/cd+ef== nor ab%2Fcd%2Bef%3D%3D nor ab/cd%2bef%3d%3d here"
    assert said(said_of_it, request) == "no *** nor *** nor *** here"


def test_a_login_is_known_behind_its_coding():
    header = base64.b64encode(b"me:open-sesame").decode()
    request = Request(Phase.INIT, "POST", "/", {"Authorization": f"Basic {header}"})
    assert said(f"me with open-sesame, that is {header}", request) == "me with ***, that is ***"


@pytest.mark.parametrize(
    "text",
    [
        '{"code": "upload_not_found", "detail": "no upload 98944daf-05d2-43fe-b15f-eeb5b5266d4f"}',
        "<Error><Code>NoSuchUpload</Code><Message>The specified upload does not exist.</Message></Error>",
        "413 Request Entity Too Large: 8388608 bytes, application/json",
        "A valid bearer token is needed.",
    ],
)
def test_what_helps_stays_as_it_is(text):
    assert said(text, SIGNED) == text


def test_a_place_has_no_host_no_login_and_no_query():
    assert place(SIGNED) == "/c/blob"
    assert place(Request(Phase.CHUNK, "PATCH", f"https://me:{SECRET}@h:1/files/7?token={SECRET}")) == "/files/7"
    assert place(Request(Phase.INIT, "POST", "")) == "/"


@given(st.one_of(st.binary(max_size=600), st.text(max_size=600)))
def test_whatever_a_server_says_is_one_short_printable_line(body):
    kept = said(body, SIGNED)
    assert len(kept) <= MOST_LETTERS
    assert kept == "" or kept.isprintable()


@given(
    st.text(st.characters(categories=["L", "N"]), min_size=6, max_size=40), st.text(max_size=40), st.text(max_size=40)
)
def test_a_token_is_gone_wherever_it_stands(token, before, after):
    request = Request(Phase.INIT, "POST", "/", {"Authorization": f"Bearer x{token}"})
    assert f"x{token}" not in said(f"{before}x{token}{after}", request)


@pytest.mark.parametrize(
    "piece", ["m", "token", 'token="', "?", "a/", "<Signature", "eyJ", "://", "bearer ", "x=?", "sig:", "a" * 39 + "/"]
)
def test_a_long_answer_is_no_more_work_than_a_short_one(piece):
    assert len(said(piece * (1 << 20), SIGNED)) <= MOST_LETTERS


def test_half_of_a_secret_at_the_end_of_what_is_read_is_not_kept():
    assert said(f"?{'a=' * 490} and {SECRET}", SIGNED) == "?… and"
