"""What a store of bytes can do: the contract in the docstrings is checked by `tests/server/contract_store.py`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol


class NotHeld(LookupError):
    """The store holds no open upload, or no file, under this id (any more)."""


class Slot(Protocol):
    """The place of one chunk."""

    received: bool
    """Whether a whole chunk was received before; then its bytes stay, and `write` must not be called."""

    def write(self, data: bytes | memoryview, at_bytes: int) -> None:
        """Put all of `data` at this distance from the chunk's beginning; `storage_full` when there is no space."""

    def same(self, data: bytes | memoryview, at_bytes: int) -> bool:
        """Whether exactly these bytes stand at this distance from the chunk's beginning."""

    def mark(self) -> bytes:
        """Record the chunk as received, so that the record survives the death of any process; all marks afterwards.

        Repeatable. Raises `NotHeld` when the upload was discarded or sealed in the meantime.
        """


class Held(Protocol):
    """A whole open upload, held by one finalize at a time, across all processes."""

    def marks(self) -> bytes:
        """As `Store.marks`."""

    def clear(self) -> None:
        """Count every chunk as missing again."""

    def digest(self, algorithm: str) -> bytes:
        """The digest of the whole file; its cost grows with the file."""

    def sync(self) -> None:
        """Return when the bytes and their directory entry would survive the death of the machine."""


class Reader(Protocol):
    """An open file; what is being read stays readable until `close`, even when the file is removed."""

    def read(self, at_bytes: int, length_bytes: int) -> bytes:
        """Up to `length_bytes`; fewer only at the end of the file."""

    def close(self) -> None:
        """Give the file back; repeatable."""


class Store(Protocol):
    """Bytes by id. An id is a UUID that the server drew; nothing a client says becomes a path."""

    def prepare(self) -> None:
        """Called once, before any worker starts; raises `OSError` when bytes can't be kept here."""

    def reserve(self, upload_id: str, size_bytes: int, chunk_count: int) -> None:
        """Make place for an upload whose chunks are all missing; `storage_full` when there is no space."""

    def marks(self, upload_id: str) -> bytes:
        """One byte per chunk, `model.RECEIVED` or `model.MISSING`; raises `NotHeld`."""

    def slot(self, upload_id: str, index: int, offset_bytes: int) -> AbstractContextManager[Slot]:
        """The place of one chunk. Two senders of one missing chunk take turns; raises `NotHeld`, or `busy`."""

    def hold(self, upload_id: str) -> AbstractContextManager[Held]:
        """The whole upload, with no chunk being written; raises `NotHeld`, or `busy`."""

    def seal(self, upload_id: str) -> None:
        """The upload has become a file: take no more chunks. Repeatable."""

    def discard(self, upload_id: str) -> None:
        """Forget an open upload and free its space, even while a chunk is being written. Repeatable."""

    def uploads(self) -> Iterable[str]:
        """The ids of everything that is reserved and neither sealed nor discarded."""

    def open(self, file_id: str) -> Reader:
        """A sealed upload's bytes; raises `NotHeld`."""

    def remove(self, file_id: str) -> None:
        """Delete a file's bytes. Repeatable."""

    def free_bytes(self) -> int:
        """Space for more; raises `OSError` when the store does not work."""
