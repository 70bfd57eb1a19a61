"""A body past gunicorn's byte strings: what came early, what comes slowly, what is never sent."""

from __future__ import annotations

import hashlib
import http.client
import os
import random
import re
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gunicorn.http.body import Body as GunicornBody
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.unreader import IterUnreader, SocketUnreader, Unreader

from tests.servers import wait_for
from upswarm_server.connection import BUFFER_BYTES, Connection, Connections, is_possible

CONTENT = random.Random(3).randbytes(3 * BUFFER_BYTES + 77)


class Waits:
    """Waits as a plain thread does, and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, fd: int, timeout_s: float, /) -> None:
        self.count += 1
        if not select.select([fd], [], [], timeout_s)[0]:
            raise TimeoutError


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def connections(waits: Waits) -> Connections:
    return Connections(waits, timeout_s=0.2)


class Client:
    """The client's end of a connection, and the environment of a request on the other."""

    def __init__(self) -> None:
        self.end, self.served = socket.socketpair()
        self.served.setblocking(False)
        self.unreader = SocketUnreader(self.served)

    def environ(self, length_bytes: int) -> dict[str, object]:
        return {"wsgi.input": GunicornBody(LengthReader(self.unreader, length_bytes))}

    def sends(self, content: bytes) -> threading.Thread:
        thread = threading.Thread(target=self.end.sendall, args=(content,))
        thread.start()
        return thread


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client()
    yield client
    client.end.close()
    client.served.close()


def body_of(connections: Connections, client: Client, length_bytes: int) -> Connection:
    connection = connections.body_of(client.environ(length_bytes))
    assert connection is not None
    return connection


def through_pieces(connection: Connection, length_bytes: int) -> bytes:
    return b"".join(map(bytes, connection.pieces(length_bytes)))


def through_pipes(connection: Connection, length_bytes: int) -> bytes:
    return b"".join(os.read(pipe, count) for pipe, count in connection.piped(length_bytes))


WAYS = pytest.mark.parametrize("way", [through_pieces, through_pipes])


@WAYS
def test_a_body_comes_whole_however_much_of_it_was_read_ahead(connections, way):
    for ahead in (0, 1, 8192, 60_000):
        client = Client()
        client.unreader.unread(CONTENT[:ahead])
        sending = client.sends(CONTENT[ahead:])
        assert way(body_of(connections, client, len(CONTENT)), len(CONTENT)) == CONTENT
        sending.join()
        client.end.close()
        client.served.close()


@WAYS
def test_the_next_request_stays_where_gunicorn_finds_it(connections, client, way):
    client.unreader.unread(b"bodyPUT /next")
    client.end.sendall(b" HTTP/1.1")
    assert way(body_of(connections, client, 4), 4) == b"body"
    assert client.unreader.read() == b"PUT /next"
    assert client.unreader.read() == b" HTTP/1.1"


@WAYS
def test_no_byte_behind_the_body_is_taken_from_the_socket(connections, client, way):
    client.end.sendall(b"bodyPUT /next")
    assert way(body_of(connections, client, 4), 4) == b"body"
    assert client.served.recv(100) == b"PUT /next"


@WAYS
def test_a_client_that_hangs_up_ends_the_body_early(connections, client, way):
    client.end.sendall(b"half")
    client.end.close()
    assert way(body_of(connections, client, 8), 8) == b"half"


@WAYS
def test_a_silent_client_is_told_from_one_that_hangs_up(connections, client, way):
    client.end.sendall(b"half")
    with pytest.raises(TimeoutError):
        way(body_of(connections, client, 8), 8)


@WAYS
def test_a_reset_connection_is_an_error(connections, way):
    listener = socket.create_server(("127.0.0.1", 0))
    end = socket.create_connection(listener.getsockname())
    served, _ = listener.accept()
    served.setblocking(False)
    connection = Connection(connections, served.fileno(), b"")
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    end.close()
    with pytest.raises(ConnectionResetError):
        way(connection, 8)
    served.close()
    listener.close()


def test_a_rest_can_be_read_in_another_way(connections, client):
    sending = client.sends(CONTENT)
    connection = body_of(connections, client, len(CONTENT))
    first = next(connection.pieces(1000))
    assert first == CONTENT[:1000]
    rest = len(CONTENT) - 1000
    assert through_pipes(connection, rest) == CONTENT[1000:]
    sending.join()


def test_gunicorn_believes_that_the_body_was_read(connections, client):
    environ = client.environ(8)
    assert connections.body_of(environ) is not None
    assert environ["wsgi.input"].read() == b""


def test_a_fast_client_lets_others_have_their_turn(waits):
    with Path("/dev/zero").open("rb") as endless:
        body = Connection(Connections(waits, timeout_s=0.2), endless.fileno(), b"")
        for _ in body.pieces(64 << 20):
            """Only read."""
    assert waits.count == 7


@WAYS
def test_nobody_waits_for_more_than_the_body(client, way):
    """Also when a turn ends with the body."""
    sending = client.sends(bytes(16 << 20))
    body = body_of(Connections(Waits(), timeout_s=5.0), client, 16 << 20)
    began_s = time.monotonic()
    assert len(way(body, 16 << 20)) == 16 << 20
    assert time.monotonic() - began_s < 5.0
    sending.join()


def test_buffers_and_pipes_are_as_many_as_are_in_use_at_one_time(connections):
    clients = [Client() for _ in range(20)]
    bodies = [body_of(connections, client, 8) for client in clients]
    buffers, pipes = set(), set()
    for client, body in zip(clients, bodies, strict=True):
        client.end.sendall(b"halfhalf")
        for piece in body.pieces(4):
            buffers.add(id(piece.obj))
        for pipe, count in body.piped(4):
            pipes.add(pipe)
            os.read(pipe, count)
    assert (len(buffers), len(pipes)) == (1, 1)
    for client in clients:
        client.end.close()
        client.served.close()


def test_two_bodies_that_are_read_at_the_same_time_do_not_share_a_buffer(connections):
    clients = Client(), Client()
    for client, content in zip(clients, (b"aaaa", b"bbbb"), strict=True):
        client.end.sendall(content)
    pieces = [body_of(connections, client, 4).pieces(4) for client in clients]
    assert [bytes(piece) for piece in [next(each) for each in pieces]] == [b"aaaa", b"bbbb"]
    for client in clients:
        client.end.close()
        client.served.close()


def test_what_is_left_in_a_pipe_is_nobody_elses(connections, client):
    client.end.sendall(b"leftovernext")
    body = body_of(connections, client, 12)
    pipes = body.piped(8)
    pipe, _ = next(pipes)
    pipes.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.read(pipe, 1)
    assert through_pipes(body, 4) == b"next"


def test_other_inputs_are_left_to_the_plain_way(connections, client):
    chunked = GunicornBody(ChunkedReader(object(), client.unreader))
    iterated = GunicornBody(LengthReader(IterUnreader([b"x"]), 1))
    for stream in (chunked, iterated, object(), None):
        assert connections.body_of({"wsgi.input": stream}) is None


def test_tls_is_left_to_the_plain_way(connections, client):
    class Encrypted:
        do_handshake = None

    client.unreader.sock = Encrypted()
    assert connections.body_of(client.environ(1)) is None


def test_a_gunicorn_without_the_names_is_noticed_at_the_start(monkeypatch):
    assert is_possible()
    monkeypatch.delattr(Unreader, "take_buffered")
    assert not is_possible()


def test_bodies_are_read_past_a_real_gunicorn_and_the_connection_goes_on(tmp_path):
    """The server would work without; so this is the test that tells when gunicorn's inner names change."""
    command = [sys.executable, "-m", "gunicorn", "-k", "upswarm_server.worker.UploadWorker", "-b", "127.0.0.1:0"]
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with (tmp_path / "said").open("w+") as said:
        running = subprocess.Popen([*command, "tests.server.ways:application"], env=environ, stderr=said, cwd=tmp_path)
        try:
            wait_for(lambda: "Listening at" in (tmp_path / "said").read_text(), 20)
            found = re.search(r"Listening at: http://127.0.0.1:(\d+)", (tmp_path / "said").read_text())
            assert found
            connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=10)
            for way in ("/pieces", "/pipes", "/pieces"):
                connection.request("PUT", way, CONTENT)
                answer = connection.getresponse()
                assert answer.read() == hashlib.sha256(CONTENT).hexdigest().encode()
            connection.request(
                "PUT", "/pieces", iter([b"coded"]), {"Transfer-Encoding": "chunked"}, encode_chunked=True
            )
            assert connection.getresponse().read() == b"the plain way"
            connection.close()
        finally:
            running.terminate()
            running.wait(15)
