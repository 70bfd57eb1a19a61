"""The recorded conversations of the chunked protocol and of tus, replayed against the application."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from falcon.testing import TestClient

from tests.wire.format import CONVERSATIONS, Exchange, Response, Values, conversations, example_values, load, parse

PROTOCOL = Path(__file__).parents[2] / "server" / "PROTOCOL.md"


def replay(exchanges: list[Exchange], client: TestClient) -> Values:
    values: Values = {}
    for exchange in exchanges:
        request = exchange.request.filled(values)
        answer = client.simulate_request(request.method, request.path, headers=request.headers, body=request.body)
        assert answer.status_code == exchange.response.status, answer.text
        values = exchange.response.capture(dict(answer.headers), answer.text, values)
    return values


@pytest.mark.parametrize(
    "path", [*conversations("chunked"), *conversations("tus")], ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_the_server_answers_as_recorded(path: Path, client: TestClient) -> None:
    replay(load(path), client)


def test_the_protocols_examples_are_true(client_of: Callable[..., TestClient]) -> None:
    blocks = re.findall(r"^```http\n(.*?)^```$", PROTOCOL.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) > 20
    replay(parse("###\n".join(blocks)), client_of(min_chunk_size_bytes=64 * 1024))


def test_a_recorded_conversation_can_be_played_to_a_client() -> None:
    exchanges = load(CONVERSATIONS / "chunked" / "whole_upload.http")
    values = example_values(exchanges)
    init, first, *_ = exchanges
    assert init.response.filled(values).headers["Location"] == f"/v1/uploads/{values['upload_id']}"
    assert json.loads(init.response.filled(values).body)["upload_id"] == values["upload_id"]
    assert first.request.filled(values).path == f"/v1/uploads/{values['upload_id']}/chunks/0"
    assert len(first.request.body) == int(first.request.headers["Content-Length"])


def test_an_answer_that_differs_from_the_recorded_one_is_noticed() -> None:
    recorded = Response(200, {"Location": "/{{id}}"}, '{"id": "{{id}}", "size": 1}')
    found = recorded.capture({"location": "/7"}, '{"id": "7", "size": 1}', {})
    assert found == {"id": "7"}
    for headers, body in (
        ({"location": "/7"}, '{"id": "8", "size": 1}'),
        ({"location": "/7"}, '{"id": "7", "size": 2}'),
        ({"location": "/7"}, '{"id": "7", "size": 1, "more": 0}'),
        ({}, '{"id": "7", "size": 1}'),
    ):
        with pytest.raises(AssertionError):
            recorded.capture(headers, body, {})
