"""Bytes on a disk: one file per upload, in its place from the first chunk on.

    data/<two digits>/<id>   the bytes, of an open upload and of the file that it becomes
    open/<id>                the map of received chunks, only while the upload is open
    boot                     the boot of the machine that the maps belong to

Whether an upload is a file is said by the catalog alone, so finalize moves and copies nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from upswarm import digests
from upswarm_server.offload import Offload, direct
from upswarm_server.problems import Problem
from upswarm_server.settings import Settings
from upswarm_server.stores.base import NotHeld
from upswarm_server.stores.filesystem import (
    allocate,
    blocks,
    boot_id,
    opened,
    space_told,
    sync_directory,
    sync_file,
    sync_with_name,
)
from upswarm_server.stores.received import ReceivedMap


class DiskStore:
    """Keeps bytes below `root`; many processes may share it."""

    def __init__(
        self, root: Path, *, reserve: str = "full", lock_wait_s: float = 5.0, offload: Offload = direct
    ) -> None:
        self._root = root
        self._reserve = reserve
        self._lock_wait_s = lock_wait_s
        self._offload = offload

    @classmethod
    def from_settings(cls, settings: Settings, offload: Offload) -> DiskStore:
        """The store that these settings describe."""
        return cls(settings.data_dir, reserve=settings.reserve, lock_wait_s=settings.lock_wait_s, offload=offload)

    def prepare(self) -> None:
        """Make the directories, and void the marks of another boot; raises `OSError`."""
        for shard in range(256):
            (self._root / "data" / f"{shard:02x}").mkdir(parents=True, exist_ok=True)
        (self._root / "open").mkdir(exist_ok=True)
        for directory in (self._root.parent, self._root, self._root / "data"):
            sync_directory(directory)
        self._void_marks_of_another_boot()

    def _void_marks_of_another_boot(self) -> None:
        # A mark may have reached the disk before the bytes it speaks of, when the machine died in between.
        stamp, boot = self._root / "boot", boot_id()
        if stamp.exists() and stamp.read_text() != boot:
            for upload_id in self.uploads():
                with self._map(upload_id) as received:
                    received.clear()
        stamp.write_text(boot)
        sync_file(stamp)
        sync_directory(self._root)

    def reserve(self, upload_id: str, size_bytes: int, chunk_count: int) -> None:
        """As the contract says; how much is allocated is a setting."""
        try:
            with space_told():
                # The map first: recovery finds what a crash leaves by its map.
                ReceivedMap.create(self._open(upload_id), chunk_count)
                self._offload(lambda: allocate(self._data(upload_id), size_bytes, full=self._reserve == "full"))
        except BaseException:
            self.discard(upload_id)
            raise

    def marks(self, upload_id: str) -> bytes:
        """One byte per chunk."""
        with self._map(upload_id) as received:
            return received.marks()

    @contextmanager
    def slot(self, upload_id: str, index: int, offset_bytes: int) -> Iterator[DiskSlot]:
        """The place of one chunk; a chunk that is in place already is not locked, for nobody changes it."""
        with self._map(upload_id) as received, opened(self._data(upload_id), os.O_RDWR) as fd:
            received.lock_chunk(index, self._lock_wait_s)
            slot = DiskSlot(received, fd, index, offset_bytes)
            if slot.received:
                received.unlock()
            yield slot

    @contextmanager
    def hold(self, upload_id: str) -> Iterator[DiskHeld]:
        """The whole upload, locked."""
        with self._map(upload_id) as received:
            received.lock_all(self._lock_wait_s)
            yield DiskHeld(received, self._data(upload_id), self._offload)

    def seal(self, upload_id: str) -> None:
        """Remove the map: what has no map takes no chunks."""
        self._open(upload_id).unlink(missing_ok=True)

    def discard(self, upload_id: str) -> None:
        """Remove the bytes, even under a sender that still has the file open, and then the map that tells of them."""
        with suppress(FileNotFoundError):
            os.truncate(self._data(upload_id), 0)
        self.remove(upload_id)
        self.seal(upload_id)

    def uploads(self) -> list[str]:
        """The ids of all maps."""
        return sorted(path.name for path in (self._root / "open").iterdir())

    def open(self, file_id: str) -> DiskReader:
        """The file's bytes."""
        try:
            return DiskReader(os.open(self._data(file_id), os.O_RDONLY | os.O_CLOEXEC), self._offload)
        except FileNotFoundError:
            raise NotHeld(file_id) from None

    def remove(self, file_id: str) -> None:
        """Unlink the bytes."""
        self._data(file_id).unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """Space that this user may still fill; raises `OSError` when the directory can't be written."""
        if not os.access(self._root / "open", os.W_OK | os.X_OK):
            raise PermissionError(f"{self._root} is not writable")
        return shutil.disk_usage(self._root).free

    def _data(self, upload_id: str) -> Path:
        return self._root / "data" / upload_id[:2] / upload_id

    def _open(self, upload_id: str) -> Path:
        return self._root / "open" / upload_id

    def _map(self, upload_id: str) -> AbstractContextManager[ReceivedMap]:
        return ReceivedMap.opened(self._open(upload_id))


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

    def __init__(self, received_map: ReceivedMap, path: Path, offload: Offload) -> None:
        self._map = received_map
        self._path = path
        self._offload = offload

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
        self._offload(lambda: sync_with_name(self._path))


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
