"""What happens when steps meet: the rules, with steps of others put in between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.server.conftest import Clock
from upswarm_server.catalogs.memory import MemoryCatalog
from upswarm_server.ingest import PIECE_BYTES, Body, Input
from upswarm_server.model import MISSING, File, Upload, Wish
from upswarm_server.problems import Problem
from upswarm_server.reaper import reap
from upswarm_server.service import Service
from upswarm_server.settings import Settings
from upswarm_server.stores.base import Held, Store
from upswarm_server.stores.disk import DiskStore
from upswarm_server.stores.disk_parts import DiskSlot
from upswarm_server.stores.memory import MemoryStore

SETTINGS = Settings(min_chunk_size_bytes=1, lock_wait_s=0.1)


class Pieces:
    """A source that sends these pieces, calls what stands between them, and then ends."""

    def __init__(self, *steps: object) -> None:
        self._steps = iter(steps)

    def read(self, size_bytes: int, /) -> bytes:
        for step in self._steps:
            if isinstance(step, bytes):
                assert len(step) <= size_bytes
                return step
            assert callable(step)
            step()
        return b""


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    store: Store = MemoryStore(lock_wait_s=0.1) if request.param == "memory" else DiskStore(tmp_path, lock_wait_s=0.1)
    store.prepare()
    return store


@pytest.fixture
def service(store: Store, clock: Clock) -> Service:
    return Service(SETTINGS, store, MemoryCatalog(), clock)


def send(service: Service, upload: Upload, index: int, *steps: object) -> int:
    length_bytes = upload.length_bytes(index)
    return service.receive_chunk(upload.upload_id, index, {}, Body(Input(Pieces(*steps)), length_bytes))


def begin(service: Service, size_bytes: int = 15) -> Upload:
    return service.begin(Wish(filename="a", size_bytes=size_bytes, chunk_size_bytes=10))


def test_a_chunk_whose_upload_is_aborted_under_way_is_refused(service: Service) -> None:
    upload = begin(service)
    with pytest.raises(Problem, match="upload_not_found"):
        send(service, upload, 0, b"x" * 5, lambda: service.abort(upload.upload_id), b"x" * 5)
    assert service.catalog.upload(upload.upload_id) is None
    assert list(service.store.uploads()) == []


def test_a_repeated_chunk_that_is_overtaken_by_finalize_cannot_change_the_file(service: Service) -> None:
    upload = begin(service)
    send(service, upload, 0, b"a" * 10)
    send(service, upload, 1, b"b" * 5)
    with pytest.raises(Problem) as caught:
        send(service, upload, 0, b"a" * 5, lambda: service.finalize(upload.upload_id), b"x" * 5)
    # On disk, who compares with a received chunk holds no lock, so finalize overtakes it; in memory it is busy.
    assert caught.value.code == ("upload_finalized" if isinstance(service.store, DiskStore) else "busy")
    file = service.finalize(upload.upload_id)
    assert service.open_file(file.file_id).read(0, 100) == b"a" * 10 + b"b" * 5


def test_finalize_does_not_wait_for_a_chunk_on_its_way(service: Service) -> None:
    upload = begin(service)
    found: list[Problem] = []

    def too_early() -> None:
        try:
            service.finalize(upload.upload_id)
        except Problem as problem:
            found.append(problem)

    send(service, upload, 1, b"b" * 5)
    assert send(service, upload, 0, b"a" * 5, too_early, b"a" * 5) == 15
    assert [problem.code for problem in found] == ["upload_incomplete"]
    assert service.finalize(upload.upload_id).size_bytes == 15


def test_a_last_chunk_that_is_overtaken_by_finalize_is_a_success(clock: Clock, tmp_path: Path) -> None:
    class SealsAtOnce(DiskStore):
        @contextmanager
        def slot(self, upload_id: str, index: int, offset_bytes: int) -> Iterator[DiskSlot]:
            with super().slot(upload_id, index, offset_bytes) as slot:
                yield slot
            if sealing:
                service.finalize(upload_id)

    sealing: list[bool] = []
    store = SealsAtOnce(tmp_path)
    store.prepare()
    service = Service(SETTINGS, store, MemoryCatalog(), clock)
    upload = begin(service)
    send(service, upload, 0, b"a" * 10)
    sealing.append(True)
    assert send(service, upload, 1, b"b" * 5) == 15


def test_the_other_sender_of_a_chunk_waits_and_then_is_told_that_it_is_busy(service: Service) -> None:
    upload = begin(service)
    found: list[Problem] = []

    def meanwhile() -> None:
        try:
            send(service, upload, 0, b"z" * 10)
        except Problem as problem:
            found.append(problem)

    send(service, upload, 0, b"a" * 5, meanwhile, b"a" * 5)
    assert [problem.code for problem in found] == ["busy"]


class _AbortsBeforeTheRecord(MemoryCatalog):
    def finalize(self, upload: Upload, file: File) -> File | None:
        self.abort(upload.upload_id)
        return super().finalize(upload, file)


def test_an_abort_that_comes_before_the_record_wins_over_finalize(clock: Clock) -> None:
    service = Service(SETTINGS, MemoryStore(), _AbortsBeforeTheRecord(), clock)
    upload = begin(service, 0)
    with pytest.raises(Problem, match="upload_not_found"):
        service.finalize(upload.upload_id)


def test_an_upload_that_expires_during_its_finalize_keeps_its_bytes(tmp_path: Path, clock: Clock) -> None:
    class Expires(MemoryCatalog):
        def finalize(self, upload: Upload, file: File) -> File | None:
            clock.now_s += SETTINGS.upload_lifetime_s
            assert reap(service) == 0
            return super().finalize(upload, file)

    store = DiskStore(tmp_path, lock_wait_s=0.05)
    store.prepare()
    service = Service(SETTINGS, store, Expires(), clock)
    upload = begin(service)
    send(service, upload, 0, b"a" * 10)
    send(service, upload, 1, b"b" * 5)
    file = service.finalize(upload.upload_id)
    assert service.open_file(file.file_id).read(0, 100) == b"a" * 10 + b"b" * 5


class _RecordsSync:
    def __init__(self, held: Held, done: list[str]) -> None:
        self.marks, self.clear, self.digest = held.marks, held.clear, held.digest
        self._sync = held.sync
        self._done = done

    def sync(self) -> None:
        self._done.append("sync")
        self._sync()


class _RecordsOrder(DiskStore):
    """Writes down what finalize does, in order."""

    def __init__(self, root: Path, done: list[str]) -> None:
        super().__init__(root)
        self.done = done

    @contextmanager
    def hold(self, upload_id: str) -> Iterator[Held]:
        with super().hold(upload_id) as held:
            yield _RecordsSync(held, self.done)

    def seal(self, upload_id: str) -> None:
        self.done.append("seal")
        super().seal(upload_id)


class _RecordsCommit(MemoryCatalog):
    def __init__(self, done: list[str]) -> None:
        super().__init__()
        self.done = done

    def finalize(self, upload: Upload, file: File) -> File | None:
        self.done.append("commit")
        return super().finalize(upload, file)


def test_bytes_are_synced_before_the_record_is_committed(tmp_path: Path, clock: Clock) -> None:
    done: list[str] = []
    store = _RecordsOrder(tmp_path, done)
    store.prepare()
    service = Service(SETTINGS, store, _RecordsCommit(done), clock)
    service.finalize(begin(service, 0).upload_id)
    assert done == ["sync", "commit", "seal"]


def test_a_failed_init_gives_its_space_back(store: Store, clock: Clock) -> None:
    service = Service(Settings(max_open_uploads=1), store, MemoryCatalog(), clock)
    service.begin(Wish(filename="a", size_bytes=10))
    with pytest.raises(Problem, match="open_uploads_exceeded"):
        service.begin(Wish(filename="b", size_bytes=10))
    assert len(list(store.uploads())) == 1


def test_progress_tells_of_missing_chunks(service: Service) -> None:
    upload = begin(service)
    assert service.progress(upload.upload_id).marks == MISSING * 2


def test_a_body_counts_what_really_came() -> None:
    body = Body(Input(Pieces(b"abc", b"de")), 10)
    assert list(body.pieces()) == [b"abc", b"de"]
    assert (body.received_bytes, body.torn) == (5, True)


def test_a_broken_connection_is_the_end_of_a_body() -> None:
    def break_off() -> None:
        raise ConnectionResetError

    body = Body(Input(Pieces(b"abc", break_off)), 10)
    body.drain()
    assert (body.received_bytes, body.torn) == (3, True)


def test_a_body_is_never_read_beyond_its_length() -> None:
    asked: list[int] = []

    class Endless:
        def read(self, size_bytes: int, /) -> bytes:
            asked.append(size_bytes)
            return bytes(size_bytes)

    body = Body(Input(Endless()), PIECE_BYTES + 1)
    body.drain()
    assert asked == [PIECE_BYTES, 1]
    assert not body.torn
