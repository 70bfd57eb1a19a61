"""The claims about tails over every store, and what only the disk can do."""

from __future__ import annotations

import errno
import os
import uuid
from pathlib import Path

import pytest

from upswarm.testing.tails import SharedTailClaims, TailClaims, TrialTail
from upswarm.testing.trial import LOCK_WAIT_S, SIZE_BYTES
from upswarm_server.problems import Problem
from upswarm_server.stores import disk
from upswarm_server.stores.base import PipedTail, SequentialStore
from upswarm_server.stores.disk import DiskStore
from upswarm_server.stores.memory import MemoryStore


def prepared(root: Path) -> DiskStore:
    store = DiskStore(root, lock_wait_s=LOCK_WAIT_S)
    store.prepare()
    store.settled()
    return store


class TestMemoryTails(TailClaims):
    def store(self, scratch: Path) -> SequentialStore:
        return MemoryStore(lock_wait_s=LOCK_WAIT_S)

    def test_a_full_store_says_so(self) -> None:
        with pytest.raises(Problem, match="storage_full"):
            MemoryStore(capacity_bytes=10).reserve_tail(str(uuid.uuid4()), 11)


class TestDiskTails(SharedTailClaims):
    def store(self, scratch: Path) -> SequentialStore:
        return prepared(scratch)

    def test_the_offset_does_not_survive_the_death_of_the_machine(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload = TrialTail(prepared(tmp_path))
        upload.append(SIZE_BYTES)
        monkeypatch.setattr(disk, "boot_id", lambda: "another boot")
        assert prepared(tmp_path).tail_offset_bytes(upload.upload_id) == 0

    def test_a_pipe_is_emptied_behind_what_was_written(self, tmp_path: Path) -> None:
        upload = TrialTail(prepared(tmp_path))
        upload.append(500)
        source, entry = os.pipe()
        os.write(entry, upload.content[500:])
        with upload.tail() as tail:
            assert isinstance(tail, PipedTail)
            tail.write_from_pipe(source, 1000)
            tail.write_from_pipe(source, SIZE_BYTES - 1500)
            tail.keep()
        os.close(source)
        os.close(entry)
        upload.seal()
        assert upload.read() == upload.content

    @pytest.mark.parametrize("number", [errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
    def test_where_the_kernel_cannot_copy_the_bytes_are_read_and_written(
        self, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*arguments: object) -> int:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "copy_file_range", refuse)
        store = prepared(tmp_path)
        part, upload = TrialTail(store, (2 << 20) + 1), TrialTail(store, (2 << 20) + 1)
        part.append(len(part.content))
        with upload.tail() as tail:
            tail.copy(part.upload_id, len(part.content))
            tail.keep()
        upload.seal()
        assert upload.read() == part.content

    def test_a_disk_that_becomes_full_is_told_and_what_was_kept_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(fd: int, data: memoryview, offset: int) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        upload = TrialTail(prepared(tmp_path))
        upload.append(1000)
        with upload.tail() as tail:
            monkeypatch.setattr(os, "pwrite", full)
            with pytest.raises(Problem, match="storage_full"):
                tail.write(b"more")
            monkeypatch.undo()
            tail.keep()
        assert upload.offset_bytes() == 1000

    def test_discarding_frees_space_even_while_bytes_come(self, tmp_path: Path) -> None:
        upload = TrialTail(prepared(tmp_path), 1 << 20)
        path = tmp_path / "data" / upload.upload_id[:2] / upload.upload_id
        with path.open("rb") as still_open, upload.tail() as tail:
            tail.write(upload.content)
            upload.store.discard(upload.upload_id)
            assert os.fstat(still_open.fileno()).st_blocks == 0
