"""A wire to a server that is cut in the middle of a body, at the very byte that a test wants."""

from __future__ import annotations

import io
import itertools
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

_PIECE_BYTES = 1 << 16
_PATIENCE_S = 0.5
_RESET = struct.pack("ii", 1, 0)  # what is closed then is reset, not ended in order


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a request that came over the wire; the names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]

    @classmethod
    def read(cls, lines: list[bytes]) -> Head:
        """A head from its lines."""
        method, path, _ = lines[0].decode("latin-1").split(" ")
        fields = (line.decode("latin-1").partition(":") for line in lines[1:])
        return cls(method, path, {name.lower(): value.strip() for name, _, value in fields})

    @property
    def body_bytes(self) -> int:
        return int(self.headers.get("content-length", 0))


class Wire:
    """Passes requests on to a server and its answers back. `cuts` says of which body how many bytes reach the server.

    Bodies are counted from 0, those without bytes not. After its last byte the server sees the connection end in
    order, so it gets all that it should. The client gets no answer, and is hung up on when the server has hung up,
    or after half a second: a probe that was faster than what came would find less, now and then.
    """

    def __init__(self, listener: socket.socket, target_url: str) -> None:
        target = urlsplit(target_url)
        self._listener = listener
        self._server = (target.hostname or "", target.port or 80)
        self._sockets: list[socket.socket] = []
        self._silenced: set[socket.socket] = set()
        self._bodies = 0
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}{target.path}"
        self.cuts: dict[int, int] = {}
        self.heads: list[Head] = []

    def accept(self) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self._sockets += [client, server]
                threading.Thread(target=self._connect, args=(client, server), daemon=True).start()

    def close(self) -> None:
        """Hang up on everybody."""
        for each in self._sockets:
            _end(each, socket.SHUT_RDWR)
            each.close()

    def _connect(self, client: socket.socket, server: socket.socket) -> None:
        answering = threading.Thread(target=self._pass_down, args=(client, server), daemon=True)
        answering.start()
        with suppress(OSError), client.makefile("rb") as stream:
            while self._passes(stream, server):
                """The next request."""
        self._silenced.add(client)
        _end(server, socket.SHUT_WR)
        answering.join(_PATIENCE_S)
        with suppress(OSError):  # a client that still sends must hear of it, so it is not enough to shut down
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        client.close()

    def _pass_down(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(_PIECE_BYTES):
                if client not in self._silenced:
                    client.sendall(data)
        if client not in self._silenced:
            _end(client, socket.SHUT_RDWR)

    def _passes(self, stream: io.BufferedReader, server: socket.socket) -> bool:
        """Pass one request on; whether another one may follow."""
        lines = list(itertools.takewhile(lambda line: line.strip(), iter(stream.readline, b"")))
        if not lines:
            return False
        head = Head.read(lines)
        self.heads.append(head)
        server.sendall(b"".join(lines) + b"\r\n")
        wanted_bytes = self._wanted_bytes(head)
        sent_bytes = 0
        while sent_bytes < wanted_bytes and (data := stream.read1(min(_PIECE_BYTES, wanted_bytes - sent_bytes))):
            server.sendall(data)
            sent_bytes += len(data)
        return sent_bytes == head.body_bytes

    def _wanted_bytes(self, head: Head) -> int:
        if head.body_bytes:
            self._bodies += 1
        return min(head.body_bytes, self.cuts.get(self._bodies - 1, head.body_bytes))


def _end(sock: socket.socket, which: int) -> None:
    with suppress(OSError):
        sock.shutdown(which)


@contextmanager
def wire_to(target_url: str) -> Iterator[Wire]:
    """A wire to the server at this URL; its own has the same path."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire = Wire(listener, target_url)
        accepting = threading.Thread(target=wire.accept)
        accepting.start()
        try:
            yield wire
        finally:
            _end(listener, socket.SHUT_RDWR)
            accepting.join()
            wire.close()
