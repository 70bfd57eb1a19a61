"""What every claim about a store begins with: a store of its own, and an upload in it."""

from __future__ import annotations

import copy
import random
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import ClassVar

from upswarm_server.stores.base import Held, Slot, Store

CHUNK_BYTES = 1000
SIZE_BYTES = 2500
LOCK_WAIT_S = 0.05


class TrialUpload:
    """An upload that was just reserved in a store, and the bytes that are to become its file."""

    def __init__(self, store: Store, size_bytes: int = SIZE_BYTES) -> None:
        self.store = store
        self.upload_id = str(uuid.uuid4())
        self.chunk_count = -(-size_bytes // CHUNK_BYTES)
        self.content = random.Random(size_bytes).randbytes(size_bytes)
        store.reserve(self.upload_id, size_bytes, self.chunk_count)

    def seen_by(self, store: Store) -> TrialUpload:
        """The same upload, in another worker's store."""
        seen = copy.copy(self)
        seen.store = store
        return seen

    def chunk(self, index: int) -> bytes:
        """The bytes of one chunk; the last one is shorter."""
        return self.content[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]

    def slot(self, index: int) -> AbstractContextManager[Slot]:
        """The store's slot for this chunk."""
        return self.store.slot(self.upload_id, index, index * CHUNK_BYTES)

    def hold(self) -> AbstractContextManager[Held]:
        """The whole upload, held."""
        return self.store.hold(self.upload_id)

    def marks(self) -> bytes:
        """What the store says of the chunks."""
        return self.store.marks(self.upload_id)

    def put(self, index: int) -> None:
        """Send one chunk, in two pieces."""
        with self.slot(index) as slot:
            slot.write(self.chunk(index)[:300], 0)
            slot.write(memoryview(self.chunk(index))[300:], 300)
            slot.mark()

    def fill(self) -> None:
        """Send all chunks, the last one first."""
        for index in reversed(range(self.chunk_count)):
            self.put(index)

    def seal(self) -> None:
        """Finalize as the server does: sync, and seal."""
        with self.hold() as held:
            held.sync()
            self.store.seal(self.upload_id)

    def read(self) -> bytes:
        """The whole file."""
        with closing(self.store.open(self.upload_id)) as reader:
            return reader.read(0, len(self.content) + 1)


class StoreClaims:
    """What all claims about a store begin with; `store` is to be overridden."""

    far_bytes: ClassVar[int] = 1 << 32
    """Where the chunk begins that stands far out; to be lowered where reserving so much takes memory at once."""

    def store(self, scratch: Path) -> Store:
        """A prepared, empty store that keeps what it keeps in this directory, and waits for locks for 0.05 s only.

        Called again with the same directory, it is the same store, as another worker process would make it.
        """
        raise NotImplementedError

    @contextmanager
    def upload(self, size_bytes: int = SIZE_BYTES) -> Iterator[TrialUpload]:
        """An upload of two and a half chunks, all missing, in a store of its own."""
        with tempfile.TemporaryDirectory() as scratch:
            yield TrialUpload(self.store(Path(scratch)), size_bytes)
