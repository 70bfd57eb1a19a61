"""Bytes in memory: for tests and trials in one process; nothing survives it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from upswarm_server.meter import Meter
from upswarm_server.offload import Offload
from upswarm_server.problems import Problem
from upswarm_server.settings import Settings
from upswarm_server.stores.base import NotHeld
from upswarm_server.stores.memory_parts import Entry, MemoryHeld, MemoryReader, MemorySlot, MemoryTail, TailEntry


class MemoryStore:
    """Keeps bytes in a dictionary, bounded by `capacity_bytes`."""

    one_process = True
    """The server refuses to share it between several worker processes."""

    def __init__(self, *, capacity_bytes: int = 1 << 30, lock_wait_s: float = 5.0) -> None:
        self._capacity_bytes = capacity_bytes
        self._lock_wait_s = lock_wait_s
        self._open: dict[str, Entry] = {}
        self._files: dict[str, Entry] = {}
        self._condemned: set[str] = set()

    @classmethod
    def from_settings(cls, settings: Settings, offload: Offload, meter: Meter) -> MemoryStore:
        """A store with the waiting time of these settings; nothing in memory blocks, so nothing is offloaded."""
        return cls(lock_wait_s=settings.lock_wait_s)

    def prepare(self) -> None:
        """Memory needs no preparation."""

    def reserve(self, upload_id: str, size_bytes: int, chunk_count: int) -> None:
        """Allocate the bytes."""
        self._add(upload_id, size_bytes, lambda size_bytes: Entry(size_bytes, chunk_count))

    def reserve_tail(self, upload_id: str, size_bytes: int) -> None:
        """Allocate the bytes."""
        self._add(upload_id, size_bytes, TailEntry)

    def marks(self, upload_id: str) -> bytes:
        """One byte per chunk."""
        return bytes(self.entry(upload_id).marks)

    @contextmanager
    def slot(self, upload_id: str, index: int, offset_bytes: int) -> Iterator[MemorySlot]:
        """The place of one chunk."""
        entry = self.entry(upload_id)
        if isinstance(entry, TailEntry):
            raise NotHeld(upload_id)
        with self._locked(entry.locks[index]):
            self.entry(upload_id)
            yield MemorySlot(self, upload_id, index, offset_bytes)

    @contextmanager
    def hold(self, upload_id: str) -> Iterator[MemoryHeld]:
        """The whole upload: every chunk's lock, always in the same order, so that two holders can't deadlock."""
        entry = self.entry(upload_id)
        with ExitStack() as locks:
            for lock in (entry.whole, *entry.locks):  # an empty file has no chunks
                locks.enter_context(self._locked(lock))
            self.entry(upload_id)
            yield MemoryHeld(entry)

    @contextmanager
    def tail(self, upload_id: str) -> Iterator[MemoryTail]:
        """The end of a sequential upload."""
        with self._locked(self.tail_entry(upload_id).whole):
            yield MemoryTail(self, upload_id)

    def tail_offset_bytes(self, upload_id: str) -> int:
        """How many bytes count."""
        return self.tail_entry(upload_id).offset_bytes

    def seal(self, upload_id: str) -> None:
        """Turn the upload into a file."""
        if entry := self._open.pop(upload_id, None):
            self._files[upload_id] = entry

        self._condemned.discard(upload_id)

    def discard(self, upload_id: str) -> None:
        """Forget the upload."""
        self._open.pop(upload_id, None)
        if upload_id in self._condemned:
            self.remove(upload_id)

    def condemn(self, file_id: str) -> None:
        """Note it."""
        self._condemned.add(file_id)

    def uploads(self) -> list[str]:
        """All open or condemned ids."""
        return sorted(self._condemned.union(self._open))

    def open(self, file_id: str) -> MemoryReader:
        """The file's bytes."""
        if file_id not in self._files:
            raise NotHeld(file_id)
        return MemoryReader(self._files[file_id].data)

    def remove(self, file_id: str) -> None:
        """Forget the file."""
        self._files.pop(file_id, None)
        self._condemned.discard(file_id)

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

    def tail_entry(self, upload_id: str) -> TailEntry:
        """The open sequential upload; raises `NotHeld`."""
        entry = self.entry(upload_id)
        if not isinstance(entry, TailEntry):
            raise NotHeld(upload_id)
        return entry

    def _add(self, upload_id: str, size_bytes: int, entry_of: Callable[[int], Entry]) -> None:
        if size_bytes > self.free_bytes():
            raise Problem("storage_full", f"expected {size_bytes} B of space, found {self.free_bytes()} B")
        self._open[upload_id] = entry_of(size_bytes)

    @contextmanager
    def _locked(self, lock: threading.Lock) -> Iterator[None]:
        if not lock.acquire(timeout=self._lock_wait_s):
            raise Problem("busy", f"another request holds this upload, waited {self._lock_wait_s:g} s")
        try:
            yield
        finally:
            lock.release()
