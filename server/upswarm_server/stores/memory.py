"""Bytes in memory: for tests and trials in one process; nothing survives it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from upswarm import digests
from upswarm_server.model import MISSING, RECEIVED
from upswarm_server.offload import Offload
from upswarm_server.problems import Problem
from upswarm_server.settings import Settings
from upswarm_server.stores.base import NotHeld


class Entry:
    """One upload's bytes, marks and locks."""

    def __init__(self, size_bytes: int, chunk_count: int) -> None:
        self.data = bytearray(size_bytes)
        self.marks = bytearray(MISSING * chunk_count)
        self.locks = [threading.Lock() for _ in range(chunk_count)]


class MemoryStore:
    """Keeps bytes in a dictionary, bounded by `capacity_bytes`."""

    def __init__(self, *, capacity_bytes: int = 1 << 30, lock_wait_s: float = 5.0) -> None:
        self._capacity_bytes = capacity_bytes
        self._lock_wait_s = lock_wait_s
        self._open: dict[str, Entry] = {}
        self._files: dict[str, Entry] = {}

    @classmethod
    def from_settings(cls, settings: Settings, offload: Offload) -> MemoryStore:
        """A store with the waiting time of these settings; nothing in memory blocks, so nothing is offloaded."""
        return cls(lock_wait_s=settings.lock_wait_s)

    def prepare(self) -> None:
        """Memory needs no preparation."""

    def reserve(self, upload_id: str, size_bytes: int, chunk_count: int) -> None:
        """Allocate the bytes."""
        if size_bytes > self.free_bytes():
            raise Problem("storage_full", f"expected {size_bytes} B of space, found {self.free_bytes()} B")
        self._open[upload_id] = Entry(size_bytes, chunk_count)

    def marks(self, upload_id: str) -> bytes:
        """One byte per chunk."""
        return bytes(self.entry(upload_id).marks)

    @contextmanager
    def slot(self, upload_id: str, index: int, offset_bytes: int) -> Iterator[MemorySlot]:
        """The place of one chunk."""
        entry = self.entry(upload_id)
        with self._locked(entry.locks[index]):
            self.entry(upload_id)
            yield MemorySlot(self, upload_id, index, offset_bytes)

    @contextmanager
    def hold(self, upload_id: str) -> Iterator[MemoryHeld]:
        """The whole upload: every chunk's lock, always in the same order, so that two holders can't deadlock."""
        entry = self.entry(upload_id)
        with ExitStack() as locks:
            for lock in entry.locks:
                locks.enter_context(self._locked(lock))
            self.entry(upload_id)
            yield MemoryHeld(entry)

    def seal(self, upload_id: str) -> None:
        """Turn the upload into a file."""
        if entry := self._open.pop(upload_id, None):
            self._files[upload_id] = entry

    def discard(self, upload_id: str) -> None:
        """Forget the upload."""
        self._open.pop(upload_id, None)

    def uploads(self) -> list[str]:
        """All open ids."""
        return sorted(self._open)

    def open(self, file_id: str) -> MemoryReader:
        """The file's bytes."""
        if file_id not in self._files:
            raise NotHeld(file_id)
        return MemoryReader(self._files[file_id].data)

    def remove(self, file_id: str) -> None:
        """Forget the file."""
        self._files.pop(file_id, None)

    def free_bytes(self) -> int:
        """What is left of the capacity."""
        entries = [*self._open.values(), *self._files.values()]
        return self._capacity_bytes - sum(len(entry.data) for entry in entries)

    def entry(self, upload_id: str) -> Entry:
        """The open upload; raises `NotHeld`."""
        try:
            return self._open[upload_id]
        except KeyError:
            raise NotHeld(upload_id) from None

    @contextmanager
    def _locked(self, lock: threading.Lock) -> Iterator[None]:
        if not lock.acquire(timeout=self._lock_wait_s):
            raise Problem("busy", f"another request holds this upload, waited {self._lock_wait_s:g} s")
        try:
            yield
        finally:
            lock.release()


class MemorySlot:
    """The place of one chunk in its upload's bytes."""

    def __init__(self, store: MemoryStore, upload_id: str, index: int, offset_bytes: int) -> None:
        self._store = store
        self._upload_id = upload_id
        self._entry = store.entry(upload_id)
        self._index = index
        self._offset_bytes = offset_bytes
        self.received = self._entry.marks[index : index + 1] == RECEIVED

    def write(self, data: bytes | memoryview, at_bytes: int) -> None:
        """Copy into place."""
        start = self._offset_bytes + at_bytes
        self._entry.data[start : start + len(data)] = data

    def same(self, data: bytes | memoryview, at_bytes: int) -> bool:
        """Compare with what is in place."""
        start = self._offset_bytes + at_bytes
        return bytes(self._entry.data[start : start + len(data)]) == data

    def mark(self) -> bytes:
        """Mark the chunk, if the upload is still there."""
        marks = self._store.entry(self._upload_id).marks
        marks[self._index : self._index + 1] = RECEIVED
        return bytes(marks)


class MemoryHeld:
    """An upload of which every chunk is locked."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def marks(self) -> bytes:
        """One byte per chunk."""
        return bytes(self._entry.marks)

    def clear(self) -> None:
        """Count every chunk as missing."""
        self._entry.marks[:] = MISSING * len(self._entry.marks)

    def digest(self, algorithm: str) -> bytes:
        """The digest of all bytes."""
        return digests.digest_of(algorithm, [memoryview(self._entry.data)])

    def sync(self) -> None:
        """Memory has nothing to sync."""


class MemoryReader:
    """The bytes of a file."""

    def __init__(self, data: bytearray) -> None:
        self._data = data

    def read(self, at_bytes: int, length_bytes: int) -> bytes:
        """Up to `length_bytes`."""
        return bytes(self._data[at_bytes : at_bytes + length_bytes])

    def close(self) -> None:
        """Nothing is held."""
