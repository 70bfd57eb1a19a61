"""The few things that the disk store asks of a file system. Whatever waits for the disk is offloaded by the caller."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from upswarm_server.problems import Problem
from upswarm_server.stores.base import NotHeld

_READ_BYTES = 1 << 20
_PRIVATE = 0o600
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_COPY = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
_COPY_BYTES = 1 << 30


@contextmanager
def opened(path: Path, flags: int) -> Iterator[int]:
    """A file descriptor, closed afterwards; files are made for this user only. Raises `NotHeld` where there is none."""
    try:
        fd = os.open(path, flags | os.O_CLOEXEC, _PRIVATE)
    except FileNotFoundError:
        raise NotHeld(path.name) from None
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def space_told() -> Iterator[None]:
    """A full disk, quota or file system is `storage_full`."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        raise Problem("storage_full", f"expected space for these bytes, found: {error.strerror}") from error


def allocate(path: Path, size_bytes: int, *, full: bool) -> None:
    """Make a file of this size; `full` takes its space at once, where the file system can."""
    with opened(path, os.O_RDWR | os.O_CREAT | os.O_EXCL) as fd:
        os.ftruncate(fd, size_bytes)
        if full and size_bytes:
            with _where_supported():
                os.posix_fallocate(fd, 0, size_bytes)


@contextmanager
def _where_supported() -> Iterator[None]:
    # Some file systems and C libraries can't reserve; there the length must do.
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
            raise


def copy_range(source: int, target: int, length_bytes: int, at_bytes: int) -> int:
    """Copy the first bytes of a file to their place in another one; returns how many the source had of them."""
    copied_bytes = 0
    while copied_bytes < length_bytes:
        wanted_bytes = min(length_bytes - copied_bytes, _COPY_BYTES)
        count = _copy(source, target, wanted_bytes, copied_bytes, at_bytes + copied_bytes)
        if not count:
            break
        copied_bytes += count
    return copied_bytes


def _copy(source: int, target: int, length_bytes: int, source_bytes: int, target_bytes: int) -> int:
    try:
        return os.copy_file_range(source, target, length_bytes, source_bytes, target_bytes)
    except OSError as error:
        if error.errno not in _NO_COPY:
            raise
        return os.pwrite(target, os.pread(source, min(length_bytes, _READ_BYTES), source_bytes), target_bytes)


def blocks(path: Path) -> Iterator[bytes]:
    """The file's bytes, in order."""
    with path.open("rb", buffering=0) as file:
        while block := file.read(_READ_BYTES):
            yield block


def sync_file(path: Path) -> None:
    """Return when the file's bytes are on disk."""
    with opened(path, os.O_RDWR) as fd:
        os.fdatasync(fd)


def sync_directory(path: Path) -> None:
    """Return when the directory's names are on disk."""
    with opened(path, os.O_RDONLY | os.O_DIRECTORY) as fd:
        os.fsync(fd)


def sync_with_name(path: Path) -> None:
    """Return when the file's bytes, and then its name, are on disk."""
    sync_file(path)
    sync_directory(path.parent)


def free_bytes(directory: Path) -> int:
    """Space for more, 0 when not even one byte finds a place, for lack of inodes or by a quota; raises `OSError`."""
    try:
        with tempfile.TemporaryFile(dir=directory, buffering=0) as probe:
            probe.write(b"?")
    except OSError as error:
        if error.errno in _NO_SPACE:
            return 0
        raise
    return shutil.disk_usage(directory).free


def boot_id() -> str:
    """Which boot of the machine this is; the same text for all boots where the machine does not say."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else "unknown"
