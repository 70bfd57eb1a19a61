"""The drill can fail: each test damages a server's data as no server may, and `verify` must name it."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.drill import plans
from tests.drill.clients import Client
from tests.drill.ledger import Entry, Ledger
from tests.drill.links import Address, Link
from tests.drill.plans import KIB, Plan
from tests.drill.verify import verify
from tests.servers import RunningServer, running_server

CHUNK_BYTES = 64 * KIB


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("verify"), workers=1) as server:
        yield server


class Scene:
    """A server that did everything right so far: one upload of each end, and the ledger of it."""

    def __init__(self, server: RunningServer, ledger: Ledger) -> None:
        self.data_dir = server.data_dir
        self.ledger = ledger
        self.address = Address()
        self.address.port = server.port
        self.client = Client(0, 0, self.address, ledger)
        ends = (plans.KEEP, plans.ABORT, plans.DELETE, plans.LEAVE, plans.KEEP)
        for number, end in enumerate(ends):
            self.client.journey(_plan(number, end))
        self.kept, self.aborted, self.deleted, self.left, _ = ledger.entries

    def data(self, entry: Entry) -> Path:
        return self.data_dir / "data" / entry.upload_id[:2] / entry.upload_id

    def map(self, entry: Entry) -> Path:
        return self.data_dir / "open" / entry.upload_id

    def sql(self, statement: str, *values: str) -> None:
        with closing(sqlite3.connect(self.data_dir / "catalog.sqlite3")) as catalog, catalog:
            assert catalog.execute(statement, values).rowcount == 1

    def ask(self, method: str, path: str) -> int:
        with closing(Link(self.address)) as link:
            return link.ask(method, path).status

    def losses(self) -> str:
        self.checked = verify(self.ledger, self.address, self.data_dir)
        return "\n".join(self.ledger.losses)


def _plan(number: int, end: str) -> Plan:
    chunks = 4
    return Plan(
        seed=uuid.uuid4().int,
        client=0,
        number=number,
        size_bytes=chunks * CHUNK_BYTES - 1,
        chunk_size_bytes=CHUNK_BYTES,
        order=(2, 0, 3, 1),
        sent=2 if end == plans.LEAVE else chunks,
        lanes=1,
        promises_digest=False,
        end=end,
    )


@pytest.fixture
def scene(server: RunningServer, tmp_path: Path) -> Iterator[Scene]:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    scene = Scene(server, ledger)
    yield scene
    scene.client.close()
    ledger.close()
    for folder in ("data", "open"):
        for left in (path for path in (server.data_dir / folder).rglob("*") if path.is_file()):
            left.unlink()


def test_an_honest_server_loses_nothing(scene: Scene) -> None:
    assert scene.losses() == ""
    assert scene.checked == {"files": 2, "bytes": 2 * scene.kept.plan.size_bytes, "gone": 2, "resumed": 1}


def test_a_file_without_bytes_is_found(scene: Scene) -> None:
    scene.data(scene.kept).unlink()
    assert f"the content of {scene.kept}: expected 200, found 404" in scene.losses()


def test_a_truncated_file_is_found(scene: Scene) -> None:
    with scene.data(scene.kept).open("r+b") as file:
        file.truncate(scene.kept.plan.size_bytes - 1)
    assert f"the content of {scene.kept} can't be read" in scene.losses()


def test_a_flipped_byte_is_found(scene: Scene) -> None:
    _flip(scene.data(scene.kept), 100_000)
    assert (
        f"the content of {scene.kept} has {scene.kept.plan.size_bytes} B and differs at byte 100000" in scene.losses()
    )


def test_a_record_that_is_gone_is_found_and_so_are_its_bytes(scene: Scene) -> None:
    scene.sql("DELETE FROM files WHERE file_id = ?", scene.kept.upload_id)
    scene.sql("DELETE FROM uploads WHERE upload_id = ?", scene.kept.upload_id)
    losses = scene.losses()
    assert f"the record of {scene.kept}: expected {{" in losses
    assert f"data/ has bytes under {scene.kept.upload_id}: expected none" in losses
    assert f"data/ still has {scene.kept.upload_id}" in losses


def test_a_file_that_was_deleted_behind_our_back_is_found(scene: Scene) -> None:
    assert scene.ask("DELETE", f"/v1/files/{scene.kept.upload_id}") == 204
    assert f"the record of {scene.kept}: expected {{" in scene.losses()


def test_a_record_that_changed_is_found(scene: Scene) -> None:
    assert scene.kept.record is not None
    scene.kept.record["created_at"] = "2026-01-01T00:00:00.000Z"
    assert f"the record of {scene.kept}: expected {{" in scene.losses()


def test_a_mark_that_is_lost_is_found(scene: Scene) -> None:
    with scene.map(scene.left).open("r+b") as received:
        received.write(bytes(4))
    assert f"acknowledged chunks [0, 2] of {scene.left} are missing" in scene.losses()


def test_a_mark_that_nobody_earned_is_found(scene: Scene) -> None:
    with scene.map(scene.left).open("r+b") as received:
        received.write(b"\1" * 4)
    losses = scene.losses()
    assert f"chunks [1, 3] of {scene.left} are there: expected none" in losses
    assert f"the content of {scene.left} has {scene.left.plan.size_bytes} B and differs at byte" in losses


def test_a_damaged_chunk_of_an_unfinished_upload_is_found(scene: Scene) -> None:
    _flip(scene.data(scene.left), 5)
    assert f"the content of {scene.left} has {scene.left.plan.size_bytes} B and differs at byte 5" in scene.losses()


def test_an_unfinished_upload_that_is_gone_is_found(scene: Scene) -> None:
    assert scene.ask("DELETE", f"/v1/uploads/{scene.left.upload_id}") == 204
    assert f"{scene.left}: expected an open upload, found 404" in scene.losses()


def test_an_aborted_upload_that_came_back_is_found(scene: Scene) -> None:
    scene.ledger.gone(scene.left, "abort")
    assert f"{scene.left} came back: expected 404" in scene.losses()


def test_a_deleted_file_that_came_back_is_found(scene: Scene) -> None:
    scene.ledger.gone(scene.kept, "delete")
    losses = scene.losses()
    assert f"{scene.kept} came back: expected 404" in losses
    assert f"file {scene.kept.upload_id} is listed: expected no such file" in losses


def test_a_file_that_nobody_finalized_is_found(scene: Scene) -> None:
    scene.kept.finalize_sent, scene.kept.record = False, None
    losses = scene.losses()
    assert f"file {scene.kept.upload_id} is listed: expected no such file" in losses
    assert f"{scene.kept}: expected an open upload, found 200" in losses


def test_a_finalize_without_an_answer_may_have_happened_but_must_be_whole(scene: Scene) -> None:
    scene.kept.record = None
    _flip(scene.data(scene.kept), 7)
    assert f"the content of {scene.kept} has {scene.kept.plan.size_bytes} B and differs at byte 7" in scene.losses()


def test_bytes_and_maps_that_nobody_owns_are_found(scene: Scene) -> None:
    stray = str(uuid.uuid4())
    (scene.data_dir / "data" / stray[:2] / stray).write_bytes(b"x")
    (scene.data_dir / "open" / stray).write_bytes(b"\0")
    losses = scene.losses()
    assert f"data/ has bytes under {stray}: expected none" in losses
    assert f"open/ has a map of {stray}: expected none" in losses


def test_an_open_upload_that_was_never_acknowledged_needs_an_unanswered_init(scene: Scene) -> None:
    other = Ledger(scene.data_dir.parent / "other.jsonl")
    client = Client(0, 1, scene.address, other)
    client.journey(replace(_plan(9, plans.LEAVE), client=1))
    client.close()
    other.close()
    assert "1 open uploads were never acknowledged: expected at most 0" in scene.losses()


def _flip(path: Path, at_bytes: int) -> None:
    with path.open("r+b") as file:
        file.seek(at_bytes)
        byte = file.read(1)[0]
        file.seek(at_bytes)
        file.write(bytes([byte ^ 1]))
