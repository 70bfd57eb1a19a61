"""The end of a sequential upload on a disk: bytes are written behind each other, then one number counts them."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager

from upswarm_server.offload import Offload
from upswarm_server.stores.base import NotHeld
from upswarm_server.stores.filesystem import copy_range, space_told
from upswarm_server.stores.received import TailMap


class DiskTail:
    """The end of an upload whose map is locked; `opened_tail` opens the map and the bytes of another one."""

    def __init__(
        self,
        tail_map: TailMap,
        fd: int,
        opened_tail: Callable[[str], AbstractContextManager[tuple[TailMap, int]]],
        offload: Offload,
    ) -> None:
        self._map = tail_map
        self._fd = fd
        self._opened_tail = opened_tail
        self._offload = offload
        self.offset_bytes = tail_map.offset_bytes
        self._end_bytes = self.offset_bytes

    def write(self, data: bytes | memoryview) -> None:
        """Write into the kernel's cache."""
        rest = memoryview(data)
        with space_told():
            while rest:
                written = os.pwrite(self._fd, rest, self._end_bytes)
                rest = rest[written:]
                self._end_bytes += written

    def write_from_pipe(self, pipe: int, length_bytes: int) -> None:
        """Have the kernel move the bytes into its cache."""
        end_bytes = self._end_bytes + length_bytes
        with space_told():
            while (rest_bytes := end_bytes - self._end_bytes) > 0:
                self._end_bytes += os.splice(
                    pipe, self._fd, rest_bytes, offset_dst=self._end_bytes, flags=os.SPLICE_F_MOVE
                )

    def copy(self, upload_id: str, length_bytes: int) -> None:
        """Have the kernel copy, or share, the bytes; it may wait for the disk."""
        with self._opened_tail(upload_id) as (other, source), space_told():
            there_bytes = other.offset_bytes
            if there_bytes >= length_bytes:
                there_bytes = self._offload(lambda: copy_range(source, self._fd, length_bytes, self._end_bytes))
        if there_bytes < length_bytes:  # too few from the beginning, or discarded in the meantime
            raise NotHeld(upload_id)
        self._end_bytes += length_bytes

    def keep(self) -> None:
        """Change the number, if the map is still there."""
        self._map.keep(self._end_bytes)
        self.offset_bytes = self._end_bytes
