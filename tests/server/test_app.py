"""What holds for every route: problems, tokens, health, and that everything is documented."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import falcon
import falcon.inspect
import pytest
from falcon.testing import TestClient

from tests.server.test_uploads import assert_problem, finalize, whole
from upswarm import __version__
from upswarm_server.app import create_app
from upswarm_server.catalogs.memory import MemoryCatalog
from upswarm_server.observed import plain
from upswarm_server.problems import TABLE
from upswarm_server.settings import Settings
from upswarm_server.stores.memory import MemoryStore

ClientOf = Callable[..., TestClient]
PROTOCOL = (Path(__file__).parents[2] / "server" / "PROTOCOL.md").read_text()


def test_an_unknown_route_is_a_problem(client: TestClient) -> None:
    assert_problem(client.simulate_get("/v2/uploads"), 404, "not_found", "GET /v2/uploads")
    assert_problem(client.simulate_put("/v1/uploads/x/chunks/one", body=b"x"), 404, "not_found")


def test_an_unknown_method_is_a_problem_that_tells_the_known_ones(client: TestClient) -> None:
    answer = client.simulate_put("/v1/uploads")
    assert_problem(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


class BrokenStore(MemoryStore):
    def reserve(self, upload_id: str, size_bytes: int, chunk_count: int) -> None:
        raise ZeroDivisionError("a secret of the inside")

    def free_bytes(self) -> int:
        raise OSError(30, "Read-only file system")


@pytest.fixture
def broken() -> TestClient:
    return TestClient(create_app(Settings(), store=BrokenStore(), catalog=MemoryCatalog()))


def test_a_bug_is_a_problem_too_and_tells_nothing_of_the_inside(
    broken: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = broken.simulate_post("/v1/uploads", json={"filename": "a", "size_bytes": 1})
    assert_problem(answer, 500, "internal_error", "ZeroDivisionError")
    assert "secret" not in answer.text
    assert "a secret of the inside" in caplog.text


def test_with_a_token_only_who_has_one_is_let_in(client_of: ClientOf) -> None:
    client = client_of(tokens=("one", "two"))
    for headers in ({}, {"Authorization": "Bearer three"}, {"Authorization": "one"}, {"Authorization": "Bearer ü"}):
        answer = client.simulate_get("/v1/files", headers=headers)
        assert_problem(answer, 401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="upswarm"'
    for token in ("one", "two"):
        assert client.simulate_get("/v1/files", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_liveness_and_readiness_need_no_token_but_the_summary_does(client_of: ClientOf) -> None:
    client = client_of(tokens=("one",))
    assert client.simulate_get("/health/live").json == {"status": "alive"}
    assert client.simulate_get("/health/ready").json == {"status": "ready"}
    assert client.simulate_get("/health").status_code == 401


def test_a_server_that_cannot_store_is_not_ready_and_says_why(broken: TestClient) -> None:
    answer = broken.simulate_get("/health/ready")
    document = assert_problem(answer, 503, "not_ready")
    assert document["reasons"] == ["the store does not work: Read-only file system"]
    assert answer.headers["Retry-After"] == "5"
    assert broken.simulate_get("/health").json["status"] == "not ready"
    assert broken.simulate_get("/health/live").status_code == 200


def test_a_server_with_too_little_space_is_not_ready(client_of: ClientOf) -> None:
    answer = client_of(min_free_bytes=1 << 40).simulate_get("/health/ready")
    assert_problem(answer, 503, "not_ready", "expected 1099511627776 B of free space")


def test_the_summary_counts_what_is_open_and_what_was_written(client: TestClient) -> None:
    whole(client)
    finalize(client, whole(client))
    summary = client.simulate_get("/health").json
    assert summary["status"] == "ready"
    assert summary["version"] == __version__
    assert summary["open_uploads"] == 1
    assert summary["catalog"] == {"commits": 3, "records": 3, "waiting": 0}


@pytest.mark.parametrize("code", TABLE)
def test_every_problem_is_documented_with_its_status(code: str) -> None:
    assert re.search(
        rf"^\| `{code}` \| {TABLE[code].status} \| {re.escape(TABLE[code].title)} \|", PROTOCOL, re.MULTILINE
    )


def test_no_documented_problem_is_unknown() -> None:
    assert set(re.findall(r"^\| `([a-z_]+)` \| \d{3} \|", PROTOCOL, re.MULTILINE)) == set(TABLE)


def test_every_route_is_documented_and_no_other() -> None:
    app: falcon.App = create_app(Settings(), store=MemoryStore(), catalog=MemoryCatalog())
    routes = {
        f"{method.method} {plain(route.path)}"
        for route in falcon.inspect.inspect_routes(app)
        for method in route.methods
        if not method.internal
    }
    assert set(re.findall(r"^### `([A-Z]+ /\S+)`", PROTOCOL, re.MULTILINE)) == routes
