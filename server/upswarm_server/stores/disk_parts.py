"""What the disk store hands out: the place of a chunk, a held upload, an open file."""

from __future__ import annotations

import os
from pathlib import Path

from upswarm import digests
from upswarm_server.meter import Meter, timed
from upswarm_server.offload import Offload
from upswarm_server.problems import Problem
from upswarm_server.stores.filesystem import blocks, space_told, sync_with_name
from upswarm_server.stores.received import ReceivedMap


class DiskSlot:
    """The place of one chunk in its upload's file."""

    def __init__(self, received_map: ReceivedMap, fd: int, index: int, offset_bytes: int) -> None:
        self._map = received_map
        self._fd = fd
        self._index = index
        self._offset_bytes = offset_bytes
        self.received = received_map.has(index)

    def write(self, data: bytes | memoryview, at_bytes: int) -> None:
        """Write in place, into the kernel's cache."""
        rest = memoryview(data)
        with space_told():
            while rest:
                written = os.pwrite(self._fd, rest, self._offset_bytes + at_bytes)
                rest, at_bytes = rest[written:], at_bytes + written

    def write_from_pipe(self, pipe: int, length_bytes: int, at_bytes: int) -> None:
        """Have the kernel move the bytes into its cache."""
        start = self._offset_bytes + at_bytes
        end = start + length_bytes
        with space_told():
            while start < end:
                start += os.splice(pipe, self._fd, end - start, offset_dst=start, flags=os.SPLICE_F_MOVE)

    def same(self, data: bytes | memoryview, at_bytes: int) -> bool:
        """Compare with what is in place; raises `NotHeld` rather than compare with a discarded file."""
        equal = os.pread(self._fd, len(data), self._offset_bytes + at_bytes) == data
        if not equal:
            self._map.require()
        return equal

    def mark(self) -> bytes:
        """Mark the chunk; one that was in place needs no mark, but must still be there."""
        if not self.received:
            self._map.mark(self._index)
        self._map.require()
        if not self._map.has(self._index):
            raise Problem("busy", "a failed finalize has just taken back all chunks of this upload")
        return self._map.marks()


class DiskHeld:
    """An upload whose map is locked."""

    def __init__(self, received_map: ReceivedMap, path: Path, offload: Offload, meter: Meter) -> None:
        self._map = received_map
        self._path = path
        self._offload = offload
        self._meter = meter

    def marks(self) -> bytes:
        """One byte per chunk."""
        return self._map.marks()

    def clear(self) -> None:
        """Count every chunk as missing."""
        self._map.clear()

    def digest(self, algorithm: str) -> bytes:
        """Read the whole file."""
        return self._offload(lambda: digests.digest_of(algorithm, blocks(self._path)))

    def sync(self) -> None:
        """Sync the bytes, then the directory that names them."""
        self._meter.sync(self._offload(lambda: timed(lambda: sync_with_name(self._path))))


class DiskReader:
    """An open file; reading may wait for the disk, so it is offloaded."""

    def __init__(self, fd: int, offload: Offload) -> None:
        self._fd = fd
        self._offload = offload

    def read(self, at_bytes: int, length_bytes: int) -> bytes:
        """Up to `length_bytes`."""
        return self._offload(lambda: os.pread(self._fd, length_bytes, at_bytes))

    def close(self) -> None:
        """Close the file once."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
