"""Abandoned uploads expire, their space comes back, and what a crash left is settled at the next start."""

from __future__ import annotations

import logging
import uuid
from pathlib import Path

import pytest

from tests.server.conftest import NOW_S, Clock
from tests.server.test_service import SETTINGS, begin, send
from upswarm_server.catalogs.memory import MemoryCatalog
from upswarm_server.catalogs.sqlite import SqliteCatalog
from upswarm_server.model import File, Upload, UploadState
from upswarm_server.problems import Problem
from upswarm_server.reaper import reap, recover
from upswarm_server.service import Service
from upswarm_server.stores import disk
from upswarm_server.stores.base import NotHeld
from upswarm_server.stores.disk import DiskStore


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    store = DiskStore(tmp_path, lock_wait_s=0.05)
    store.prepare()
    store.settled()
    return store


@pytest.fixture
def service(store: DiskStore, tmp_path: Path, clock: Clock) -> Service:
    catalog = SqliteCatalog(tmp_path / "catalog.sqlite3")
    catalog.prepare()
    return Service(SETTINGS, store, catalog, clock)


def data_files(service: Service) -> list[str]:
    assert isinstance(service.store, DiskStore)
    return sorted(path.name for path in Path(service.store.aside).parent.glob("data/*/*"))


def a_file(service: Service) -> File:
    upload = begin(service)
    send(service, upload, 0, b"a" * 10)
    send(service, upload, 1, b"b" * 5)
    return service.finalize(upload.upload_id)


def test_the_space_of_an_expired_upload_comes_back_and_its_client_hears_why(service: Service, clock: Clock) -> None:
    upload = begin(service)
    send(service, upload, 0, b"a" * 10)
    assert reap(service) == 0
    clock.now_s += SETTINGS.upload_lifetime_s
    assert reap(service) == 1
    assert data_files(service) == []
    assert reap(service) == 0
    with pytest.raises(Problem, match="upload_expired"):
        service.progress(upload.upload_id)
    with pytest.raises(Problem, match="upload_expired"):
        send(service, upload, 1, b"b" * 5)


def test_an_expired_upload_is_forgotten_after_another_lifetime(service: Service, clock: Clock) -> None:
    upload = begin(service)
    clock.now_s += SETTINGS.upload_lifetime_s
    reap(service)
    clock.now_s += SETTINGS.upload_lifetime_s + 1
    reap(service)
    with pytest.raises(Problem, match="upload_not_found"):
        service.progress(upload.upload_id)


def test_files_and_open_uploads_are_left_alone(service: Service, clock: Clock) -> None:
    file = a_file(service)
    clock.now_s += SETTINGS.upload_lifetime_s - 1
    upload = begin(service)
    clock.now_s += 2
    assert reap(service) == 0
    assert data_files(service) == sorted([file.file_id, upload.upload_id])


def test_an_upload_that_somebody_holds_is_freed_the_next_time(service: Service, clock: Clock) -> None:
    upload = begin(service)
    clock.now_s += SETTINGS.upload_lifetime_s
    with service.store.hold(upload.upload_id):
        assert reap(service) == 0
    assert reap(service) == 1


def test_a_death_between_freeing_and_noting_it_is_made_up_for(service: Service, clock: Clock) -> None:
    upload = begin(service)
    clock.now_s += SETTINGS.upload_lifetime_s
    service.store.discard(upload.upload_id)
    assert reap(service) == 1
    assert reap(service) == 0


def test_a_clock_that_jumps_back_loses_no_upload(service: Service, clock: Clock) -> None:
    upload = begin(service)
    clock.now_s -= 10 * SETTINGS.upload_lifetime_s
    assert reap(service) == 0
    send(service, upload, 0, b"a" * 10)
    send(service, upload, 1, b"b" * 5)
    assert service.finalize(upload.upload_id).created_at_s == clock.now_s


def test_recovery_drops_what_no_record_speaks_of(service: Service, clock: Clock) -> None:
    orphan = str(uuid.uuid4())
    service.store.reserve(orphan, 10, 1)
    kept, expired = begin(service), begin(service)
    send(service, kept, 1, b"b" * 5)
    recover(service)
    assert sorted(service.store.uploads()) == sorted([kept.upload_id, expired.upload_id])
    clock.now_s = NOW_S + SETTINGS.upload_lifetime_s
    recover(service)
    assert list(service.store.uploads()) == []


def test_recovery_seals_what_was_finalized_and_not_yet_sealed(service: Service, clock: Clock) -> None:
    upload = begin(service, 0)
    service.catalog.finalize(*upload.finalized(clock(), "host"))
    recover(service)
    assert list(service.store.uploads()) == []
    assert service.progress(upload.upload_id).upload.state is UploadState.FINALIZED
    assert service.open_file(upload.upload_id).read(0, 1) == b""


def test_recovery_removes_a_file_whose_record_was_deleted(service: Service) -> None:
    file = a_file(service)
    service.store.condemn(file.file_id)
    service.catalog.delete_file(file.file_id)
    recover(service)
    assert data_files(service) == []
    assert list(service.store.uploads()) == []


def test_recovery_keeps_a_file_whose_record_was_not_deleted(service: Service) -> None:
    file = a_file(service)
    service.store.condemn(file.file_id)
    recover(service)
    assert list(service.store.uploads()) == []
    assert service.open_file(file.file_id).read(0, 15) == b"a" * 10 + b"b" * 5


def test_a_delete_that_the_catalog_refuses_keeps_the_file(store: DiskStore, clock: Clock) -> None:
    class Full(MemoryCatalog):
        def delete_file(self, file_id: str) -> bool:
            raise Problem("storage_full", "no space for a record")

    service = Service(SETTINGS, store, Full(), clock)
    file = a_file(service)
    with pytest.raises(Problem, match="storage_full"):
        service.delete_file(file.file_id)
    assert list(store.uploads()) == []
    assert service.open_file(file.file_id).read(0, 3) == b"aaa"


def test_recovery_forgets_an_upload_whose_bytes_are_gone(service: Service) -> None:
    upload = begin(service)
    service.store.discard(upload.upload_id)
    recover(service)
    assert list(service.catalog.open_uploads()) == []
    with pytest.raises(Problem, match="upload_not_found"):
        send(service, upload, 0, b"a" * 10)


def test_a_map_that_was_never_filled_is_no_complete_upload(service: Service, clock: Clock) -> None:
    """So a file system may leave it after the machine's death."""
    assert isinstance(service.store, DiskStore)
    upload = begin(service)
    (Path(service.store.aside).parent / "open" / upload.upload_id).write_bytes(b"")
    with pytest.raises(Problem, match="upload_incomplete: expected 2 chunks, found 2 missing"):
        service.finalize(upload.upload_id)
    recover(service)
    with pytest.raises(Problem, match="upload_not_found"):
        service.finalize(upload.upload_id)
    assert data_files(service) == []


class AnotherBoot:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._boots = 0

    def __call__(self) -> None:
        """From here on the machine is another time up."""
        self._boots += 1
        self._monkeypatch.setattr(disk, "boot_id", lambda: f"boot {self._boots}")


@pytest.fixture
def another_boot(monkeypatch: pytest.MonkeyPatch) -> AnotherBoot:
    return AnotherBoot(monkeypatch)


def test_after_the_machines_death_bytes_without_a_record_are_set_aside_and_told(
    service: Service, another_boot: AnotherBoot, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(service.store, DiskStore)
    file, lost = a_file(service), a_file(service)
    service.catalog.delete_file(lost.file_id)
    with caplog.at_level(logging.WARNING):
        recover(service)
        assert data_files(service) == sorted([file.file_id, lost.file_id])
        assert caplog.messages == []
        another_boot()
        service.store.prepare()
        recover(service)
    assert data_files(service) == [file.file_id]
    assert (Path(service.store.aside) / lost.file_id).read_bytes() == b"a" * 10 + b"b" * 5
    assert service.store.aside in caplog.messages[0]
    with pytest.raises(NotHeld):
        service.store.open(lost.file_id)


def test_open_uploads_begin_again_after_the_machines_death_and_only_once(
    service: Service, another_boot: AnotherBoot
) -> None:
    upload: Upload = begin(service)
    send(service, upload, 0, b"a" * 10)
    another_boot()
    for received_bytes in (0, 10):
        service.store.prepare()
        recover(service)
        assert service.progress(upload.upload_id).received_bytes == received_bytes
        send(service, upload, 0, b"a" * 10)


def test_a_death_during_recovery_leaves_the_next_start_to_recover(service: Service, another_boot: AnotherBoot) -> None:
    assert isinstance(service.store, DiskStore)
    upload = begin(service)
    send(service, upload, 0, b"a" * 10)
    another_boot()
    service.store.prepare()
    assert list(service.store.unsure()) == [upload.upload_id]
    recover(service)
    assert list(service.store.unsure()) == []
