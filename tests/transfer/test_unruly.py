"""The server of these tests overlooks nothing, or a test that counts what came would count too little."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from tests.transfer.unruly import Unruly, message, says

CONNECTIONS = 30


def test_every_connection_that_was_made_before_the_end_is_served() -> None:
    server = Unruly(says(message()))
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
            sock.shutdown(socket.SHUT_WR)
        server.close()
    assert len(server.requests) == CONNECTIONS
