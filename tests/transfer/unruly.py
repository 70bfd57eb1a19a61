"""A server on a free port that does to each request what it was told to, and counts what really came over the wire."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_RECEIVE_BYTES = 1 << 20
Behaviour = Callable[["Wire"], bool]
"""Reads what it wants and answers what it likes; returns whether the connection may be used again."""


@dataclass
class Seen:
    """One request as it came: on which connection, its head, and how much of its body was read."""

    connection: int
    line: str
    headers: list[tuple[str, str]]
    body_bytes: int = 0
    body: bytearray = field(default_factory=bytearray)

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key.lower() == name]
        assert len(values) < 2, f"{name} came more than once"
        return values[0] if values else None

    @property
    def length(self) -> int:
        return int(self.header("content-length") or 0)


class Wire:
    """One connection, from the server's end."""

    def __init__(self, sock: socket.socket, number: int, closing: threading.Event) -> None:
        self._sock = sock
        self._number = number
        self._buffer = bytearray(_RECEIVE_BYTES)
        self._ahead = b""
        self._closing = closing
        self.request: Seen

    def next_request(self) -> Seen | None:
        while b"\r\n\r\n" not in self._ahead:
            data = self._sock.recv(1 << 16)
            if not data:
                assert not self._ahead, f"a request ended in its head: {self._ahead!r}"
                return None
            self._ahead += data
        head, _, self._ahead = self._ahead.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        pairs = [(name, value.strip()) for name, _, value in (each.partition(":") for each in fields)]
        self.request = Seen(self._number, line, pairs)
        return self.request

    def read_body(self, most: int | None = None, *, keep: bool = True) -> None:
        """Read the body, or at most so many bytes of it."""
        wanted = self.request.length if most is None else min(most, self.request.length)
        while self.request.body_bytes < wanted:
            left = wanted - self.request.body_bytes
            if self._ahead:
                data, self._ahead = memoryview(self._ahead[:left]), self._ahead[left:]
            else:
                count = self._sock.recv_into(self._buffer, min(left, _RECEIVE_BYTES))
                if not count:
                    return
                data = memoryview(self._buffer)[:count]
            self.request.body_bytes += len(data)
            if keep:
                self.request.body += data

    def write(self, data: bytes) -> None:
        self._sock.sendall(data)

    def reset(self) -> None:
        """Close as if the cable had been pulled: the other end gets ECONNRESET."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def wait_until_hung_up(self) -> None:
        while self._sock.recv_into(self._buffer):
            pass

    def pass_on(self, there: socket.socket) -> None:
        """Carry bytes both ways until both ends have hung up."""
        back = threading.Thread(target=_pump, args=(there, self._sock), daemon=True)
        back.start()
        _pump(self._sock, there)
        back.join()

    def wait_until_closing(self) -> None:
        """Read nothing at all until the server is closed."""
        self._closing.wait()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class Unruly:
    """Each request, on whatever connection, gets the next behaviour; the last one stays."""

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self._behaviours = list(behaviours)
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.requests: list[Seen] = []
        self.failures: list[Exception] = []
        self._closing = threading.Event()
        self._serving: list[threading.Thread] = []
        self._last_peer: object = None
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """Serve every connection that was made before this call to its end, then raise what went wrong in here."""
        self._closing.set()
        with socket.socket() as last:  # in the queue: nothing before it is overlooked
            last.bind(("127.0.0.1", 0))
            self._last_peer = last.getsockname()
            last.connect(("127.0.0.1", self.port))
            self._accepting.join(10)
        for thread in (self._accepting, *self._serving):
            thread.join(10)
            assert not thread.is_alive(), "somebody still holds a connection"
        self._listener.close()
        if self.failures:
            raise self.failures[0]

    def wait_until_closed(self, number: int) -> None:
        """Until this connection, counted from 1, was served to its end."""
        self._serving[number - 1].join(10)

    def _accept(self) -> None:
        number = 0
        while True:
            sock, peer = self._listener.accept()
            if peer == self._last_peer:
                sock.close()
                return
            number += 1
            thread = threading.Thread(target=self._serve, args=(sock, number), daemon=True)
            self._serving.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
            wire = Wire(sock, number, self._closing)
            with sock:
                while (seen := wire.next_request()) is not None:
                    self.requests.append(seen)
                    if not self._next_behaviour()(wire):
                        return
        except (ConnectionError, ssl.SSLError):
            sock.close()  # the client hung up, or did not believe us, as is its right
        except Exception as error:
            self.failures.append(error)

    def _next_behaviour(self) -> Behaviour:
        return self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]


@contextmanager
def serving(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[Unruly]:
    server = Unruly(*behaviours, tls=tls)
    try:
        yield server
    finally:
        server.close()


def message(status: int = 200, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def says(raw: bytes, *, keep: bool = True) -> Behaviour:
    """Read the whole body, then write exactly this."""

    def behave(wire: Wire) -> bool:
        wire.read_body(keep=keep)
        wire.write(raw)
        return True

    return behave


def says_and_hangs_up(raw: bytes) -> Behaviour:
    """Read the whole body, write exactly this, close; with `b""` that is a close without an answer."""

    def behave(wire: Wire) -> bool:
        wire.read_body()
        wire.write(raw)
        return False

    return behave


def says_and_falls_silent(raw: bytes) -> Behaviour:
    """Read the whole body, write exactly this, then nothing; with `b""` no answer ever comes."""

    def behave(wire: Wire) -> bool:
        wire.read_body()
        wire.write(raw)
        wire.wait_until_hung_up()
        return False

    return behave


def cuts_after(body_bytes: int) -> Behaviour:
    """Read so much of the body, then reset the connection."""

    def behave(wire: Wire) -> bool:
        wire.read_body(body_bytes)
        wire.reset()
        return False

    return behave


def stops_reading(wire: Wire) -> bool:
    """Read nothing of the body."""
    wire.wait_until_closing()
    return False


def tunnels(wire: Wire) -> bool:
    """Be a proxy that connects to wherever it is told to."""
    host, _, port = wire.request.line.split()[1].rpartition(":")
    with socket.create_connection((host, int(port))) as there:
        wire.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        wire.pass_on(there)
    return False
