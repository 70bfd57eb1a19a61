"""Which bytes are in place: one byte per chunk in a small file, or one number, and the locks on that file.

A mark is one `pwrite` of one byte after the chunk's own bytes were written: repeatable, safe between processes, and in
the kernel's hands as soon as it returns, so it survives the death of every process. Locks are Linux's open file
description locks on the same bytes: a sender holds its chunk's byte, a finalize holds all of them, and what a killed
process held is free at once. A sequential upload has how far it is in the place of marks.
`docs/design/received-map.md` tells why.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from upswarm_server.model import MISSING, RECEIVED
from upswarm_server.problems import Problem
from upswarm_server.stores.base import NotHeld

_TAIL = b"\x02tail\x00\x00\x00"  # no map of chunks begins so, for its bytes are 0 and 1
_NUMBER = struct.Struct("<Q")
_ALL = 0  # a length of 0 reaches to the end, wherever it is
_FIRST_PAUSE_S = 0.001
_LONGEST_PAUSE_S = 0.05


class ReceivedMap:
    """The open map of one upload. Closing it, or dying, gives its locks back."""

    def __init__(self, fd: int, upload_id: str) -> None:
        self._fd = fd
        self._upload_id = upload_id

    @classmethod
    def create(cls, path: Path, chunk_count: int) -> None:
        """A map in which every chunk is missing."""
        path.write_bytes(MISSING * chunk_count)

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[ReceivedMap]:
        """The map at this path; raises `NotHeld` when there is none."""
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NotHeld(path.name) from None
        try:
            yield (TailMap if os.pread(fd, len(_TAIL), 0) == _TAIL else cls)(fd, path.name)
        finally:
            os.close(fd)

    def marks(self) -> bytes:
        """One byte per chunk."""
        return os.pread(self._fd, os.fstat(self._fd).st_size, 0)

    def has(self, index: int) -> bool:
        """Whether this chunk is in place."""
        return os.pread(self._fd, 1, index) == RECEIVED

    def mark(self, index: int) -> None:
        """Say that this chunk is in place."""
        os.pwrite(self._fd, RECEIVED, index)

    def clear(self) -> None:
        """Say that every chunk is missing."""
        os.pwrite(self._fd, MISSING * os.fstat(self._fd).st_size, 0)

    def require(self) -> None:
        """Raise `NotHeld` when the map was removed: the upload is sealed or discarded."""
        if os.fstat(self._fd).st_nlink == 0:
            raise NotHeld(self._upload_id)

    def lock_chunk(self, index: int, wait_s: float) -> None:
        """Be the only one that writes this chunk; raises `NotHeld`, or `busy` after `wait_s`."""
        self._lock(index, 1, wait_s)

    def lock_all(self, wait_s: float) -> None:
        """Be the only one that touches this upload; raises `NotHeld`, or `busy` after `wait_s`."""
        self._lock(0, _ALL, wait_s)

    def unlock(self) -> None:
        """Let others go on."""
        self._try(fcntl.F_UNLCK, 0, _ALL)

    def _lock(self, start: int, length: int, wait_s: float) -> None:
        # Waiting in the kernel would stop every greenlet of the worker, so it is asked again after growing pauses.
        pause_s, waited_s = _FIRST_PAUSE_S, 0.0
        while not self._try(fcntl.F_WRLCK, start, length):
            if waited_s >= wait_s:
                raise Problem("busy", f"another request holds upload {self._upload_id}, waited {wait_s:g} s")
            time.sleep(pause_s)
            waited_s += pause_s
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        self.require()

    def _try(self, kind: int, start: int, length: int) -> bool:
        # struct flock: type, whence, start, length, pid (0 for this kind of lock), padded to its alignment
        request = struct.pack("@hhqqi0q", kind, os.SEEK_SET, start, length, 0)
        try:
            fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, request)
        except (BlockingIOError, PermissionError):
            return False
        return True


class TailMap(ReceivedMap):
    """The map of a sequential upload: a word that says so, its size, and how many of its bytes count.

    Each has eight bytes at a place divisible by eight, so the offset changes in one piece.
    """

    @classmethod
    def create_tail(cls, path: Path, size_bytes: int) -> None:
        """A map of which no bytes count."""
        path.write_bytes(_TAIL + _NUMBER.pack(size_bytes) + _NUMBER.pack(0))

    @property
    def offset_bytes(self) -> int:
        """How many bytes count."""
        return self._number(2)

    def keep(self, offset_bytes: int) -> None:
        """Say how many bytes count; raises `NotHeld` when the map was removed."""
        self._set(offset_bytes)
        self.require()

    def marks(self) -> bytes:
        """One byte for the one chunk that such an upload is; an empty one has none."""
        size_bytes = self._number(1)
        return (RECEIVED if self.offset_bytes == size_bytes else MISSING) if size_bytes else b""

    def clear(self) -> None:
        """Say that no bytes count."""
        self._set(0)

    def lock_chunk(self, index: int, wait_s: float) -> None:
        """There is no place for a chunk alone: `NotHeld`."""
        raise NotHeld(self._upload_id)

    def _number(self, place: int) -> int:
        (number,) = _NUMBER.unpack(os.pread(self._fd, _NUMBER.size, place * _NUMBER.size))
        return int(number)

    def _set(self, offset_bytes: int) -> None:
        os.pwrite(self._fd, _NUMBER.pack(offset_bytes), 2 * _NUMBER.size)
