"""The clock jumps: nothing is lost by a jump back, and its own record alone says when an upload is over."""

from __future__ import annotations

from pathlib import Path

import pytest
from falcon.testing import Result, TestClient

from tests.server.conftest import Clock
from upswarm_server.app import create_app, create_service, prepare
from upswarm_server.reaper import reap
from upswarm_server.settings import Settings

HOUR_S, DAY_S, YEAR_S = 3600.0, 86400.0, 365 * 86400.0
CONTENT = bytes(range(15))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, min_chunk_size_bytes=1, upload_lifetime_s=DAY_S)


@pytest.fixture
def client(settings: Settings, clock: Clock) -> TestClient:
    """A client of the server as it runs, with bytes and records on the disk, whose uploads live for a day."""
    prepare(settings)
    return TestClient(create_app(settings, clock=clock))


def begin(client: TestClient, filename: str = "a") -> str:
    about = {"filename": filename, "size_bytes": len(CONTENT), "chunk_size_bytes": 10}
    return str(client.simulate_post("/v1/uploads", json=about).json["upload_id"])


def put(client: TestClient, upload_id: str, index: int) -> Result:
    return client.simulate_put(f"/v1/uploads/{upload_id}/chunks/{index}", body=CONTENT[index * 10 : (index + 1) * 10])


def finalize(client: TestClient, upload_id: str) -> Result:
    return client.simulate_post(f"/v1/uploads/{upload_id}/finalize")


def probe(client: TestClient, upload_id: str) -> Result:
    return client.simulate_get(f"/v1/uploads/{upload_id}")


def require_finish(client: TestClient, upload_id: str) -> None:
    assert [put(client, upload_id, index).status_code for index in (0, 1)] == [204, 204]
    answer = finalize(client, upload_id)
    assert answer.status_code == 201
    assert client.simulate_get(f"/v1/files/{answer.json['file_id']}/content").content == CONTENT


@pytest.mark.parametrize("jump_s", [-YEAR_S, -DAY_S, -1.0, 1.0, DAY_S - 1])
def test_an_upload_survives_a_jump_of_the_clock(client: TestClient, clock: Clock, jump_s: float) -> None:
    upload_id = begin(client)
    put(client, upload_id, 1)
    before = probe(client, upload_id).json
    clock.now_s += jump_s
    assert probe(client, upload_id).json == before
    require_finish(client, upload_id)


def test_an_upload_is_over_at_the_time_of_its_record_and_not_before(client: TestClient, clock: Clock) -> None:
    upload_id = begin(client)
    clock.now_s += DAY_S - 0.001
    assert put(client, upload_id, 0).status_code == 204
    clock.now_s += 0.001
    answers = [probe(client, upload_id), put(client, upload_id, 1), finalize(client, upload_id)]
    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [(410, "upload_expired")] * 3


def test_a_jump_forward_and_back_that_nobody_saw_costs_nothing(client: TestClient, clock: Clock) -> None:
    upload_id = begin(client)
    put(client, upload_id, 0)
    clock.now_s += YEAR_S
    clock.now_s -= YEAR_S
    assert probe(client, upload_id).json["received_chunks"] == [[0, 0]]
    require_finish(client, upload_id)


def test_an_upload_that_was_told_to_be_over_is_whole_as_long_as_it_is_there(client: TestClient, clock: Clock) -> None:
    upload_id = begin(client)
    put(client, upload_id, 0)
    clock.now_s += YEAR_S
    assert probe(client, upload_id).status_code == 410
    clock.now_s -= YEAR_S
    assert probe(client, upload_id).json["received_chunks"] == [[0, 0]]
    require_finish(client, upload_id)


def test_an_upload_that_was_reaped_stays_gone_when_the_clock_goes_back(
    client: TestClient, clock: Clock, settings: Settings
) -> None:
    upload_id = begin(client)
    put(client, upload_id, 0)
    clock.now_s += DAY_S
    assert reap(create_service(settings, clock=clock)) == 1
    clock.now_s -= DAY_S
    answers = [probe(client, upload_id), put(client, upload_id, 1), finalize(client, upload_id)]
    assert {answer.status_code for answer in answers} <= {404, 410}


def test_a_jump_back_reaps_nothing(client: TestClient, clock: Clock, settings: Settings) -> None:
    upload_id = begin(client)
    clock.now_s -= YEAR_S
    assert reap(create_service(settings, clock=clock)) == 0
    require_finish(client, upload_id)


def test_files_stay_wherever_the_clock_goes(client: TestClient, clock: Clock) -> None:
    upload_id = begin(client)
    require_finish(client, upload_id)
    record = finalize(client, upload_id).json
    for jump_s in (YEAR_S, -2 * YEAR_S):
        clock.now_s += jump_s
        assert finalize(client, upload_id).json == record
        assert client.simulate_get(f"/v1/files/{record['file_id']}/content").content == CONTENT


def test_files_are_listed_in_the_order_of_their_finalizes_though_the_clock_went_back(
    client: TestClient, clock: Clock
) -> None:
    for filename in ("first", "second", "third"):
        require_finish(client, begin(client, filename))
        clock.now_s -= HOUR_S
    assert [file["filename"] for file in client.simulate_get("/v1/files").json["files"]] == ["first", "second", "third"]


def test_no_duration_is_negative_after_a_jump_back(client: TestClient, clock: Clock) -> None:
    clock.now_s -= HOUR_S
    summary = client.simulate_get("/health").json
    durations = {name: value for name, value in summary.items() if name.endswith("_s")}
    assert durations
    assert min(durations.values()) >= 0
