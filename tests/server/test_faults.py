"""Faults on purpose, in memory: who is hit, how often, what is said and what is counted."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import falcon
import falcon.inspect
import pytest
from falcon.testing import TestClient

from tests.server.test_uploads import assert_problem, begin, finalize, probe, put, whole
from upswarm_server.app import create_app
from upswarm_server.catalogs.memory import MemoryCatalog
from upswarm_server.fault_rules import STATUSES, Cut, Status, read_rules
from upswarm_server.faults import ConnectionCut, Drawn, Draws, FaultyApp
from upswarm_server.meter import Silent
from upswarm_server.observed import plain
from upswarm_server.phases import PHASES, phase_of
from upswarm_server.settings import Settings
from upswarm_server.stores.memory import MemoryStore

ClientOf = Callable[..., TestClient]


def rules(*written: dict[str, Any]) -> Any:
    return read_rules(json.dumps([{"phase": "any", "share": 1} | rule for rule in written]))


def counts(client: TestClient) -> dict[tuple[str, str], int]:
    app = client.app
    assert isinstance(app, FaultyApp)
    return app.faults.counts()


def draws_of(*written: dict[str, Any], seed: int = 1, worker: int = 1) -> Draws:
    return Draws(rules(*written), seed, worker)


def hits(draws: Draws, times: int = 200, phase: str = "chunk") -> list[Drawn]:
    return [draws.next(phase) for _ in range(times)]


def test_without_rules_there_is_nothing_that_could_fail(client: TestClient) -> None:
    assert type(client.app) is falcon.App
    middleware = falcon.inspect.inspect_middleware(client.app)
    assert "Faults" not in {part.name for part in middleware.middleware_classes}


NO_PHASE = {
    "DELETE /v1/files/{file_id}",
    "GET /health",
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",
    "GET /openapi.json",
    "OPTIONS /tus/",
    "OPTIONS /tus/{upload_id}",
    "POST /v1/files/check",
}


def test_every_route_is_of_a_phase_or_known_to_be_of_none() -> None:
    app: falcon.App[Any, Any] = create_app(Settings(), store=MemoryStore(), catalog=MemoryCatalog())
    found = {
        f"{method.method} {route.path}": phase_of(method.method, plain(route.path))
        for route in falcon.inspect.inspect_routes(app)
        for method in route.methods
        if not method.internal
    }
    assert {route for route, phase in found.items() if phase is None} <= NO_PHASE
    assert {phase for phase in found.values() if phase} == set(PHASES)


@pytest.mark.parametrize(
    ("method", "path", "phase"),
    [
        ("POST", "/v1/uploads", "init"),
        ("POST", "/v1/files", "init"),
        ("PUT", "/v1/uploads/x/chunks/0", "chunk"),
        ("GET", "/v1/uploads/x", "probe"),
        ("POST", "/v1/uploads/x/finalize", "finalize"),
        ("DELETE", "/v1/uploads/x", "abort"),
        ("GET", "/v1/files", "inspect"),
        ("GET", "/v1/files/x", "inspect"),
        ("GET", "/v1/files/x/content", "inspect"),
        ("HEAD", "/v1/files/x/content", "inspect"),
        ("POST", "/tus/", "init"),
        ("PATCH", "/tus/x", "chunk"),
        ("HEAD", "/tus/x", "probe"),
        ("DELETE", "/tus/x", "abort"),
    ],
)
def test_a_rule_hits_the_requests_of_its_phase_and_no_others(
    client_of: ClientOf, method: str, path: str, phase: str
) -> None:
    headers = {"Tus-Resumable": "1.0.0"} if path.startswith("/tus") else {}
    for other in PHASES:
        client = client_of(faults=rules({"phase": other, "status": 502}))
        answer = client.simulate_request(method, path, headers=headers)
        assert (answer.status_code == 502) == (other == phase)
        assert counts(client) == ({(phase, "status_502"): 1} if other == phase else {})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/health"),
        ("GET", "/health/live"),
        ("GET", "/health/ready"),
        ("GET", "/metrics"),
        ("GET", "/openapi.json"),
        ("OPTIONS", "/tus/"),
        ("POST", "/v1/files/check"),
        ("DELETE", "/v1/files/x"),
        ("GET", "/v1/nothing"),
        ("PUT", "/v1/uploads"),
    ],
)
def test_what_is_of_no_phase_is_never_hit(client_of: ClientOf, method: str, path: str) -> None:
    client = client_of(faults=rules({"delay_s": 30}, {"cut": "after_work"}))
    client.simulate_request(method, path)
    assert counts(client) == {}


def test_who_is_not_let_in_is_not_hit(client_of: ClientOf) -> None:
    client = client_of(tokens=("secret",), faults=rules({"status": 500}))
    assert client.simulate_get("/v1/files").status_code == 401
    assert client.simulate_get("/v1/files", headers={"Authorization": "Bearer secret"}).status_code == 500
    assert counts(client) == {("inspect", "status_500"): 1}


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_is_a_problem_that_says_that_it_was_injected(client_of: ClientOf, status: int) -> None:
    client = client_of(faults=rules({"phase": "init", "status": status, "retry_after_s": 7}))
    answer = client.simulate_post("/v1/uploads", json={"filename": "a", "size_bytes": 1})
    assert_problem(answer, status, "injected_fault", f"this init was answered with {status} on purpose")
    assert answer.headers["Retry-After"] == "7"


def test_without_retry_after_in_the_rule_there_is_none_in_the_answer(client_of: ClientOf) -> None:
    answer = client_of(faults=rules({"status": 503})).simulate_get("/v1/files")
    assert "Retry-After" not in answer.headers
    assert (
        "Retry-After" in client_of(faults=rules({"status": 503, "retry_after_s": 0})).simulate_get("/v1/files").headers
    )


def test_a_request_that_gets_a_status_has_no_effect(client_of: ClientOf) -> None:
    client = client_of(faults=rules({"phase": "finalize", "status": 500}, {"phase": "abort", "status": 500}))
    upload_id = whole(client)
    assert finalize(client, upload_id).status_code == 500
    assert client.simulate_delete(f"/v1/uploads/{upload_id}").status_code == 500
    assert probe(client, upload_id)["state"] == "open"
    assert client.simulate_get("/v1/files").json["files"] == []


@pytest.mark.parametrize("cut", ["request", "answer", "after_work"])
def test_without_gunicorn_a_cut_is_raised_to_the_caller(client_of: ClientOf, cut: str) -> None:
    client = client_of(faults=rules({"phase": "chunk", "cut": cut}))
    upload_id = str(begin(client)["upload_id"])
    with pytest.raises(ConnectionCut, match="cut on purpose"):
        put(client, upload_id, 0)
    assert probe(client, upload_id)["received_bytes"] == (0 if cut == "request" else 1000)
    assert counts(client) == {("chunk", f"cut_{cut}"): 1}


def test_a_fault_that_nobody_could_see_is_not_counted(client_of: ClientOf) -> None:
    for fault in ({"status": 503}, {"cut": "request"}, {"cut": "answer"}, {"cut": "after_work"}):
        client = client_of(faults=rules({"phase": "chunk"} | fault))
        upload_id = begin(client)["upload_id"]
        path, headers = f"/v1/uploads/{upload_id}/chunks/0", {"Content-Length": "1000"}
        torn = client.simulate_put(path, body=b"x" * 300, headers=headers)
        assert torn.status_code == fault.get("status", 400)
        assert counts(client) == {}


def test_the_meter_is_told_what_is_counted() -> None:
    told: list[tuple[str, str]] = []

    class Meter(Silent):
        def fault(self, phase: str, kind: str) -> None:
            told.append((phase, kind))

    settings = Settings(faults=rules({"delay_s": 0}, {"phase": "probe", "status": 500}, {"cut": "after_work"}))
    client = TestClient(create_app(settings, store=MemoryStore(), catalog=MemoryCatalog(), meter=Meter()))
    client.simulate_get("/v1/uploads/x")
    with pytest.raises(ConnectionCut):
        client.simulate_get("/v1/files")
    assert told == [("probe", "delay"), ("probe", "status_500"), ("inspect", "delay"), ("inspect", "cut_after_work")]
    assert counts(client) == dict.fromkeys(told, 1)


def test_nothing_that_comes_over_the_network_changes_anything(client_of: ClientOf) -> None:
    rule = json.dumps([{"phase": "any", "share": 1, "status": 500}])
    names = ["UPSWARM_FAULTS", "X-Upswarm-Faults", "UPSWARM-FAULTS", "Faults", "upswarm.hit", "upswarm_faults_seed"]
    quiet = {"phase": "any", "share": 0, "status": 500}
    for client in (client_of(), client_of(faults=rules(quiet))):
        for name in names:
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                for path in ("/v1/files", "/v1/faults", "/faults", "/health", "/v1/uploads"):
                    client.simulate_request(method, path, params={name: rule}, headers={name: rule}, body=rule)
        assert client.simulate_get("/v1/files", params={"limit": "1"}).status_code == 200
        assert client.simulate_get("/v1/faults").status_code == 404
    assert counts(client) == {}


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5, 0.97])
def test_shares_hold(share: float) -> None:
    times = 20_000
    drawn = hits(draws_of({"share": share, "status": 500}), times)
    found = sum(each.failure is not None for each in drawn)
    assert abs(found - times * share) < 3 * math.sqrt(times * share * (1 - share))


def test_a_share_of_nothing_never_hits_and_one_of_all_always() -> None:
    assert {each.failure for each in hits(draws_of({"share": 0, "status": 500}))} == {None}
    assert {each.failure for each in hits(draws_of({"share": 1, "status": 500}))} == {Status(500)}


def test_the_same_seed_and_worker_draw_the_same_and_others_do_not() -> None:
    written = ({"share": 0.3, "status": 500}, {"share": 0.3, "delay_s": {"exponential": 1}})
    first = hits(draws_of(*written))
    assert hits(draws_of(*written)) == first
    assert hits(draws_of(*written, seed=2)) != first
    assert hits(draws_of(*written, worker=2)) != first
    assert hits(draws_of(*written, seed=11, worker=1)) != hits(draws_of(*written, seed=1, worker=11))


def test_what_a_seed_draws_is_the_same_for_ever() -> None:
    drawn = hits(draws_of({"share": 0.3, "status": 500}, seed=7), 30)
    assert [number for number, each in enumerate(drawn) if each.failure] == [0, 5, 6, 10, 12, 14, 17, 21, 28, 29]


def test_a_rule_draws_the_same_whatever_other_rules_there_are_and_what_other_phases_do() -> None:
    rule = {"phase": "chunk", "share": 0.2, "status": 500}
    alone = hits(draws_of(rule))
    others = ({"phase": "any", "share": 0.5, "delay_s": {"lognormal": {"median": 1, "sigma": 1}}}, {"cut": "answer"})
    assert [each.failure == Status(500) for each in hits(draws_of(rule, *others))] == [
        each.failure == Status(500) for each in alone
    ]
    draws = draws_of(rule)
    assert [(draws.next("probe"), draws.next("chunk"))[1] for _ in range(200)] == alone


def test_two_rules_of_one_seed_do_not_hit_the_same_requests() -> None:
    both = hits(draws_of({"share": 0.5, "status": 500}, {"share": 0.5, "delay_s": 1}))
    assert {(each.failure is None, each.delay_s is None) for each in both} == {
        (True, True), (True, False), (False, True), (False, False),
    }  # fmt: skip


def test_the_first_delay_and_the_first_failure_that_hit_are_taken() -> None:
    drawn = draws_of({"cut": "answer"}, {"delay_s": 1}, {"status": 500}, {"delay_s": 2}).next("chunk")
    assert drawn == Drawn(1, Cut("answer"))
    remaining = hits(draws_of({"share": 0.5, "status": 500}, {"share": 0.5, "status": 502}), 4000)
    assert sum(each.failure == Status(502) for each in remaining) == pytest.approx(1000, abs=90)


def test_a_client_of_tus_finds_out_by_probing_too(client_of: ClientOf) -> None:
    tus = {"Tus-Resumable": "1.0.0"}
    bytes_follow = tus | {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    for cut, offset in (("request", "0"), ("answer", "5"), ("after_work", "5")):
        client = client_of(faults=rules({"phase": "chunk", "cut": cut}))
        begun = client.simulate_post("/tus/", headers=tus | {"Upload-Length": "10"})
        path = "/tus/" + begun.headers["Location"].rpartition("/")[2]
        with pytest.raises(ConnectionCut):
            client.simulate_patch(path, headers=bytes_follow, body=b"12345")
        assert client.simulate_head(path, headers=tus).headers["Upload-Offset"] == offset
