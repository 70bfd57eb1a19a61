"""What stands before the server: an address that stays when the server's changes, and a wire that can be cut."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PIECE_BYTES = 1 << 16
_RESET = struct.pack("ii", 1, 0)  # what is closed then is reset, not ended in order


class Front:
    """Passes bytes between clients and the server, until it is told to hold them, to spoil one or to cut the wire."""

    def __init__(self, listener: socket.socket, port: int) -> None:
        self._listener = listener
        self._port = port
        self._hold_after: int | None = None
        self._spoil_at: int | None = None
        self._sockets: list[socket.socket] = []
        self.holding = threading.Event()
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def send_to(self, port: int) -> None:
        """New connections go to this port."""
        self._port = port

    def hold_after(self, sent_bytes: int) -> None:
        """Of the next connection that sends more than so many bytes pass no more on; `holding` says when."""
        self._hold_after = sent_bytes

    def spoil_at(self, sent_bytes: int) -> None:
        """Of the next connection that sends more than so many bytes change the one after them."""
        self._spoil_at = sent_bytes

    def cut(self) -> None:
        """Reset all connections, of clients and to the server."""
        sockets, self._sockets = self._sockets, []
        for each in sockets:
            with suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def accept(self) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                client.close()
                continue
            self._sockets += [client, server]
            threading.Thread(target=self._pass_up, args=(client, server), daemon=True).start()
            threading.Thread(target=_pass_down, args=(client, server), daemon=True).start()

    def _pass_up(self, client: socket.socket, server: socket.socket) -> None:
        sent_bytes = 0
        with suppress(OSError):
            while data := client.recv(_PIECE_BYTES):
                data = self._spoiled(data, sent_bytes)
                if self._hold_after is not None and sent_bytes + len(data) > self._hold_after:
                    server.sendall(data[: self._hold_after - sent_bytes])
                    self._hold_after = None
                    self.holding.set()
                    return
                server.sendall(data)
                sent_bytes += len(data)
            server.shutdown(socket.SHUT_WR)

    def _spoiled(self, data: bytes, sent_bytes: int) -> bytes:
        if self._spoil_at is None or sent_bytes + len(data) <= self._spoil_at:
            return data
        at, self._spoil_at = self._spoil_at - sent_bytes, None
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _pass_down(client: socket.socket, server: socket.socket) -> None:
    with suppress(OSError):
        while data := server.recv(_PIECE_BYTES):
            client.sendall(data)
        client.shutdown(socket.SHUT_RDWR)


@contextmanager
def front_of(port: int) -> Iterator[Front]:
    """A front before the server on this port; every connection is cut at the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        front = Front(listener, port)
        accepting = threading.Thread(target=front.accept)
        accepting.start()
        try:
            yield front
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            front.cut()
