"""The OpenAPI description is valid, has every route and every problem, and says what the settings say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import falcon.inspect
import jsonschema_rs
import pytest
import schemathesis
from falcon.testing import TestClient

from tests.server.test_uploads import CONTENT, begin, finalize, put, whole
from upswarm_server.app import create_app
from upswarm_server.auth import OPEN_PATHS
from upswarm_server.catalogs.memory import MemoryCatalog
from upswarm_server.observed import plain
from upswarm_server.openapi import description
from upswarm_server.problems import TABLE
from upswarm_server.settings import Settings
from upswarm_server.stores.memory import MemoryStore

DESCRIBED_ELSEWHERE = "/tus"
ClientOf = Callable[..., TestClient]


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    answer = client.simulate_get("/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    return dict(answer.json)


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": about for path, item in document["paths"].items() for method, about in item.items()
    }


def codes(about: object) -> Iterator[str]:
    """Every code that an answer says it may have."""
    if isinstance(about, dict):
        yield from about.get("properties", {}).get("code", {}).get("enum", [])
        for value in about.values():
            yield from codes(value)
    elif isinstance(about, list):
        for value in about:
            yield from codes(value)


def test_it_is_valid(document: dict[str, Any]) -> None:
    schemathesis.openapi.from_dict(document).validate()


def test_every_schema_in_it_is_a_schema(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate(schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"}), name


def test_every_route_is_described_and_no_other(document: dict[str, Any]) -> None:
    app: falcon.App[Any, Any] = create_app(Settings(), store=MemoryStore(), catalog=MemoryCatalog())
    routes = {
        f"{method.method} {plain(route.path)}"
        for route in falcon.inspect.inspect_routes(app)
        for method in route.methods
        if not method.internal and not route.path.startswith(DESCRIBED_ELSEWHERE)
    }
    assert set(operations(document)) == routes


def test_what_is_described_elsewhere_is_mentioned(document: dict[str, Any]) -> None:
    assert "`/tus/`" in document["info"]["description"]


def test_every_problem_is_known_and_stands_under_its_status(document: dict[str, Any]) -> None:
    for name, about in operations(document).items():
        for status, answer in about["responses"].items():
            for code in codes(answer):
                assert TABLE[code].status == int(status), f"{name}: {code}"


def test_every_problem_appears_somewhere(document: dict[str, Any]) -> None:
    described = set(codes(document["paths"])) | set(codes(document["components"]["responses"]))
    if not document.get("security"):
        described |= set(codes(description(Settings(tokens=("one",)))["paths"]))
    assert described == set(TABLE)


def test_operations_have_names_of_their_own_and_links_lead_to_them(document: dict[str, Any]) -> None:
    names = [about["operationId"] for about in operations(document).values()]
    assert len(names) == len(set(names))
    links = [
        link["operationId"]
        for about in operations(document).values()
        for answer in about["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert links
    assert set(links) <= set(names)


def test_a_token_is_described_only_where_one_is_wanted() -> None:
    assert "securitySchemes" not in description(Settings())["components"]
    document = description(Settings(tokens=("one",)))
    assert document["security"] == [{"bearer": []}]
    open_paths = {name.partition(" ")[2] for name, about in operations(document).items() if about.get("security") == []}
    assert open_paths == OPEN_PATHS
    for about in operations(document).values():
        assert ("401" in about["responses"]) == ("security" not in about)


def test_limits_are_those_of_the_settings() -> None:
    settings = Settings(max_name_bytes=100, max_file_size_bytes=999, min_chunk_size_bytes=5, max_metadata_size_bytes=77,
                        max_whole_file_size_bytes=333)  # fmt: skip
    text = json.dumps(document := description(settings))
    wish = document["components"]["schemas"]["Wish"]["properties"]
    assert wish["filename"]["maxLength"] == 100
    assert wish["size_bytes"]["maximum"] == 999
    assert wish["chunk_size_bytes"]["minimum"] == 5
    assert "77 B" in wish["metadata"]["description"]
    assert "333 B" in text


def test_a_real_conversation_fits_its_schemas(document: dict[str, Any], client: TestClient) -> None:
    def fits(name: str, value: object) -> None:
        reference = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        jsonschema_rs.validator_for(reference, validate_formats=True).validate(value)

    upload_id = begin(client)["upload_id"]
    put(client, upload_id, 1)
    fits("Progress", client.simulate_get(f"/v1/uploads/{upload_id}").json)
    fits("Problem", finalize(client, upload_id).json)
    fits("File", finalize(client, whole(client, client_id="a", client_timestamp=1.5, metadata={"b": []})).json)
    fits("Files", client.simulate_get("/v1/files").json)
    about = {"filename": "a/b", "size_bytes": len(CONTENT), "chunk_size_bytes": 0, "x": 1}
    fits("Problem", client.simulate_post("/v1/uploads", json=about).json)
    with pytest.raises(jsonschema_rs.ValidationError):
        fits("Wish", about)
