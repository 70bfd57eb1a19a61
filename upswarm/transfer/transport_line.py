"""One connection that stands: bytes there and back. Whether Locust's loop waits or a thread is all one.

The names of `socket` and `ssl` are looked up when they are called, so that gevent's stand there once it has patched
them. Every wait has the idle timeout for itself: `sendall` would give it to the whole of its bytes.
"""

from __future__ import annotations

import fcntl
import math
import mmap
import os
import socket
import ssl
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterable

from upswarm.content.shared import Place, place_of
from upswarm.transfer.failures import Interrupted
from upswarm.transfer.transport import Timeouts
from upswarm.transfer.transport_route import Proxy

JOINED_BYTES = 16 << 10
"""What is no longer is copied, so that a head and a small body are one send."""
_TLS_BYTES = 64 << 10
"""OpenSSL gives the control back when all of it is written, so this bounds what shares one timeout."""
_RECEIVE_BYTES = 16 << 10
_FILED_BYTES = 128 << 10
"""From here on it is cheaper not to copy: below, what the head costs as a send of its own is more."""
_KNOCK_BYTES = 4 << 10
_FIRST_LOOK_S = 0.05
"""When a send has waited for so long, and each time it has waited twice as long, an answer may be the reason."""
_ESTABLISHED, _NO_BYTES = b"\x01", bytes(4)
_AT_ONCE = struct.pack("ii", 1, 0)  # on, and no time for what has not been delivered
_NOTHING_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Line:
    """A connection that stands; `ends_s` on `time.monotonic` is when the request under way has to be answered.

    `taken_bytes` is what the system has taken of it, head and body; whoever begins a request sets it to 0.
    """

    def __init__(self, sock: socket.socket, timeouts: Timeouts, proxy: Proxy | None = None) -> None:
        self.proxy = proxy
        self.ends_s = math.inf
        self.taken_bytes = 0
        self._socket = sock
        self._fd = sock.fileno()
        self._idle_s = timeouts.idle_s
        self._timeout_s: float | None = None
        self._secret = isinstance(sock, ssl.SSLSocket)

    @property
    def stale(self) -> bool:
        """Whether the server has closed it, or said what nobody had asked for."""
        try:
            return self.arrived() is not None
        except OSError:
            return True

    def send(self, head: bytes, views: Iterable[memoryview], enough: Callable[[], bool]) -> bool:
        """Send a head and views, never copied unless they are small; false if it was `enough` before the end.

        That is asked between two views, and now and then while the other end takes nothing. An empty view says that the
        next may be long in coming: what is held goes out.
        """
        held, begun = head, False
        try:
            for view in views:
                if view and len(held) + len(view) <= JOINED_BYTES:
                    held += view
                    continue
                if begun and enough():
                    return False
                self._write(held, view, enough)
                held, begun = b"", True
            self._write_all(memoryview(held), enough)
        except _EnoughError:
            return False
        except Interrupted:  # a body that ends on purpose, in the middle: what it had given so far goes out
            self._write_all(memoryview(held), lambda: False)
            raise
        return True

    def receive(self) -> bytes:
        """What comes next; nothing is the end."""
        self._wait_at_most(self._idle_s)
        return self._socket.recv(_RECEIVE_BYTES)

    def arrived(self) -> bytes | None:
        """What has come already; None is nothing yet, and nothing is the end."""
        if self._quiet:
            return None
        self._set_timeout(0)
        try:
            return self._socket.recv(_RECEIVE_BYTES)
        except _NOTHING_YET:
            return None

    @property
    def _quiet(self) -> bool:
        """Whether the system has nothing to read, not even the end: a read that would say so costs more."""
        state = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
        return state == _ESTABLISHED and fcntl.ioctl(self._fd, termios.FIONREAD, _NO_BYTES) == _NO_BYTES

    @property
    def undelivered_bytes(self) -> int:
        """Of what was sent, what the other end's system has not confirmed yet."""
        return int.from_bytes(fcntl.ioctl(self._fd, termios.TIOCOUTQ, _NO_BYTES), sys.byteorder)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def reset(self) -> None:
        """Hang up so that the other end sees no end but a reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self._socket.close()

    def _write(self, held: bytes, view: memoryview, enough: Callable[[], bool]) -> None:
        """Both as one send, as far as that is possible without a copy of the view."""
        place = place_of(view) if len(view) >= _FILED_BYTES and not self._secret else None
        if place:
            rest = -place.offset % mmap.PAGESIZE  # a piece of a page is as dear as some whole ones
            self._write_all(memoryview(held + view[:rest]), enough, socket.MSG_MORE)
            self._write_filed(Place(place.fd, place.offset + rest), view[rest:], enough)
        elif not held:
            self._write_all(view, enough)
        elif self._secret:
            self._write_all(memoryview(held + view[:JOINED_BYTES]), enough)
            self._write_all(view[JOINED_BYTES:], enough)
        else:
            sent_bytes = self._given(self._socket.sendmsg, (held, view), enough)
            self._write_all(memoryview(held)[sent_bytes:], enough)
            self._write_all(view[max(0, sent_bytes - len(held)) :], enough)

    def _write_all(self, view: memoryview, enough: Callable[[], bool], *flags: int) -> None:
        while view:
            view = view[self._given(self._socket.send, view[:_TLS_BYTES] if self._secret else view, enough, *flags) :]

    def _write_filed(self, place: Place, view: memoryview, enough: Callable[[], bool]) -> None:
        """Out of the file in which the view stands, without a copy; some of it is copied whenever that has to wait."""
        done_bytes = 0
        while done_bytes < len(view):
            self._left_s()
            try:
                count = os.sendfile(self._fd, place.fd, place.offset + done_bytes, len(view) - done_bytes)
                self.taken_bytes += count
            except BlockingIOError:
                count = self._given(self._socket.send, view[done_bytes : done_bytes + _KNOCK_BYTES], enough)
            done_bytes += count

    def _given(self, give: Callable[..., int], data: object, enough: Callable[[], bool], *flags: int) -> int:
        """How many bytes the system took."""
        waited_s, wait_s = 0.0, min(_FIRST_LOOK_S, self._idle_s)
        while True:
            self._wait_at_most(wait_s)
            try:
                count = give(data, *flags)
            except TimeoutError:
                waited_s += wait_s
                if enough():
                    raise _EnoughError from None
                if waited_s >= self._idle_s:
                    raise
                wait_s = min(waited_s, self._idle_s - waited_s)
            else:
                self.taken_bytes += count
                return count

    def _wait_at_most(self, wait_s: float) -> None:
        """And no longer than the request has left."""
        self._set_timeout(min(wait_s, self._left_s()))

    def _left_s(self) -> float:
        """How long the request may still take; raises `TimeoutError` when that is over."""
        if self.ends_s is math.inf:
            return math.inf
        left_s = self.ends_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s

    def _set_timeout(self, timeout_s: float) -> None:
        if timeout_s != self._timeout_s:
            self._timeout_s = timeout_s
            self._socket.settimeout(timeout_s)


class _EnoughError(Exception):
    """The server has answered that it does not want the rest."""
