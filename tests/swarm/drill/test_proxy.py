"""The network that can be broken: a pipe at first, cut or slow when it is told so, and a pipe again afterwards."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from upswarm.swarm.drill.network import Network
from upswarm.workload.drill import Slowness

PATIENCE_S = 20


class Echo:
    """A server that sends back what it hears, and the end of it."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        threads = []
        while True:
            connection, _ = self._listener.accept()
            if not connection.recv(1, socket.MSG_PEEK):
                break
            threads.append(threading.Thread(target=self._echo, args=[connection]))
            threads[-1].start()
        connection.close()
        for thread in threads:
            thread.join()

    def _echo(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(1 << 16):
                    connection.sendall(data)
            except OSError:
                """The network was cut."""

    def close(self) -> None:
        address = self._listener.getsockname()
        socket.create_connection(address).close()
        self._thread.join()
        self._listener.close()


@pytest.fixture
def network() -> Iterator[Network]:
    with closing(Echo()) as echo:
        network = Network(echo.url)
        try:
            yield network
        finally:
            network.stop()


@contextmanager
def connected(network: Network) -> Iterator[socket.socket]:
    host, _, port = network.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), PATIENCE_S) as connection:
        yield connection


def exchanged(connection: socket.socket, data: bytes) -> bytes:
    """Send all of it and the end, and hear all that comes back."""

    def send() -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    heard = b""
    while piece := connection.recv(1 << 20):
        heard += piece
    sender.join()
    return heard


def test_everything_comes_through_in_order_and_so_does_the_end(network: Network) -> None:
    data = hashlib.shake_256(b"everything").digest(3 << 20)
    with connected(network) as connection:
        assert exchanged(connection, data) == data


def test_a_cut_breaks_connections_and_refuses_new_ones_until_it_is_mended(network: Network) -> None:
    for _ in range(2):
        with connected(network) as connection:
            connection.sendall(b"?")
            assert connection.recv(1) == b"?"
            network.cut()
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
        with pytest.raises(ConnectionRefusedError), connected(network):
            """Nobody is there."""
        network.mend()
        with connected(network) as connection:
            assert exchanged(connection, b"again") == b"again"


def test_in_a_slow_network_bytes_come_late_in_order_and_not_too_many(network: Network) -> None:
    data = hashlib.shake_256(b"slow").digest(200 << 10)
    with connected(network) as connection:
        network.slow(Slowness(delay_s=0.1, jitter_s=0.05, bandwidth_bytes_per_s=400 << 10))
        began_s = time.monotonic()
        assert exchanged(connection, data) == data
        assert time.monotonic() - began_s > 0.1 + 200 / 400


def test_what_is_late_comes_before_what_is_sent_after_the_mending(network: Network) -> None:
    with connected(network) as connection:
        network.slow(Slowness(delay_s=0.3))
        connection.sendall(b"late")
        time.sleep(0.05)
        network.mend()
        assert exchanged(connection, b"after") == b"lateafter"


def test_a_server_that_is_away_breaks_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    network = Network(url)
    try:
        with pytest.raises(ConnectionResetError), connected(network) as connection:
            connection.recv(1)
    finally:
        network.stop()
