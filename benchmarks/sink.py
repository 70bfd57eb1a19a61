"""A server that takes every body and keeps nothing: what the client alone can do. One process per connection.

`receive` copies the bytes into one buffer, as every server must that looks at them; `discard` lets the kernel drop them
(`MSG_TRUNC`), so that nearly nothing but the client's own work is left. `tls` receives what OpenSSL has decrypted.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Sequence

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


def main(argv: Sequence[str]) -> None:
    """`python -m benchmarks.sink receive|discard|tls [ADDRESS [PEM]]`: serve until SIGTERM. PEM: key, certificate."""
    kind, address, pem = (*argv, *("receive", "127.0.0.1", "")[len(argv) :])
    flags = socket.MSG_TRUNC if kind == "discard" else 0
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    if kind == "tls":
        context.load_cert_chain(pem)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel collects whoever has ended
    with socket.create_server((address, 0), backlog=128) as listener:
        print(f"sink listening on http://{address}:{listener.getsockname()[1]}", flush=True)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                serve(context.wrap_socket(connection, server_side=True) if kind == "tls" else connection, flags)
                os._exit(0)
            connection.close()


def serve(connection: socket.socket, flags: int, note: Callable[[int], object] = abs) -> None:
    """Answer every request on a connection with 204; `note` is told how many bytes of a body have come each time."""
    buffer = bytearray(1 << 20)
    while request_head := _head(connection):
        taken, _, body = request_head.partition(b"\r\n\r\n")
        found = _LENGTH.search(taken)
        left_bytes = int(found[1] if found else 0) - len(body)
        note(len(body))
        while left_bytes > 0:
            received_bytes = connection.recv_into(buffer, min(left_bytes, len(buffer)), flags)
            if not received_bytes:
                return
            left_bytes -= received_bytes
            note(received_bytes)
        connection.sendall(_ANSWER)


def _head(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(4096)
        if not more:
            return b""
        received += more
    return received


if __name__ == "__main__":
    main(sys.argv[1:])
