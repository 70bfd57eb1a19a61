"""What our own transport promises beyond what both do; that stands in `test_transports`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.transfer.unruly import cuts_after, message, says, says_and_falls_silent, serving
from upswarm.content.random import Random
from upswarm.transfer import transport_socket
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.failures import Failure, Interrupted
from upswarm.transfer.messages import Body, Phase, Request
from upswarm.transfer.transport import Timeouts
from upswarm.transfer.transport_socket import SocketTransport

MiB = 1 << 20
OK = says(message())
ZEROS = memoryview(bytes(MiB))
PROBE = Request(Phase.PROBE, "GET", "/x")


@contextmanager
def meeting(*behaviours, **timeouts):
    with serving(*behaviours) as server:
        transport = SocketTransport(server.url, Timeouts(**timeouts))
        try:
            yield server, transport
        finally:
            transport.close()


def put(size_bytes: int) -> Request:
    def views():
        for offset in range(0, size_bytes, MiB):
            yield ZEROS[: size_bytes - offset]

    return Request(Phase.CHUNK, "PUT", "/x", {}, Body(size_bytes, views))


@pytest.fixture
def sends(monkeypatch):
    """How many bytes each call of the system was given."""
    lengths = []

    class Counting(socket.socket):
        def send(self, data, *flags):
            lengths.append(len(data))
            return super().send(data, *flags)

        def sendmsg(self, buffers, *more):
            lengths.append(sum(map(len, buffers)))
            return super().sendmsg(buffers, *more)

    monkeypatch.setattr(socket, "socket", Counting)
    return lengths


@pytest.mark.parametrize("size_bytes", [0, 1, 10_000, 64 << 10])
def test_a_head_and_the_beginning_of_a_body_are_one_send(sends, size_bytes):
    with meeting(OK) as (server, transport):
        transport.send(put(size_bytes))
    assert len(server.requests[0].body) == size_bytes
    assert sends[0] > size_bytes


def test_a_view_is_given_to_the_system_whole(sends):
    with meeting(OK) as (_, transport):
        transport.send(put(4 * MiB))
    assert max(sends[1:]) == MiB


def test_small_views_between_large_ones_are_no_sends_of_their_own(sends):
    def views():
        for _ in range(4):
            yield ZEROS[:16]
            yield ZEROS[16:]

    with meeting(OK) as (server, transport):
        transport.send(Request(Phase.CHUNK, "PUT", "/x", {}, Body(4 * MiB, views)))
    assert server.requests[0].body_bytes == 4 * MiB
    assert 16 not in sends


def shared_put(size_bytes: int, tell=None) -> Request:
    file = Random(Path()).open("a.bin", size_bytes, seed=3)
    body = Body.of_chunk(file, Chunk(0, 0, size_bytes))
    return Request(Phase.CHUNK, "PUT", "/x", {}, body.told(tell) if tell else body)


def test_what_files_share_is_sent_without_a_copy(sends):
    request = shared_put(8 * MiB)
    with meeting(OK) as (server, transport):
        transport.send(request)
    assert server.requests[0].body == b"".join(request.body)
    assert sum(sends) < MiB


@pytest.mark.parametrize("make", [put, shared_put])
def test_a_slow_reader_gets_all_the_bytes(make):
    request = make(24 * MiB)

    def reads_slowly(wire):
        for part in range(1, 9):
            time.sleep(0.01)
            wire.read_body(part * 3 * MiB)
        wire.write(message())
        return True

    with meeting(reads_slowly) as (server, transport):
        transport.send(request)
    assert server.requests[0].body == b"".join(request.body)


@pytest.mark.parametrize("make", [put, shared_put])
def test_a_body_is_reported_to_the_byte(make):
    reported = []
    request = make(5 * MiB + 3)
    with meeting(OK) as (_, transport):
        transport.send(request.carrying(request.body.told(reported.append)))
    assert reported == [5 * MiB + 3]


@pytest.fixture
def stingy(monkeypatch):
    """A system that takes 1,000 bytes at a time, and resets the connection instead of the fourth time."""
    calls = []

    def taken(take, *data):
        calls.append(1)
        if len(calls) == 4:
            raise ConnectionResetError
        return take(*data)

    class Stingy(socket.socket):
        def send(self, data, *flags):
            return taken(super().send, data[:1000])

        def sendmsg(self, buffers):
            return taken(super().send, b"".join(buffers)[:1000])

    sendfile = os.sendfile
    monkeypatch.setattr(os, "sendfile", lambda out, of, at, size: taken(sendfile, out, of, at, min(size, 1000)))
    monkeypatch.setattr(socket, "socket", Stingy)


@pytest.mark.parametrize("make", [put, shared_put])
def test_of_a_body_that_was_cut_it_is_reported_to_the_byte_what_the_system_has_taken(stingy, make):
    reported = []
    request = make(5 * MiB)
    with meeting(says_and_falls_silent(b"")) as (server, transport), pytest.raises(Interrupted):
        transport.send(request.carrying(request.body.told(reported.append)))
    (seen,) = server.requests
    assert reported == [seen.body_bytes]
    assert 2000 < seen.body_bytes < 3000


def test_a_total_timeout_ends_a_body_whose_views_are_taken_without_waiting(monkeypatch):
    def takes_all(_out, _of, _at, size):
        time.sleep(0.03)
        return size

    monkeypatch.setattr(os, "sendfile", takes_all)
    reported = []
    request = shared_put(16 * MiB, reported.append)
    with meeting(says_and_falls_silent(b""), total_s=0.05) as (_, transport), pytest.raises(Interrupted) as raised:
        transport.send(request)
    assert raised.value.kind is Failure.TOTAL_TIMEOUT
    assert sum(reported) <= 3 * MiB


def test_nagle_is_off(monkeypatch):
    options = []

    class Noting(socket.socket):
        def setsockopt(self, *option):
            options.append(option)
            super().setsockopt(*option)

    monkeypatch.setattr(socket, "socket", Noting)
    with meeting(OK) as (_, transport):
        transport.send(PROBE)
    assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) in options


def test_others_have_their_turn_before_a_request_and_between_views(monkeypatch):
    sleeps = []
    monkeypatch.setattr(transport_socket, "TURN_S", 0)
    monkeypatch.setattr(time, "sleep", sleeps.append)
    with meeting(OK) as (_, transport):
        transport.send(put(4 * MiB))
    assert len(sleeps) >= 4
    assert max(sleeps) < 1e-6


def test_the_time_to_send_has_a_slow_readers_time_in_it():
    def reads_late(wire):
        time.sleep(0.2)
        wire.read_body(keep=False)
        wire.write(message())
        return True

    with meeting(reads_late) as (_, transport):
        timings = transport.send(put(64 * MiB)).timings
    assert timings.first_byte_s >= timings.send_s >= 0.15


def test_a_server_that_says_no_and_stops_reading_is_not_waited_for():
    def refuses(wire):
        wire.write(message(413, b"too large", "Connection: close"))
        wire.wait_until_closing()
        return False

    with meeting(refuses, idle_s=60) as (_, transport):
        answer = transport.send(put(64 * MiB))
    assert (answer.status, answer.body) == (413, b"too large")


def test_a_server_that_says_no_gets_no_more_than_what_is_under_way():
    views = []

    def refuses(wire):
        wire.read_body(MiB)
        wire.write(message(413, b"", "Connection: close"))
        wire.wait_until_hung_up()
        return False

    request = put(512 * MiB)
    told = Request(request.phase, "PUT", "/x", {}, request.body.told(views.append))
    with meeting(refuses) as (_, transport):
        assert transport.send(told).status == 413
    assert sum(views) < 256 * MiB


def test_a_server_that_says_no_and_pulls_the_cable_has_said_no():
    def refuses(wire):
        wire.write(message(413, b"too large"))
        time.sleep(0.05)
        wire.reset()
        return False

    with meeting(refuses, OK) as (server, transport):
        assert transport.send(put(64 * MiB)).status == 413
        assert transport.send(PROBE).status == 200
    assert [seen.connection for seen in server.requests] == [1, 2]


def test_an_early_answer_that_keeps_the_connection_does_not_stop_the_body():
    def answers_early(wire):
        wire.write(message(200))
        wire.read_body(keep=False)
        return True

    with meeting(answers_early, OK) as (server, transport):
        assert [transport.send(put(8 * MiB)).status, transport.send(PROBE).status] == [200, 200]
    assert [(seen.connection, seen.body_bytes) for seen in server.requests] == [(1, 8 * MiB), (1, 0)]


def test_an_early_answer_counts_even_if_the_rest_is_never_taken_but_its_connection_is_not_used_again():
    def answers_and_stops_reading(wire):
        wire.write(message(200))
        wire.wait_until_closing()
        return False

    with meeting(answers_and_stops_reading, OK, idle_s=0.1) as (server, transport):
        assert [transport.send(put(64 * MiB)).status, transport.send(PROBE).status] == [200, 200]
    assert [seen.connection for seen in server.requests] == [1, 2]


def test_an_interim_answer_in_the_middle_of_the_body_does_not_stop_it():
    def tells(wire):
        wire.read_body(MiB)
        wire.write(b"HTTP/1.1 104 Upload Resumption Supported\r\nUpload-Offset: 1\r\n\r\n")
        wire.read_body(keep=False)
        wire.write(message(201))
        return True

    with meeting(tells) as (server, transport):
        assert transport.send(put(16 * MiB)).status == 201
    assert server.requests[0].body_bytes == 16 * MiB


def test_bytes_that_nobody_asked_for_end_a_connection_before_the_next_request():
    with meeting(says(message() + b"HTTP/1.1 500 Late\r\n\r\n"), OK) as (server, transport):
        assert [transport.send(PROBE).status for _ in range(2)] == [200, 200]
    assert [seen.connection for seen in server.requests] == [1, 2]


def test_a_request_that_was_begun_is_not_sent_again_on_a_new_connection():
    with meeting(OK, cuts_after(0), OK) as (server, transport):
        transport.send(PROBE)
        with pytest.raises(Interrupted) as raised:
            transport.send(put(100))
    assert raised.value.kind is Failure.RESET
    assert len(server.requests) == 2


def trickles(wire):
    wire.read_body()
    for byte in message(200, b"x" * 1000):
        wire.write(bytes([byte]))
        time.sleep(0.02)
    return True


def test_a_total_timeout_ends_what_never_falls_silent():
    with meeting(trickles, OK, idle_s=5, total_s=0.2) as (_, transport):
        with pytest.raises(Interrupted) as raised:
            transport.send(PROBE)
        assert raised.value.kind is Failure.TOTAL_TIMEOUT
        assert raised.value.message == "no whole answer within 0.2 s"
        assert transport.send(PROBE).status == 200


def test_the_idle_timeout_is_not_changed_by_a_total_one_that_was_not_reached():
    silent = says_and_falls_silent(b"")
    with meeting(OK, silent, idle_s=0.1, total_s=60) as (_, transport):
        transport.send(PROBE)
        with pytest.raises(Interrupted) as raised:
            transport.send(PROBE)
    assert raised.value.kind is Failure.IDLE_TIMEOUT


def test_whatever_ends_a_request_early_ends_its_connection():
    class Stopped(BaseException):
        pass

    def views():
        yield memoryview(bytes(MiB))
        raise Stopped

    with meeting(OK) as (server, transport):
        with pytest.raises(Stopped):
            transport.send(Request(Phase.CHUNK, "PUT", "/x", {}, Body(2 * MiB, views)))
        assert transport.send(PROBE).status == 200
    assert sorted(seen.connection for seen in server.requests) == [1, 2]


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "http://:1/x", "http://127.0.0.1:x/", "http://[broken/x"])
def test_a_url_that_is_none_is_an_interruption(url):
    with meeting(OK) as (_, transport), pytest.raises(Interrupted):
        transport.send(Request(Phase.PROBE, "GET", url))


GEVENT = """
from gevent import monkey; monkey.patch_all()
import gevent, sys
from tests.transfer.test_transport_socket import PROBE, put, shared_put
from upswarm.transfer.failures import Interrupted
from upswarm.transfer.transport import Timeouts
from upswarm.transfer.transport_socket import SocketTransport

def user(path):
    transport = SocketTransport(sys.argv[1], Timeouts(idle_s=float(sys.argv[2])))
    try:
        statuses = [transport.send(make(8 << 20)).status for make in (put, shared_put)]
        return [*statuses, transport.send(PROBE).timings.reused]
    except Interrupted as error:
        return error.kind.value
    finally:
        transport.close()

users = [gevent.spawn(user, "/x") for _ in range(4)]
gevent.joinall(users)
print([each.value for each in users])
"""


@pytest.mark.parametrize(
    ("behaviour", "idle_s", "found"),
    [
        (says(message(), keep=False), "5", [[200, 200, True]] * 4),
        (says_and_falls_silent(b""), "0.2", ["idle_timeout"] * 4),
    ],
)
def test_it_is_the_same_on_sockets_that_gevent_has_patched(behaviour, idle_s, found):
    with serving(behaviour) as server:
        command = [sys.executable, "-c", GEVENT, server.url, idle_s]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert (ran.stdout, ran.stderr) == (f"{found}\n", "")
