"""What a store of bytes can do: the contract in the docstrings is checked by `upswarm.testing.stores`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable


class NotHeld(LookupError):
    """The store holds no open upload, or no file, under this id (any more)."""


class Slot(Protocol):
    """The place of one chunk."""

    received: bool
    """Whether a whole chunk was received before; then its bytes stay, and `write` must not be called."""

    def write(self, data: bytes | memoryview, at_bytes: int) -> None:
        """Put all of `data` at this distance from the chunk's beginning; `storage_full` when there is no space.

        Done when it returns: the caller takes the next bytes into the same memory.
        """

    def same(self, data: bytes | memoryview, at_bytes: int) -> bool:
        """Whether exactly these bytes stand at this distance from the chunk's beginning."""

    def mark(self) -> bytes:
        """Record the chunk as received, so that the record survives the death of any process; all marks afterwards.

        Repeatable. Raises `NotHeld` when the upload was discarded or sealed in the meantime, and `busy` when a failed
        finalize has cleared what this sender only compared.
        """


@runtime_checkable
class PipedSlot(Slot, Protocol):
    """A slot may be able to take bytes that never come into this process; nobody has to."""

    def write_from_pipe(self, pipe: int, length_bytes: int, at_bytes: int) -> None:
        """As `write`, with the next bytes of a pipe, given by its file descriptor; all of them have come."""


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


class Tail(Protocol):
    """The end of a sequential upload, whose bytes come in order; one writer at a time has it, across all processes."""

    offset_bytes: int
    """How many bytes count; what is written next stands behind all that was written, or else here."""

    def write(self, data: bytes | memoryview) -> None:
        """Put all of `data` behind what was written; it does not count yet. `storage_full` when there is no space."""

    def copy(self, upload_id: str, length_bytes: int) -> None:
        """As `write`, with the first bytes of another sequential upload; raises `NotHeld` when it has not so many."""

    def keep(self) -> None:
        """Count all that was written, so that the count survives the death of any process.

        Raises `NotHeld` when the upload was discarded or sealed in the meantime.
        """


@runtime_checkable
class PipedTail(Tail, Protocol):
    """A tail may be able to take bytes that never come into this process; nobody has to."""

    def write_from_pipe(self, pipe: int, length_bytes: int) -> None:
        """As `write`, with the next bytes of a pipe, given by its file descriptor; all of them have come."""


class Reader(Protocol):
    """An open file; what is being read stays readable until `close`, even when the file is removed."""

    def read(self, at_bytes: int, length_bytes: int) -> bytes:
        """Up to `length_bytes`; fewer only at the end of the file."""

    def close(self) -> None:
        """Give the file back; repeatable."""


class Store(Protocol):
    """Bytes by id. An id is a UUID that the server drew; nothing a client says becomes a path.

    A class with `one_process = True` is refused when there are several workers. What is repeatable is no error either
    for an id that is unknown.
    """

    def prepare(self) -> None:
        """Called once at every start, before any worker; raises `OSError` when bytes can't be kept here."""

    def reserve(self, upload_id: str, size_bytes: int, chunk_count: int) -> None:
        """Make place for an upload whose chunks are all missing; `storage_full` when there is no space.

        Whatever it raises, the caller discards what is left of it.
        """

    def marks(self, upload_id: str) -> bytes:
        """One byte per chunk, `model.RECEIVED` or `model.MISSING`; raises `NotHeld`."""

    def slot(self, upload_id: str, index: int, offset_bytes: int) -> AbstractContextManager[Slot]:
        """The place of one chunk. Two senders of one missing chunk take turns; raises `NotHeld`, or `busy`."""

    def hold(self, upload_id: str) -> AbstractContextManager[Held]:
        """The whole upload, with no chunk being written; raises `NotHeld`, or `busy`."""

    def seal(self, upload_id: str) -> None:
        """The upload has become a file: take no more chunks. Repeatable."""

    def discard(self, upload_id: str) -> None:
        """Forget an open upload or a condemned file and free its space, even while it is being written. Repeatable."""

    def condemn(self, file_id: str) -> None:
        """The file may be removed next: `uploads` lists it until it is, or until it is sealed again. Repeatable."""

    def uploads(self) -> Iterable[str]:
        """The ids of everything whose fate is open: reserved and neither sealed nor discarded, or condemned.

        After a crash the server asks the catalog what became of them.
        """

    def open(self, file_id: str) -> Reader:
        """A sealed upload's bytes; raises `NotHeld`."""

    def remove(self, file_id: str) -> None:
        """Delete a file's bytes. Repeatable."""

    def free_bytes(self) -> int:
        """Space for more; raises `OSError` when the store does not work."""


@runtime_checkable
class SequentialStore(Store, Protocol):
    """A store may be able to take uploads whose bytes come in order; the server speaks tus only over such a store."""

    def reserve_tail(self, upload_id: str, size_bytes: int) -> None:
        """As `reserve`, for a sequential upload: one chunk (an empty one has none), received when all its bytes count.

        It has a tail and no slots, as other uploads have slots and no tail: asking for the wrong one raises `NotHeld`.
        """

    def tail(self, upload_id: str) -> AbstractContextManager[Tail]:
        """The end of a sequential upload. Two writers, or a writer and a finalize, take turns.

        Raises `NotHeld`, or `busy`.
        """

    def tail_offset_bytes(self, upload_id: str) -> int:
        """How many bytes of a sequential upload count, whoever is writing; raises `NotHeld`."""


@runtime_checkable
class MortalStore(Store, Protocol):
    """A store on a machine whose death may leave bytes that no record knows; nobody has to care."""

    aside: str
    """Where `set_aside` puts them, for people."""

    def unsure(self) -> Iterable[str]:
        """The ids of all files and uploads when the machine has died since `settled`, none otherwise."""

    def set_aside(self, file_id: str) -> None:
        """Keep the bytes where the server does not look: who knows why the catalog does not know them."""

    def settled(self) -> None:
        """Called when nothing is unsure any more."""
