"""The contract over every store, and what only the disk can do."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import pytest

from tests.scratch import IN_MEMORY
from upswarm import plugins
from upswarm.testing.stores import StoreContract
from upswarm.testing.trial import CHUNK_BYTES, LOCK_WAIT_S, TrialUpload
from upswarm.testing.workers import SharedStoreContract
from upswarm_server.meter import SILENT
from upswarm_server.model import MISSING, RECEIVED
from upswarm_server.offload import direct
from upswarm_server.problems import Problem
from upswarm_server.settings import Settings
from upswarm_server.stores import disk
from upswarm_server.stores.base import Store
from upswarm_server.stores.disk import DiskStore
from upswarm_server.stores.memory import MemoryStore


@pytest.fixture(autouse=True)
def _in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the suites make; what a test makes in `tmp_path` is on a disk."""
    monkeypatch.setattr(tempfile, "tempdir", IN_MEMORY)


def prepared(root: Path, reserve: str = "full") -> DiskStore:
    store = DiskStore(root, reserve=reserve, lock_wait_s=LOCK_WAIT_S)
    store.prepare()
    store.settled()
    return store


def named(name: str, scratch: Path) -> Store:
    """A store as the server makes it: by its name, from settings."""
    settings = Settings(data_dir=scratch, lock_wait_s=LOCK_WAIT_S)
    store: Store = plugins.find("store", name).from_settings(settings, direct, SILENT)
    store.prepare()
    return store


class TestMemoryStore(StoreContract):
    def store(self, scratch: Path) -> Store:
        return named("memory", scratch)

    def test_a_full_store_says_so(self) -> None:
        with pytest.raises(Problem, match="storage_full"):
            MemoryStore(capacity_bytes=10).reserve(str(uuid.uuid4()), 11, 1)


class TestSparseDiskStore(SharedStoreContract):
    def store(self, scratch: Path) -> Store:
        return prepared(scratch, "sparse")


class TestDiskStore(SharedStoreContract):
    far_bytes = 1 << 24  # it takes its space at once, which on a tmpfs is memory

    def store(self, scratch: Path) -> Store:
        return named("disk", scratch)

    def test_full_reserves_space_and_sparse_does_not(self, tmp_path: Path) -> None:
        sizes = {}
        for reserve in ("full", "sparse"):
            upload_id = str(uuid.uuid4())
            prepared(tmp_path / reserve, reserve).reserve(upload_id, 1 << 20, 1)
            stat = (tmp_path / reserve / "data" / upload_id[:2] / upload_id).stat()
            assert stat.st_size == 1 << 20
            sizes[reserve] = stat.st_blocks * 512
        assert sizes["full"] >= 1 << 20
        assert sizes["sparse"] < 1 << 20

    def test_a_full_disk_is_told_at_init_and_leaves_nothing_behind(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(fd: int, offset: int, length: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        store = prepared(tmp_path)
        monkeypatch.setattr(os, "posix_fallocate", full)
        with pytest.raises(Problem, match="storage_full"):
            store.reserve(str(uuid.uuid4()), 1000, 1)
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "boot"]

    def test_where_space_cannot_be_reserved_the_length_must_do(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unsupported(fd: int, offset: int, length: int) -> None:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

        store, upload_id = prepared(tmp_path), str(uuid.uuid4())
        monkeypatch.setattr(os, "posix_fallocate", unsupported)
        store.reserve(upload_id, 1000, 1)
        assert (tmp_path / "data" / upload_id[:2] / upload_id).stat().st_size == 1000

    def test_what_a_crash_leaves_of_an_init_is_found_by_its_map(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Crash(BaseException):
            pass

        def crash(fd: int, offset: int, length: int) -> None:
            raise Crash

        store, upload_id = prepared(tmp_path), str(uuid.uuid4())
        monkeypatch.setattr(os, "posix_fallocate", crash)
        monkeypatch.setattr(store, "discard", lambda upload_id: None)
        with pytest.raises(Crash):
            store.reserve(upload_id, 1000, 1)
        assert store.uploads() == [upload_id]

    def test_marks_survive_a_restart_of_the_server(self, tmp_path: Path) -> None:
        upload = TrialUpload(prepared(tmp_path))
        upload.put(1)
        assert prepared(tmp_path).marks(upload.upload_id) == MISSING + RECEIVED + MISSING

    def test_marks_do_not_survive_the_death_of_the_machine(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload = TrialUpload(prepared(tmp_path))
        upload.put(1)
        monkeypatch.setattr(disk, "boot_id", lambda: "another boot")
        assert prepared(tmp_path).marks(upload.upload_id) == MISSING * 3

    def test_a_killed_sender_gives_its_chunk_back(self, tmp_path: Path) -> None:
        upload_id = str(uuid.uuid4())
        store = prepared(tmp_path)
        store.reserve(upload_id, 3 * CHUNK_BYTES, 3)
        sender = subprocess.Popen([sys.executable, "-c", _SENDER, tmp_path, upload_id], stdout=subprocess.PIPE)
        assert sender.stdout is not None
        assert sender.stdout.readline() == b"writing\n"
        with pytest.raises(Problem, match="busy"), store.slot(upload_id, 0, 0):
            pytest.fail("two processes have the same chunk")
        sender.kill()
        sender.communicate()
        with store.slot(upload_id, 0, 0) as slot:
            assert not slot.received

    def test_discarding_frees_space_even_while_a_chunk_is_being_written(self, tmp_path: Path) -> None:
        upload_id = str(uuid.uuid4())
        store = prepared(tmp_path)
        store.reserve(upload_id, 1 << 20, 1)
        path = tmp_path / "data" / upload_id[:2] / upload_id
        with path.open("rb") as still_open:
            store.discard(upload_id)
            assert os.fstat(still_open.fileno()).st_blocks == 0

    def test_the_store_makes_only_names_of_its_own(self, tmp_path: Path) -> None:
        upload = TrialUpload(prepared(tmp_path))
        upload.fill()
        upload.seal()
        files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
        assert files == {"boot", f"data/{upload.upload_id[:2]}/{upload.upload_id}"}

    def test_a_directory_that_is_gone_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="nowhere"):
            DiskStore(tmp_path / "nowhere").free_bytes()


_SENDER = """
import sys, time
from pathlib import Path
from upswarm_server.stores.disk import DiskStore
with DiskStore(Path(sys.argv[1])).slot(sys.argv[2], 0, 0) as slot:
    slot.write(b"half", 0)
    print("writing", flush=True)
    time.sleep(60)
"""
