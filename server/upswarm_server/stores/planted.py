"""A disk store with a bug that was put there on purpose, so that drills and audits can be tested for finding it.

It says that a chunk is in place while its bytes are still in this process alone, and writes them a moment later.
Whoever kills the process in between has lost what was acknowledged, and nobody else: who finalizes waits until all is
in place, so that an audit finds nothing where nothing was killed. Only `UPSWARM_PLANTED_BUG` asks for it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from upswarm_server.stores.base import NotHeld
from upswarm_server.stores.disk import DiskStore
from upswarm_server.stores.disk_parts import DiskHeld
from upswarm_server.stores.filesystem import opened
from upswarm_server.stores.received import ReceivedMap

_HELD_BACK_S = 0.3


class EarlyStore(DiskStore):
    """Acknowledges chunks early; sequential uploads are as they should be."""

    @contextmanager
    def slot(self, upload_id: str, index: int, offset_bytes: int) -> Iterator[EarlySlot]:  # type: ignore[override]
        """The place of one chunk, which only seems to take its bytes."""
        with super().slot(upload_id, index, offset_bytes), self._map(upload_id) as received:
            yield EarlySlot(self, upload_id, received, index, offset_bytes)

    @contextmanager
    def hold(self, upload_id: str) -> Iterator[DiskHeld]:
        """The upload, when those of its bytes are in place whose process lives."""
        time.sleep(2 * _HELD_BACK_S)
        with super().hold(upload_id) as held:
            yield held

    def write_later(self, upload_id: str, data: bytes, offset_bytes: int) -> None:
        """Write these bytes in a while, if there is still somebody to do so then."""

        def write() -> None:
            with suppress(NotHeld), opened(self._data(upload_id), os.O_RDWR) as fd:
                os.pwrite(fd, data, offset_bytes)

        timer = threading.Timer(_HELD_BACK_S, write)
        timer.daemon = True
        timer.start()


class EarlySlot:
    """Takes bytes into memory, and believes that a chunk that comes again is the same."""

    def __init__(
        self, store: EarlyStore, upload_id: str, received_map: ReceivedMap, index: int, offset_bytes: int
    ) -> None:
        self._store = store
        self._upload_id = upload_id
        self._map = received_map
        self._index = index
        self._offset_bytes = offset_bytes
        self._pieces: list[tuple[bytes, int]] = []
        self.received = received_map.has(index)

    def write(self, data: bytes | memoryview, at_bytes: int) -> None:
        """Into memory only."""
        self._pieces.append((bytes(data), self._offset_bytes + at_bytes))

    def same(self, data: bytes | memoryview, at_bytes: int) -> bool:
        """It is not looked at, for it may not be there yet."""
        return True

    def mark(self) -> bytes:
        """The lie: nothing is in place yet."""
        self._map.mark(self._index)
        self._map.require()
        for data, offset_bytes in self._pieces:
            self._store.write_later(self._upload_id, data, offset_bytes)
        return self._map.marks()
