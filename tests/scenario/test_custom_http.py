"""A service's API in a scenario: what is wrong in it is said with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.protocols.custom_http import EXAMPLES, PAGE, example
from upswarm.errors import Finding, ScenarioError
from upswarm.protocols.http import CHUNK_NAMES, NAMES, Http
from upswarm.scenario.loader import parse, resolve
from upswarm.scenario.schema import markdown
from upswarm.swarm.plan import Plan

HEAD = "target: {protocol: {http: {"
SEND = "send: {method: PUT, path: '/u/{uuid}', body: '@chunk'}"


def findings(http: str) -> list[Finding]:
    """The mistakes in what stands between the braces of `http`."""
    with pytest.raises(ScenarioError) as caught:
        parse(f"{HEAD}{http}}}}}}}", "s.yaml", {})
    return caught.value.findings


@pytest.mark.parametrize(
    ("http", "key", "message"),
    [
        ("create: {method: POST, path: /}", "send", "is missing, but needed"),
        ("send: {path: /u, body: '@chunk'}", "send.method", "is missing, but needed"),
        (
            "send: {method: FETCH, path: /u, body: '@chunk'}",
            "send.method",
            "expected 'GET', 'HEAD', 'POST', 'PUT', 'PATCH' or 'DELETE', found 'FETCH'",
        ),
        (
            "send: {method: PUT, path: '/u/{uuid', body: '@chunk'}",
            "send.path",
            "expected a name such as {index}, or {{ and }} for braces, found '{' at character 4 of '/u/{uuid'",
        ),
        (
            "send: {method: PUT, path: u, body: '@chunk'}",
            "send.path",
            "expected a path that begins with / or a name in braces, found 'u'",
        ),
        (
            "send: {method: PUT, path: '/u/{idx}', body: '@chunk'}",
            "send.path",
            f"expected one of {', '.join([*NAMES, *CHUNK_NAMES])} in braces, found 'idx'",
        ),
        (
            f"{SEND}, finalize: {{method: POST, path: '/u/{{index}}'}}",
            "finalize.path",
            f"expected one of {', '.join(NAMES)} in braces, found 'index'",
        ),
        (
            f"{SEND}, finalize: {{method: POST, path: /u, headers: {{X-A: '{{ab}}'}}}}",
            "finalize.headers.X-A",
            f"expected one of {', '.join(NAMES)} in braces, found 'ab'",
        ),
        (
            f"{SEND}, finalize: {{method: POST, path: /u, json: {{a: [1, {{b: '{{ab}}'}}]}}}}",
            "finalize.json.a[1].b",
            f"expected one of {', '.join(NAMES)} in braces, found 'ab'",
        ),
        (
            f"{SEND}, create: {{method: POST, path: '/{{id}}', extract: {{id: 'json:id'}}}}",
            "create.path",
            f"expected one of {', '.join(NAMES)} in braces, found 'id'",
        ),
        (
            "send: {method: PUT, path: /u}",
            "send",
            "expected `@chunk` once, as `body` or as a field of `form`, found it 0 times",
        ),
        (
            "send: {method: PUT, path: /u, form: {a: '@chunk', b: '@chunk'}}",
            "send",
            "expected `@chunk` once, as `body` or as a field of `form`, found it 2 times",
        ),
        (
            f"{SEND}, create: {{method: PUT, path: /u, body: '@chunk'}}",
            "create.body",
            "expected no chunk, found '@chunk'",
        ),
        (
            f"{SEND}, create: {{method: PUT, path: /u, body: a, json: {{}}}}",
            "create.body",
            "expected one body at most, found json and body",
        ),
        (
            f"{SEND}, create: {{method: PUT, path: /u, headers: {{authorization: x}}}}",
            "create.headers.authorization",
            "expected no credentials, for they would be in the run file",
        ),
        (
            f"{SEND}, create: {{method: PUT, path: /u, extract: {{id: xml}}}}",
            "create.extract.id",
            "expected json:path.of.keys, header:Name or regex:expression, found 'xml'",
        ),
        (
            f"{SEND}, create: {{method: PUT, path: /u, extract: {{size: 'json:size'}}}}",
            "create.extract.size",
            "expected a name of your own, found 'size', which has a meaning",
        ),
        (
            "send: {method: PUT, path: /u, body: '@chunk', extract: {next: 'header:Location'}}",
            "send.extract.next",
            "expected a name that `create` extracts too, found 'next'",
        ),
        (
            f"{SEND}, probe: {{method: GET, path: /u, held: {{}}}}",
            "probe.held",
            "expected exactly one of offset, indexes, found none",
        ),
        (
            f"{SEND}, probe: {{method: GET, path: /u, held: {{offset: here}}}}",
            "probe.held.offset",
            "expected json:path.of.keys, header:Name or regex:expression, found 'here'",
        ),
        (
            f"{SEND}, finalize: {{method: POST, path: /u, failures: {{409: torn}}}}",
            "finalize.failures[409]",
            "expected a kind that an answer can mean, found 'torn'",
        ),
        (
            f"{SEND}, finalize: {{method: POST, path: /u, expect: [99]}}",
            "finalize.expect[0]",
            "expected at least 200, found 99",
        ),
        (
            f"{SEND}, finalize: {{method: POST, path: /u, expect: []}}",
            "finalize.expect",
            "expected at least 1 in the list, found an empty list",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_said_with_its_place(http: str, key: str, message: str) -> None:
    (found,) = findings(http)
    assert (found.key, found.message) == (f"target.protocol.http.{key}", message)
    assert (found.line, found.column >= len(HEAD)) == (1, True)


SECRET = "expected no credentials, for they would be in the run file"


@pytest.mark.parametrize(
    ("step", "key"),
    [
        ("path: '/u?size={size}&token=hunter2'", "path"),
        ("path: '/u?a=eyJhbGciOiJIUzI1NiJ9.hunter2'", "path"),
        ("path: 'https://me:hunter2@h/{uuid}'", "path"),
        ("path: 'u?token=hunter2{'", "path"),
        ("path: /u, headers: {X-Upload-Token: hunter2}", "headers.X-Upload-Token"),
        ("path: /u, headers: {X-A: Bearer hunter2}", "headers.X-A"),
        ("path: /u, json: {a: [{password: hunter2}]}", "json.a[0].password"),
        ("path: /u, form: {api_key: hunter2}", "form.api_key"),
        ("path: /u, body: 'name={filename}&secret=hunter2'", "body"),
        ('path: /u, body: \'{{"a": {{"token": "hunter2"}}}}\'', "body"),
    ],
)
def test_a_secret_has_no_place_in_a_request(step: str, key: str) -> None:
    (found,) = findings(f"{SEND}, create: {{method: POST, {step}}}")
    assert (found.key, found.message) == (f"target.protocol.http.create.{key}", SECRET)


def test_what_a_service_hands_out_is_no_secret_of_the_scenario() -> None:
    step = (
        "path: '/v1/token:new?key={filename}&token={uuid}', headers: {X-Upload-Token: '{uuid}', X-Token-Type: jwt}, "
        """body: '{{"token": "{uuid}", "signature": {size}}}'"""
    )
    parse(f"{HEAD}{SEND}, finalize: {{method: POST, {step}}}}}}}}}", "s.yaml", {})


def test_the_nearest_right_word_is_offered() -> None:
    names, keys, kinds = (
        findings("send: {method: PUT, path: '/{filname}', body: '@chunk'}"),
        findings(f"{SEND}, finalise: {{method: PUT, path: /}}"),
        findings(f"{SEND}, finalize: {{method: PUT, path: /, failures: {{409: snyc}}}}"),
    )
    assert names[0].hint == 'did you mean "filename"?'
    assert keys[0].hint == 'did you mean "finalize"?'
    assert "'sync'" in kinds[0].message


def test_keys_are_named_as_they_are_written() -> None:
    (found,) = findings(f"{SEND}, create: {{method: PUT, path: /u, jsn: {{}}}}")
    assert found.message.endswith("expected one of method, path, headers, json, body, form, expect, extract, failures")
    assert found.hint == 'did you mean "json"?'


def test_all_mistakes_of_an_api_are_named_at_once() -> None:
    text = """\
target:
  protocol:
    http:
      create: {method: POST, path: "/u/{nme}", extract: {id: "xml:id"}}
      send: {method: PUT, path: "/u/{id}/{idx}", body: "{"}
"""
    with pytest.raises(ScenarioError) as caught:
        parse(text, "s.yaml", {})
    found = [(each.line, each.column, each.key.removeprefix("target.protocol.http.")) for each in caught.value.findings]
    assert found == [
        (4, 36, "create.path"),
        (4, 62, "create.extract.id"),
        (5, 13, "send"),
        (5, 33, "send.path"),
        (5, 56, "send.body"),
    ]


def test_a_name_and_an_api_are_one_too_many() -> None:
    with pytest.raises(ScenarioError, match="expected a name or http, found both"):
        parse(f"target: {{protocol: {{name: tus, http: {{{SEND}}}}}}}", "s.yaml", {})


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_of_the_documentation_travels_to_workers_as_it_is(number: int) -> None:
    scenario = example(number)
    plan = Plan.of("run-1", scenario, scenario.target.url)
    document = json.loads(json.dumps(plan.to_document()))
    assert Plan.of_document(document).scenario == scenario
    assert isinstance(resolve(document["scenario"]).target.protocol.build("client-1"), Http)


def test_there_are_two_examples() -> None:
    assert len(EXAMPLES) == 2


def test_nothing_of_what_an_api_says_is_lost_on_the_way() -> None:
    """Also a null, an empty text and a number in its JSON."""
    document = {"a": None, "b": "", "c": 1.5, "d": [None, {"e": "{size}"}], "f": False}
    create = json.dumps({"method": "POST", "path": "/", "json": document})
    scenario = parse(f"{HEAD}{SEND}, create: {create}}}}}}}", "s.yaml", {})
    resolved = json.loads(json.dumps(scenario.resolved()))
    assert resolved["target"]["protocol"]["http"] == {
        "create": {"method": "POST", "path": "/", "json": document},
        "send": {"method": "PUT", "path": "/u/{uuid}", "body": "@chunk"},
    }
    assert resolve(resolved) == scenario


def test_a_protocol_by_name_is_written_as_before() -> None:
    assert parse("target: {protocol: put}", "s.yaml", {}).resolved()["target"]["protocol"] == "put"
    assert parse("target: {protocol: {name: put}}", "s.yaml", {}).resolved()["target"]["protocol"] == "put"
    assert parse("", "s.yaml", {}).resolved()["target"]["protocol"] == "chunked"


def test_every_key_and_every_name_is_documented() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert markdown("StepRoom") in text, "put what markdown('StepRoom') gives into docs/custom-http.md"
    assert [name for name in (*NAMES, *CHUNK_NAMES) if f"`{{{name}}}`" not in text] == []
    assert "custom-http.md" in (Path(PAGE).parent / "scenarios.md").read_text(encoding="utf-8")
