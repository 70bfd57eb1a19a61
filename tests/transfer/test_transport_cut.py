"""What the other end of a wire sees of a request that is sent in pieces and left."""

from __future__ import annotations

import ssl
from contextlib import closing

import pytest
import trustme

from tests.servers import wait_for
from tests.transfer.unruly import Behaviour, Unruly, Wire, cuts_after, message, says, serving, stops_reading
from upswarm.transfer.failures import Failure, Interrupted
from upswarm.transfer.messages import Body, Phase, Request
from upswarm.transfer.transport import Route, Timeouts
from upswarm.transfer.transport_cut import Piecemeal
from upswarm.transfer.transport_socket import SocketTransport

LONG = bytes(range(256)) * 4096
TIMEOUTS = Timeouts(connect_s=5, idle_s=0.2)
PATIENT_S = 5.0


def put(body: bytes = LONG) -> Request:
    views = [memoryview(body)[start : start + 100_000] for start in range(0, len(body), 100_000)]
    return Request(Phase.CHUNK, "PUT", "/here?x=1", {"X-Its": "own"}, Body(len(body), lambda: iter(views)))


def piecemeal(server: Unruly, request: Request | None = None) -> Piecemeal:
    return Piecemeal(request or put(), server.url, TIMEOUTS)


def sees(endings: list[str]) -> Behaviour:
    """Read what comes, and write down how it ends."""

    def behave(wire: Wire) -> bool:
        try:
            wire.read_body()
        except ConnectionResetError:
            endings.append("reset")
        except ssl.SSLEOFError:
            endings.append("end")
        else:
            endings.append("whole" if wire.request.body_bytes == wire.request.length else "end")
        return False

    return behave


@pytest.mark.parametrize("sizes", [(0,), (1,), (1000,), (100_000,), (100_001, 7, 300_000), (len(LONG) - 1,)])
def test_exactly_the_bytes_that_are_asked_for_go_out_under_the_promise_of_all(sizes: tuple[int, ...]) -> None:
    endings: list[str] = []
    with serving(sees(endings)) as server:
        sending = piecemeal(server)
        for size_bytes in sizes:
            sending.send(size_bytes)
        sending.end()
        wait_for(lambda: bool(endings))
    assert (endings, sending.sent_bytes) == (["end"], sum(sizes))
    assert (server.requests[0].length, bytes(server.requests[0].body)) == (len(LONG), LONG[: sum(sizes)])


def test_a_reset_is_one_and_comes_behind_what_was_sent() -> None:
    endings: list[str] = []
    with serving(sees(endings)) as server:
        sending = piecemeal(server)
        sending.send(500_000)
        sending.reset()
        wait_for(lambda: bool(endings))
    assert (endings, server.requests[0].body_bytes) == (["reset"], 500_000)


def test_what_goes_out_is_what_the_transport_sends() -> None:
    with serving(says(message())) as server, closing(SocketTransport(server.url, TIMEOUTS)) as transport:
        transport.send(put())
        sending = piecemeal(server)
        sending.send(len(LONG) + 1)
        answer = sending.answer(PATIENT_S)
        sending.end()
    one, other = server.requests
    assert (one.line, one.headers, one.body) == (other.line, other.headers, other.body)
    assert answer is not None
    assert (answer.status, answer.url) == (200, f"{server.url}/here?x=1")


def test_an_answer_that_comes_early_is_heard_and_ends_the_sending() -> None:
    def refuses(wire: Wire) -> bool:
        wire.write(message(404, b"", "Connection: close"))
        wire.wait_until_hung_up()
        return False

    with serving(refuses) as server:
        sending = piecemeal(server)
        sending.send(10)
        answer = sending.answer(PATIENT_S)
        sending.send(len(LONG))
        sending.end()
    assert answer is not None
    assert answer.status == 404
    assert sending.sent_bytes < len(LONG)


def test_silence_is_no_answer_and_no_failure() -> None:
    with serving(sees([])) as server:
        sending = piecemeal(server)
        sending.send(10)
        assert sending.answer(0.05) is None
        sending.end()


def test_a_server_that_reads_no_more_gets_what_the_systems_between_take() -> None:
    with serving(stops_reading) as server:
        sending = piecemeal(server, put(LONG * 20))
        sending.send(len(LONG) * 20)
        assert 0 < sending.sent_bytes < len(LONG) * 20
        sending.reset()


def test_a_connection_that_ends_without_an_answer_is_an_interruption() -> None:
    with serving(cuts_after(1000)) as server:
        sending = piecemeal(server)
        sending.send(1000)
        with pytest.raises(Interrupted) as raised:
            sending.answer(PATIENT_S)
        sending.end()
    assert raised.value.kind in {Failure.RESET, Failure.TORN}


def test_nobody_there_is_an_interruption() -> None:
    with serving(stops_reading) as server:
        url = server.url
    with pytest.raises(Interrupted) as raised:
        Piecemeal(put(), url, TIMEOUTS)
    assert raised.value.kind is Failure.REFUSED


@pytest.mark.parametrize("reset", [False, True])
def test_under_tls_a_cut_is_a_cut(reset: bool) -> None:
    endings: list[str] = []
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serving(sees(endings), tls=context) as server:
        sending = Piecemeal(put(), server.url, TIMEOUTS, Route(verify=False))
        sending.send(500_000)
        (sending.reset if reset else sending.end)()
        wait_for(lambda: bool(endings))
    assert server.requests[0].body_bytes == 500_000
