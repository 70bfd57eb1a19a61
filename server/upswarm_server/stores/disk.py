"""Bytes on a disk: one file per upload, in its place from the first chunk on.

    data/<two digits>/<id>   the bytes, of an open upload and of the file that it becomes
    open/<id>                the map of received chunks, or how far a sequential upload is, only while it is open
    leaving/<id>             empty, only while the file is being removed
    aside/<id>               bytes that no record knew after the machine had died
    boot                     the boot of the machine that the maps belong to

Whether an upload is a file is said by the catalog alone, so finalize moves and copies nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from upswarm_server.meter import SILENT, Meter
from upswarm_server.offload import Offload, direct
from upswarm_server.settings import Settings
from upswarm_server.stores.base import NotHeld
from upswarm_server.stores.disk_parts import DiskHeld, DiskReader, DiskSlot
from upswarm_server.stores.disk_tail import DiskTail
from upswarm_server.stores.filesystem import (
    allocate,
    boot_id,
    free_bytes,
    opened,
    space_told,
    sync_directory,
    sync_file,
)
from upswarm_server.stores.received import ReceivedMap, TailMap


class DiskStore:
    """Keeps bytes below `root`; many processes may share it."""

    def __init__(
        self,
        root: Path,
        *,
        reserve: str = "full",
        lock_wait_s: float = 5.0,
        offload: Offload = direct,
        meter: Meter = SILENT,
    ) -> None:
        self._root = root
        self._bytes, self._maps = root / "data", root / "open"
        self._reserve = reserve
        self._lock_wait_s = lock_wait_s
        self._offload = offload
        self._meter = meter

    @classmethod
    def from_settings(cls, settings: Settings, offload: Offload, meter: Meter) -> DiskStore:
        """The store that these settings describe."""
        return cls(
            settings.data_dir,
            reserve=settings.reserve,
            lock_wait_s=settings.lock_wait_s,
            offload=offload,
            meter=meter,
        )

    def prepare(self) -> None:
        """Make the directories, and void the marks of another boot; raises `OSError`."""
        for shard in range(256):
            (self._root / "data" / f"{shard:02x}").mkdir(parents=True, exist_ok=True)
        for name in ("open", "leaving", "aside"):
            (self._root / name).mkdir(exist_ok=True)
        for directory in (self._root.parent, self._root, self._root / "data"):
            sync_directory(directory)
        self._void_marks_of_another_boot()

    def _void_marks_of_another_boot(self) -> None:
        # A mark may have reached the disk before the bytes it speaks of, when the machine died in between.
        if self._machine_died():
            for path in (self._root / "open").iterdir():
                with ReceivedMap.opened(path) as received:
                    received.clear()

    def _machine_died(self) -> bool:
        stamp = self._root / "boot"
        return stamp.exists() and stamp.read_text() != boot_id()

    def unsure(self) -> Iterator[str]:
        """Everything there is, when the machine has died."""
        if self._machine_died():
            for shard in (self._root / "data").iterdir():
                yield from [path.name for path in shard.iterdir()]

    def set_aside(self, file_id: str) -> None:
        """Rename it."""
        self._data(file_id).rename(self._root / "aside" / file_id)

    @property
    def aside(self) -> str:
        """A directory."""
        return str(self._root / "aside")

    def settled(self) -> None:
        """Note which boot this is."""
        stamp = self._root / "boot"
        stamp.write_text(boot_id())
        sync_file(stamp)
        sync_directory(self._root)

    def reserve(self, upload_id: str, size_bytes: int, chunk_count: int) -> None:
        """As the contract says; how much is allocated is a setting."""
        self._reserve_with(lambda: ReceivedMap.create(self._open(upload_id), chunk_count), upload_id, size_bytes)

    def reserve_tail(self, upload_id: str, size_bytes: int) -> None:
        """The same space, and a map of another kind."""
        self._reserve_with(lambda: TailMap.create_tail(self._open(upload_id), size_bytes), upload_id, size_bytes)

    def _reserve_with(self, create_map: Callable[[], None], upload_id: str, size_bytes: int) -> None:
        try:
            with space_told():
                # The map first: recovery finds what a crash leaves by its map.
                create_map()
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
            yield DiskHeld(received, self._data(upload_id), self._offload, self._meter)

    @contextmanager
    def tail(self, upload_id: str) -> Iterator[DiskTail]:
        """The end of a sequential upload, under the lock that a finalize takes too."""
        with self._opened_tail(upload_id) as (tail_map, fd):
            tail_map.lock_all(self._lock_wait_s)
            yield DiskTail(tail_map, fd, self._opened_tail, self._offload)

    def tail_offset_bytes(self, upload_id: str) -> int:
        """From the map, without a lock."""
        with self._tail_map(upload_id) as tail_map:
            return tail_map.offset_bytes

    def seal(self, upload_id: str) -> None:
        """Remove the map: what has no map takes no chunks."""
        self._open(upload_id).unlink(missing_ok=True)
        self._leaving(upload_id).unlink(missing_ok=True)

    def discard(self, upload_id: str) -> None:
        """Remove the bytes, even under a sender that still has the file open, and then the map that tells of them."""
        with suppress(FileNotFoundError):
            self._offload(lambda: os.truncate(self._data(upload_id), 0))
        self.remove(upload_id)
        self.seal(upload_id)

    def condemn(self, file_id: str) -> None:
        """Leave a note."""
        self._leaving(file_id).touch()

    def uploads(self) -> list[str]:
        """The ids of all maps and notes."""
        return sorted(path.name for name in ("open", "leaving") for path in (self._root / name).iterdir())

    def open(self, file_id: str) -> DiskReader:
        """The file's bytes."""
        try:
            return DiskReader(os.open(self._data(file_id), os.O_RDONLY | os.O_CLOEXEC), self._offload)
        except FileNotFoundError:
            raise NotHeld(file_id) from None

    def remove(self, file_id: str) -> None:
        """Unlink the bytes; a large file takes its time."""
        self._offload(lambda: self._data(file_id).unlink(missing_ok=True))
        self._leaving(file_id).unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """Space that this user may still fill, found out by writing; raises `OSError` when that fails."""
        return self._offload(lambda: free_bytes(self._root))

    def _data(self, upload_id: str) -> Path:
        return self._bytes.joinpath(upload_id[:2], upload_id)

    def _open(self, upload_id: str) -> Path:
        return self._maps / upload_id

    def _leaving(self, file_id: str) -> Path:
        return self._root / "leaving" / file_id

    @contextmanager
    def _opened_tail(self, upload_id: str) -> Iterator[tuple[TailMap, int]]:
        with self._tail_map(upload_id) as tail_map, opened(self._data(upload_id), os.O_RDWR) as fd:
            yield tail_map, fd

    @contextmanager
    def _tail_map(self, upload_id: str) -> Iterator[TailMap]:
        with self._map(upload_id) as received:
            if not isinstance(received, TailMap):
                raise NotHeld(upload_id)
            yield received

    def _map(self, upload_id: str) -> AbstractContextManager[ReceivedMap]:
        return ReceivedMap.opened(self._open(upload_id))
