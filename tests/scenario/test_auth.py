"""The credentials of a scenario: which there may be, and that they stay out of whatever is written."""

from __future__ import annotations

import base64

import pytest

from upswarm.errors import Finding, ScenarioError
from upswarm.scenario.loader import parse, resolve
from upswarm.scenario.model import Scenario
from upswarm.testing.clock import FakeClock
from upswarm.transfer.messages import Phase, Request

SECRET = base64.b64encode(b"hunter2").decode()
ENVIRON = {"SECRET": SECRET, "WRONG": "hunter22!"}
SIGV4 = "sigv4: {access_key: '${SECRET}', secret_key: '${SECRET}', session_token: '${SECRET}', region: eu-west-1}"
KINDS = {
    "bearer": "bearer: '${SECRET}'",
    "sigv4": SIGV4,
    "azure_sas": "azure_sas: '${SECRET}'",
    "azure_shared_key": "azure_shared_key: {account: me, key: '${SECRET}'}",
    "header": "header: {name: X-Api-Key, value: '${SECRET}'}",
}
EXPECTED = "expected exactly one of bearer, sigv4, azure_sas, azure_shared_key, header, found"


def scenario(auth: str) -> Scenario:
    return parse(f"target: {{url: http://h:1/b, auth: {{{auth}}}}}", "s.yaml", ENVIRON)


def finding(auth: str) -> Finding:
    with pytest.raises(ScenarioError) as raised:
        scenario(auth)
    (found,) = raised.value.findings
    assert "hunter2" not in str(raised.value)
    assert SECRET not in str(raised.value)
    return found


@pytest.mark.parametrize("auth", KINDS.values(), ids=KINDS)
def test_secrets_stay_out_of_everything_that_is_written(auth: str) -> None:
    read = scenario(auth)
    assert SECRET not in f"{read!r} {read.resolved()} {read.model_dump_json()}"


@pytest.mark.parametrize("auth", KINDS.values(), ids=KINDS)
def test_workers_get_what_the_master_has_read(auth: str) -> None:
    read = scenario(auth)
    document = read.resolved(reveal_secrets=True)
    assert SECRET in str(document)
    assert resolve(document) == read


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("bearer", f"Authorization: Bearer {SECRET}"),
        ("sigv4", f"Authorization: AWS4-HMAC-SHA256 Credential={SECRET}/20231114/eu-west-1/s3/"),
        ("sigv4", f"x-amz-security-token: {SECRET}"),
        ("azure_sas", f"/k?{SECRET}"),
        ("azure_shared_key", "Authorization: SharedKey me:"),
        ("header", f"X-Api-Key: {SECRET}"),
    ],
)
def test_each_kind_signs_in_its_way(kind: str, found: str) -> None:
    auth = scenario(KINDS[kind]).target.auth
    assert auth is not None
    signed = auth.build("http://h:1/b", FakeClock())(Request(Phase.PROBE, "GET", "/k"))
    lines = [signed.path, *(f"{name}: {value}" for name, value in signed.headers.items())]
    assert any(line.startswith(found) for line in lines), lines


def test_a_region_and_a_token_may_be_left_out() -> None:
    auth = scenario("sigv4: {access_key: a, secret_key: b}").target.auth
    assert auth is not None
    headers = auth.build("http://h:1/b", FakeClock())(Request(Phase.PROBE, "GET", "/k")).headers
    assert "/us-east-1/s3/" in headers["Authorization"]
    assert "x-amz-security-token" not in headers


def test_a_signature_of_s3_may_stand_in_the_url() -> None:
    auth = scenario("sigv4: {access_key: a, secret_key: b, presigned: true}").target.auth
    assert auth is not None
    request = auth.build("http://h:1/b", FakeClock())(Request(Phase.PROBE, "GET", "/k"))
    assert "&X-Amz-Signature=" in request.path
    assert "Authorization" not in request.headers


def test_there_is_exactly_one_kind() -> None:
    assert finding("").message == f"{EXPECTED} none"
    assert finding(f"{KINDS['bearer']}, {KINDS['azure_sas']}").message == f"{EXPECTED} bearer and azure_sas"


def test_a_key_that_is_not_base64_is_said_to_be_and_not_shown() -> None:
    found = finding("azure_shared_key: {account: me, key: '${WRONG}'}")
    assert found.key == "target.auth.azure_shared_key.key"
    assert found.message == "expected a key in base64, as Azure's portal shows it"


@pytest.mark.parametrize("value", ["hunter2\n", " hunter2", "hunter2\r\nHost: evil", "hünter2", ""])
def test_a_value_that_no_header_can_have_is_not_shown(value: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        parse("target: {auth: {header: {name: X-Api-Key, value: '${V}'}}}", "s.yaml", {"V": value})
    (found,) = raised.value.findings
    assert found.key == "target.auth.header.value"
    assert found.message.startswith("expected visible ASCII characters without spaces at the ends; is the variable")
    assert "nter2" not in str(raised.value)


@pytest.mark.parametrize("name", ["X Api Key", "", "hunter2: x", "X-Ä"])
def test_a_name_that_no_header_can_have_is_not_shown_either(name: str) -> None:
    assert finding(f"header: {{name: '{name}', value: v}}").message == (
        "expected the name of a header, such as X-Api-Key"
    )


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding"])
def test_a_header_that_frames_requests_carries_no_key(name: str) -> None:
    assert finding(f"header: {{name: {name}, value: v}}").message == (
        f"expected a header that carries a key, found {name}, which says how a request is read"
    )


@pytest.mark.parametrize(
    ("auth", "key", "message"),
    [
        ("header: hunter2", "target.auth.header", "expected a mapping"),
        ("header: {name: X-Api-Key}", "target.auth.header.value", "is missing, but needed"),
        ("sigv4: hunter2", "target.auth.sigv4", "expected a mapping"),
        ("bearer: {token: hunter2}", "target.auth.bearer", "expected a text"),
        ("sigv4: {access_key: a, secret_key: [hunter2]}", "target.auth.sigv4.secret_key", "expected a text"),
        ("sigv4: {access_key: a}", "target.auth.sigv4.secret_key", "is missing, but needed"),
    ],
)
def test_what_stands_in_the_wrong_form_is_not_shown(auth: str, key: str, message: str) -> None:
    found = finding(auth)
    assert (found.key, found.message) == (key, message)


def test_a_word_that_is_nearly_right_is_named() -> None:
    assert finding("azure_shared_key: {account: me, key: '${SECRET}', region: x}").key.endswith("region")
    assert finding("azure_sass: x").hint == 'did you mean "azure_sas"?'
