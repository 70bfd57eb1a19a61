"""What the memory store keeps, and what it hands out: the place of a chunk, an upload's end, a held upload, a file."""

from __future__ import annotations

import threading
from typing import Protocol

from upswarm import digests
from upswarm_server.model import MISSING, RECEIVED
from upswarm_server.stores.base import NotHeld


class Entry:
    """One upload's bytes, marks and locks."""

    def __init__(self, size_bytes: int, chunk_count: int) -> None:
        self.data = bytearray(size_bytes)
        self.marks = bytearray(MISSING * chunk_count)
        self.locks = [threading.Lock() for _ in range(chunk_count)]
        self.whole = threading.Lock()

    def clear(self) -> None:
        """Count every chunk as missing."""
        self.marks[:] = MISSING * len(self.marks)


class TailEntry(Entry):
    """A sequential upload: one chunk, unless it is empty, and how many bytes count."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(size_bytes, chunk_count=min(1, size_bytes))
        self.keep(0)

    def keep(self, offset_bytes: int) -> None:
        """Count so many bytes."""
        self.offset_bytes = offset_bytes
        self.marks[:] = (RECEIVED if offset_bytes == len(self.data) else MISSING) * len(self.marks)

    def clear(self) -> None:
        """Count none."""
        self.keep(0)


class Entries(Protocol):
    """Where open uploads are found."""

    def entry(self, upload_id: str) -> Entry:
        """The open upload; raises `NotHeld`."""

    def tail_entry(self, upload_id: str) -> TailEntry:
        """The open sequential upload; raises `NotHeld`."""


class MemorySlot:
    """The place of one chunk in its upload's bytes."""

    def __init__(self, store: Entries, upload_id: str, index: int, offset_bytes: int) -> None:
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


class MemoryTail:
    """The end of a sequential upload that is locked."""

    def __init__(self, store: Entries, upload_id: str) -> None:
        self._store = store
        self._upload_id = upload_id
        self._entry = store.tail_entry(upload_id)
        self.offset_bytes = self._end_bytes = self._entry.offset_bytes

    def write(self, data: bytes | memoryview) -> None:
        """Copy behind what is there."""
        end_bytes = self._end_bytes + len(data)
        self._entry.data[self._end_bytes : end_bytes] = data
        self._end_bytes = end_bytes

    def copy(self, upload_id: str, length_bytes: int) -> None:
        """Copy from the other upload."""
        source = self._store.tail_entry(upload_id)
        if source.offset_bytes < length_bytes:
            raise NotHeld(upload_id)
        self.write(memoryview(source.data)[:length_bytes])

    def keep(self) -> None:
        """Count what was written, if the upload is still there."""
        self._store.tail_entry(self._upload_id).keep(self._end_bytes)
        self.offset_bytes = self._end_bytes


class MemoryHeld:
    """An upload of which every chunk is locked."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def marks(self) -> bytes:
        """One byte per chunk."""
        return bytes(self._entry.marks)

    def clear(self) -> None:
        """Count every chunk as missing."""
        self._entry.clear()

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
