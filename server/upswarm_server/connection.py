"""A body's way past gunicorn's and Falcon's byte strings: from the socket into a reused buffer, or into a pipe.

gunicorn hands its connection to the application, but reads bodies through several byte strings. Here the connection
is taken over for the length of one body: what gunicorn has read ahead comes first, then the socket is read without
blocking, and only when it is empty the greenlet waits. So buffers and pipes are held while there are bytes in them and
not while a client is slow: a thousand slow clients share one.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Protocol

from gunicorn.http.body import Body as GunicornBody
from gunicorn.http.body import LengthReader
from gunicorn.http.unreader import SocketUnreader

BUFFER_BYTES = 1 << 18
_TURN_BYTES = 8 << 20  # then others have their turn, however fast this client sends


def is_possible() -> bool:
    """Whether this gunicorn has the inner names that `Connections.body_of` uses; asked at the start."""
    unreader = SocketUnreader(None)
    reader = LengthReader(unreader, 0)
    names = [
        (unreader, ("sock", "take_buffered", "unread")),
        (reader, ("unreader", "length")),
        (GunicornBody(reader), ("reader",)),
    ]
    return all(hasattr(thing, name) for thing, names_of in names for name in names_of)


class WaitRead(Protocol):
    """Waits until a file descriptor can be read, and lets others run meanwhile."""

    def __call__(self, fd: int, timeout_s: float, /) -> None:
        """Raises `TimeoutError` when there is nothing to read for so long."""


class Connections:
    """What the connections of one worker share: buffers and pipes, as many as hold bytes at one time."""

    def __init__(self, wait_read: WaitRead, timeout_s: float) -> None:
        self._wait_read = wait_read
        self._timeout_s = timeout_s
        self._buffers: list[memoryview] = []
        self._pipes: list[Pipe] = []

    def body_of(self, environ: dict[str, Any]) -> Connection | None:
        """The connection, to read this request's body from; None where only the WSGI input can be read.

        That is so with TLS, with chunked transfer coding, and under other servers. gunicorn takes the body for read
        from here on, so who does not read it to its end must close the connection.
        """
        # gunicorn's inner names, used nowhere else; tests with real gunicorn say when they change.
        body: Any = environ.get("wsgi.input")
        reader: Any = body.reader if type(body) is GunicornBody else None
        unreader: Any = reader.unreader if type(reader) is LengthReader else None
        if type(unreader) is not SocketUnreader or hasattr(unreader.sock, "do_handshake"):
            return None
        ahead = unreader.take_buffered()
        unreader.unread(ahead[reader.length :])
        ahead = ahead[: reader.length]
        reader.length = 0
        return Connection(self, unreader.sock.fileno(), ahead)

    def wait(self, fd: int) -> None:
        """Let others run until there is something to read; raises `TimeoutError` after the time for silence."""
        self._wait_read(fd, self._timeout_s)

    def take_buffer(self) -> memoryview:
        """A buffer for `give_buffer`; the last one that was given back comes first, for it is still in the caches."""
        return self._buffers.pop() if self._buffers else memoryview(bytearray(BUFFER_BYTES))

    def give_buffer(self, buffer: memoryview) -> None:
        """Somebody else may use it."""
        self._buffers.append(buffer)

    def take_pipe(self) -> Pipe:
        """An empty pipe for `give_pipe`."""
        return self._pipes.pop() if self._pipes else Pipe()

    def give_pipe(self, pipe: Pipe, *, is_empty: bool) -> None:
        """Somebody else may use it, unless there is something in it."""
        if is_empty:
            self._pipes.append(pipe)
        else:
            pipe.close()


class Connection:
    """One connection, for the length of one body. `fd` is a socket that does not block."""

    def __init__(self, shared: Connections, fd: int, ahead: bytes) -> None:
        self._shared = shared
        self._fd = fd
        self._ahead = ahead
        self._turn_bytes = 0

    def pieces(self, length_bytes: int) -> Iterator[memoryview]:
        """The next bytes, up to so many in all; each piece is valid until the next one is asked for.

        Ends early when the client has hung up; raises `TimeoutError` when it is silent, `OSError` when it is gone.
        """
        if self._ahead:
            ahead, self._ahead = self._ahead[:length_bytes], self._ahead[length_bytes:]
            length_bytes -= len(ahead)
            yield memoryview(ahead)
        while length_bytes:
            buffer = self._shared.take_buffer()
            try:
                count = _at_once(os.readv, self._fd, [buffer[:length_bytes]])
                if count:
                    length_bytes -= count
                    yield buffer[:count]
            finally:
                self._shared.give_buffer(buffer)
            if count == 0:
                return
            if length_bytes:
                self._give_way(count)

    def piped(self, length_bytes: int) -> Iterator[tuple[int, int]]:
        """As `pieces`, but each is a pipe and the number of bytes in it, to be emptied before the next is asked for."""
        while length_bytes:
            pipe, is_empty = self._shared.take_pipe(), False
            try:
                count = self._fill(pipe, length_bytes)
                if count:
                    length_bytes -= count
                    yield pipe.exit, count
                is_empty = True
            finally:
                self._shared.give_pipe(pipe, is_empty=is_empty)
            if count == 0:
                return
            if length_bytes:
                self._give_way(count)

    def _fill(self, pipe: Pipe, length_bytes: int) -> int | None:
        if not self._ahead:
            return _at_once(pipe.fill, self._fd, length_bytes)
        count = pipe.put(self._ahead[:length_bytes])
        self._ahead = self._ahead[count:]
        return count

    def _give_way(self, count: int | None) -> None:
        self._turn_bytes += count or 0
        if count is None or self._turn_bytes >= _TURN_BYTES:
            self._turn_bytes = 0
            self._shared.wait(self._fd)


class Pipe:
    """Through a pipe the kernel moves bytes from a socket to a file without showing them to this process."""

    def __init__(self) -> None:
        self.exit, self._entry = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        with suppress(PermissionError):  # a user may have so many large pipes and no more; small ones work too
            fcntl.fcntl(self._entry, fcntl.F_SETPIPE_SZ, BUFFER_BYTES)

    def fill(self, fd: int, length_bytes: int) -> int:
        """Move what the socket has, up to so many bytes; raises `BlockingIOError` when it has none."""
        flags = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK
        return os.splice(fd, self._entry, min(length_bytes, BUFFER_BYTES), flags=flags)

    def put(self, data: bytes) -> int:
        """Put into the empty pipe what was read otherwise, as much as fits; how much that is."""
        return os.write(self._entry, data)

    def close(self) -> None:
        """Lose what is in it."""
        os.close(self._entry)
        os.close(self.exit)


def _at_once(read: Callable[..., int], *arguments: object) -> int | None:
    """What is there now: the number of bytes, 0 at the end, None when one has to wait."""
    try:
        return read(*arguments)
    except BlockingIOError:
        return None
