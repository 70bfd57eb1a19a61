"""Bytes that many files show and nobody changes: in memory, and in a file that stands nowhere else.

What stands in a file the kernel can send without copying it (sendfile(2)). For all else views of these bytes are views
like any other, however they are cut; `place_of` finds out where in which file a view stands.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import weakref
from typing import Any, NamedTuple

_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


class Place(NamedTuple):
    """An open file, and an offset in it."""

    fd: int
    offset: int


def shared(data: bytes | bytearray | memoryview) -> memoryview:
    """The same bytes, once for all; they take memory for as long as there is a view of them."""
    fd = os.memfd_create("upswarm", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
    return memoryview(_Memory(fd, len(data), flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ))


def place_of(view: memoryview) -> Place | None:
    """Where a view of shared bytes stands; None for any other view."""
    memory = view.obj
    if not isinstance(memory, _Memory):
        return None
    return Place(memory.fd, _address(view) - memory.address)


class _Memory(mmap.mmap):
    """The file as memory; both are gone with the last view."""

    fd: int
    address: int

    def __new__(cls, fd: int, length: int, **how: Any) -> _Memory:
        made = super().__new__(cls, fd, length, **how)
        made.fd, made.address = fd, _address(made)
        weakref.finalize(made, os.close, fd)
        return made


class _Buffer(ctypes.Structure):
    """`Py_buffer` of Python's C API: the one thing that knows where a view begins."""

    _fields_ = [
        ("buf", ctypes.c_void_p), ("obj", ctypes.c_void_p), ("len", ctypes.c_ssize_t), ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int), ("ndim", ctypes.c_int), ("format", ctypes.c_void_p), ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p), ("suboffsets", ctypes.c_void_p), ("internal", ctypes.c_void_p),
    ]  # fmt: skip


_get = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.POINTER(_Buffer), ctypes.c_int)(
    ("PyObject_GetBuffer", ctypes.pythonapi)
)
_release = ctypes.PYFUNCTYPE(None, ctypes.POINTER(_Buffer))(("PyBuffer_Release", ctypes.pythonapi))


def _address(memory: memoryview | mmap.mmap) -> int:
    buffer = _Buffer()
    _get(memory, buffer, 0)
    _release(buffer)
    return int(buffer.buf)
