import socket
import time
import tracemalloc
from contextlib import closing
from dataclasses import replace

import pytest

from tests.servers import wait_for
from tests.transfer.sending import PROBE, MiB, put
from tests.transfer.unruly import (
    cuts_after,
    message,
    says,
    says_and_falls_silent,
    says_and_hangs_up,
    stops_reading,
)
from upswarm import __version__
from upswarm.content.sparse import Sparse
from upswarm.transfer.bandwidth import Limit, Pace
from upswarm.transfer.clock import SystemClock
from upswarm.transfer.failures import Failure, Interrupted
from upswarm.transfer.messages import Body, Phase, Request, Timings
from upswarm.transfer.transport import Route

OK = says(message())


def test_an_answer_comes_back_whole(meeting):
    with meeting(says(message(207, b'{"a": 1}', "X-Thing: Value"))) as (_, transport):
        response = transport.send(PROBE)
    assert (response.status, response.body, response.json()) == (207, b'{"a": 1}', {"a": 1})
    assert response.headers["x-thing"] == "Value"


def test_the_bytes_on_the_wire_are_the_files_and_their_length_is_announced(meeting):
    request = put(3 * MiB + 5)
    with meeting(OK) as (server, transport):
        transport.send(request)
    (seen,) = server.requests
    assert seen.line == "PUT /x HTTP/1.1"
    assert seen.body == b"".join(request.body)
    assert (seen.length, seen.header("transfer-encoding")) == (3 * MiB + 5, None)
    assert seen.header("content-type") == "application/octet-stream"


class Lid:
    """A body that ends in the middle, after this many bytes of as many as were promised."""

    def __init__(self, size_bytes, after_bytes):
        whole = put(size_bytes)
        self.request = replace(whole, body=Body(size_bytes, self._views))
        self.bytes = b"".join(whole.body)[:after_bytes]

    def _views(self):
        for start in range(0, len(self.bytes), MiB):
            yield memoryview(self.bytes)[start : start + MiB]
        raise Interrupted(Failure.INTERRUPTED)


@pytest.mark.parametrize("after_bytes", [0, 1, 20_000, 2 * MiB + 7, 3 * MiB])
def test_a_body_that_ends_on_purpose_ends_the_connection_after_its_last_byte(meeting, after_bytes):
    lid = Lid(3 * MiB, after_bytes)
    with meeting(says_and_falls_silent(b""), OK) as (server, transport):
        with pytest.raises(Interrupted) as raised:
            transport.send(lid.request)
        wait_for(lambda: server.requests)
        server.wait_until_closed(1)
        assert transport.send(PROBE).status == 200
    assert raised.value.kind is Failure.INTERRUPTED
    cut, probe = server.requests
    assert bytes(cut.body) == lid.bytes, "what was given went out, and nothing else"
    assert (cut.length, cut.connection, probe.connection) == (3 * MiB, 1, 2)


def test_a_connection_that_was_hung_up_is_replaced(meeting):
    with meeting(OK) as (server, transport):
        transport.send(PROBE)
        transport.close()
        transport.send(PROBE)
    assert [seen.connection for seen in server.requests] == [1, 2]


def test_json_goes_out_as_json(meeting):
    request = Request.with_json(Phase.INIT, "POST", "/v1/uploads", {"filename": "ä.bin"})
    with meeting(OK) as (server, transport):
        transport.send(request)
    assert server.requests[0].body == b"".join(request.body)
    assert server.requests[0].header("content-type") == "application/json"


@pytest.mark.parametrize("body", [None, Body.of_bytes(b"")])
def test_a_body_without_bytes_has_the_length_zero(meeting, body):
    with meeting(OK) as (server, transport):
        transport.send(Request(Phase.FINALIZE, "POST", "/x", body=body))
    assert (server.requests[0].header("content-length"), server.requests[0].header("transfer-encoding")) == ("0", None)


def test_nothing_is_added_to_a_request_but_what_http_needs(meeting):
    with meeting(OK) as (server, transport):
        transport.send(PROBE)
    assert sorted(name.lower() for name, _ in server.requests[0].headers) == [
        "accept", "accept-encoding", "host", "user-agent",
    ]  # fmt: skip
    assert server.requests[0].header("user-agent") == f"upswarm/{__version__}"
    assert server.requests[0].header("accept-encoding") == "identity"


def test_a_whole_url_is_taken_as_it_is(meeting, transport_to):
    with meeting(OK) as (server, transport), transport_to("http://127.0.0.1:1/base") as elsewhere:
        elsewhere.send(Request(Phase.PROBE, "GET", f"{server.url}/there"))
        transport.send(PROBE)
    assert [seen.line for seen in server.requests] == ["GET /there HTTP/1.1", "GET /x HTTP/1.1"]


def test_a_path_goes_out_as_the_dialect_quoted_it(meeting):
    with meeting(OK) as (server, transport):
        transport.send(Request(Phase.PROBE, "GET", "/v1/a%2Fb%20c/../d?x=1%202"))
    assert server.requests[0].line in {"GET /v1/a%2Fb%20c/../d?x=1%202 HTTP/1.1", "GET /v1/d?x=1%202 HTTP/1.1"}


def test_the_connection_is_used_again(meeting):
    with meeting(OK) as (server, transport):
        for _ in range(5):
            transport.send(put(100))
    assert [seen.connection for seen in server.requests] == [1] * 5


def test_a_connection_that_the_server_closed_in_between_is_made_anew(meeting):
    with meeting(says_and_hangs_up(message(200, b"", "Connection: close")), OK) as (server, transport):
        assert [transport.send(PROBE).status for _ in range(2)] == [200, 200]
    assert [seen.connection for seen in server.requests] == [1, 2]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_answer_is_an_answer_and_not_retried_here(meeting, status):
    with meeting(says(message(status, b"", "Retry-After: 0"))) as (server, transport):
        assert transport.send(PROBE).status == status
    assert len(server.requests) == 1


@pytest.mark.parametrize("location", ["/y", "http://127.0.0.1:1/y", "http://[broken", "", "\xff"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_not_followed(meeting, status, location):
    with meeting(says(message(status, b"", f"Location: {location}"))) as (server, transport):
        assert transport.send(put(100)).status == status
    assert len(server.requests) == 1


def test_a_login_that_is_asked_for_is_not_given(meeting):
    with meeting(says(message(401, b"", "WWW-Authenticate: Basic"))) as (server, transport):
        assert transport.send(PROBE).status == 401
    assert len(server.requests) == 1


def test_continue_is_not_the_answer(meeting):
    with meeting(says(b"HTTP/1.1 100 Continue\r\n\r\n" + message(204))) as (_, transport):
        assert transport.send(put(100)).status == 204


@pytest.mark.parametrize("status", [102, 103, 104])
def test_no_other_interim_answer_is_the_answer_either(meeting, status):
    interim = f"HTTP/1.1 {status} Wait\r\nUpload-Offset: 5\r\n\r\n".encode()
    with meeting(says(interim + interim + message(201, b"first")), says(message(202, b"second"))) as (_, transport):
        assert [transport.send(put(100)).body, transport.send(put(100)).body] == [b"first", b"second"]


def test_a_chunked_answer_is_read_to_its_end(meeting):
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    with meeting(says(chunked)) as (server, transport):
        assert [transport.send(PROBE).body for _ in range(2)] == [b"abcde"] * 2
    assert [seen.connection for seen in server.requests] == [1, 1]


def test_an_answer_before_the_body_was_read_is_the_answer(meeting):
    def refuses_early(wire):
        wire.write(message(413, b"too large", "Connection: close"))
        wire.read_body()
        return False

    with meeting(refuses_early) as (server, transport):
        assert transport.send(put(8 * MiB)).status == 413
    assert len(server.requests) == 1


RESETS = {
    "in the middle of the body": cuts_after(2 * MiB),
    "before the body": cuts_after(0),
    "after the body": cuts_after(4 * MiB),
}


@pytest.mark.parametrize("reset", RESETS.values(), ids=RESETS)
def test_a_reset_is_a_reset_and_one_request_on_the_wire(meeting, reset):
    with meeting(reset) as (server, transport), pytest.raises(Interrupted) as raised:
        transport.send(put(4 * MiB))
    # urllib3 overlooks that it can't send the rest, and then finds that the connection has ended.
    assert raised.value.kind in ({Failure.RESET} if "Socket" in str(transport) else {Failure.RESET, Failure.TORN})
    assert len(server.requests) == 1


HALF = message(200, b"0123456789")[:-5]
TEARS = {
    "before the answer": says_and_hangs_up(b""),
    "in the status line": says_and_hangs_up(b"HTTP/1.1 20"),
    "in the answer's head": says_and_hangs_up(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "in the answer's body": says_and_hangs_up(HALF),
    "in a chunked answer": says_and_hangs_up(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"),
}


@pytest.mark.parametrize("tear", TEARS.values(), ids=TEARS)
def test_a_torn_answer_is_torn_and_one_request_on_the_wire(meeting, tear):
    with meeting(tear) as (server, transport), pytest.raises(Interrupted) as raised:
        transport.send(put(4 * MiB))
    assert raised.value.kind is Failure.TORN
    assert len(server.requests) == 1


GARBAGE = {
    "no http": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "no number": b"HTTP/1.1 abc OK\r\n\r\n",
    "a chunk of no size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a length of no number": b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n",
    "a gzip that is none": message(200, b"not gzip", "Content-Encoding: gzip"),
}


def kind_of_failure(transport):
    """Without an `ExceptionInfo`, which would keep what urllib3 forgets to close."""
    try:
        transport.send(PROBE)
    except Interrupted as error:
        return error.kind
    return None


@pytest.mark.parametrize("raw", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_garbled_and_no_other_error(meeting, raw):
    with meeting(says_and_hangs_up(raw)) as (server, transport):
        assert kind_of_failure(transport) is Failure.GARBLED
    assert len(server.requests) == 1


def test_after_a_cut_the_next_request_has_a_connection_of_its_own(meeting):
    with meeting(cuts_after(0), OK) as (server, transport):
        with pytest.raises(Interrupted):
            transport.send(put(100))
        assert transport.send(put(100)).status == 200
    assert [seen.connection for seen in server.requests] == [1, 2]


SILENCES = {
    "instead of an answer": says_and_falls_silent(b""),
    "in the answer's head": says_and_falls_silent(b"HTTP/1.1 200"),
    "in the answer's body": says_and_falls_silent(HALF),
}


@pytest.mark.parametrize("silence", SILENCES.values(), ids=SILENCES)
def test_silence_is_a_timeout_and_one_request_on_the_wire(meeting, silence):
    with meeting(silence, idle_s=0.1) as (server, transport), pytest.raises(Interrupted) as raised:
        transport.send(put(100))
    assert raised.value.kind is Failure.IDLE_TIMEOUT
    assert len(server.requests) == 1


def test_a_server_that_stops_reading_is_a_timeout(meeting):
    with meeting(stops_reading, idle_s=0.1, connect_s=0.1) as (_, transport), pytest.raises(Interrupted) as raised:
        transport.send(put(64 * MiB))
    assert raised.value.kind is Failure.IDLE_TIMEOUT


@pytest.mark.parametrize("earlier_requests", [0, 1])
def test_a_stall_while_sending_is_measured_by_the_idle_timeout_and_not_by_that_of_connecting(meeting, earlier_requests):
    behaviours = [OK] * earlier_requests + [stops_reading]
    with meeting(*behaviours, connect_s=30, idle_s=0.1) as (_, transport):
        for _ in range(earlier_requests):
            transport.send(PROBE)
        began_s = time.perf_counter()
        with pytest.raises(Interrupted) as raised:
            transport.send(put(64 * MiB))
    assert raised.value.kind is Failure.IDLE_TIMEOUT
    assert time.perf_counter() - began_s < 15


def test_a_port_where_nobody_listens_refuses(transport_to):
    with socket.socket() as taken:  # bound, and not listening: nobody else can be given the port meanwhile
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with transport_to(url) as transport, pytest.raises(Interrupted) as raised:
            transport.send(PROBE)
    assert (raised.value.kind, raised.value.message) == (Failure.REFUSED, "Connection refused")


def test_a_host_that_does_not_exist_is_unreachable(transport_to):
    with transport_to("http://no-such-host.invalid") as transport, pytest.raises(Interrupted) as raised:
        transport.send(PROBE)
    assert raised.value.kind is Failure.UNREACHABLE


def test_a_connection_that_nobody_accepts_is_a_timeout(transport_to):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with (
            socket.create_connection(deaf.getsockname()),  # fills the queue
            transport_to(url, connect_s=0.1) as transport,
            pytest.raises(Interrupted) as raised,
        ):
            transport.send(PROBE)
    assert raised.value.kind is Failure.CONNECT_TIMEOUT


def test_proxies_and_logins_of_the_machine_are_ignored(meeting, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with meeting(OK) as (server, transport):
        assert transport.send(PROBE).status == 200
    assert server.requests[0].header("authorization") is None


def test_a_message_says_what_the_system_said_and_holds_no_address_of_an_object(meeting):
    with meeting(cuts_after(100)) as (_, transport), pytest.raises(Interrupted) as raised:
        transport.send(put(100))
    assert raised.value.message == "Connection reset by peer"


def test_memory_does_not_grow_with_the_chunk(meeting, tmp_path):
    sink = says(message(204), keep=False)
    with meeting(sink) as (server, transport), closing(Sparse(tmp_path).open("a.bin", 512 * MiB, seed=1)) as file:
        transport.send(put(2 * MiB, file))
        tracemalloc.start()
        try:
            assert transport.send(put(512 * MiB, file)).status == 204
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert server.requests[-1].body_bytes == 512 * MiB
    assert peak_bytes < MiB


def test_closing_hangs_up_at_once_even_if_an_exception_still_knows_the_connection(meeting):
    with meeting(cuts_after(0), OK) as (server, transport):
        with pytest.raises(Interrupted) as remembered:
            transport.send(put(100))
        transport.send(put(100))
    assert remembered.value.kind in {Failure.RESET, Failure.TORN}
    assert len(server.requests) == 2


def test_a_tls_handshake_is_part_of_connecting(transport_to):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts, nobody answers
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        with transport_to(url, connect_s=0.1, idle_s=60) as transport, pytest.raises(Interrupted) as raised:
            transport.send(PROBE)
    assert raised.value.kind is Failure.CONNECT_TIMEOUT


def test_a_connection_is_timed_once_and_then_reused(meeting):
    with meeting(OK) as (_, transport):
        first, second = (transport.send(put(100)).timings for _ in range(2))
    assert (first.reused, second.reused) == (False, True)
    assert first.connect_s > 0 == second.connect_s
    assert min(first.send_s, second.send_s) > 0


def test_the_time_to_the_first_byte_has_the_servers_time_in_it_and_the_time_to_send_has_not(meeting):
    def thinks(wire):
        wire.read_body()
        time.sleep(0.2)
        wire.write(message())
        return True

    with meeting(thinks) as (_, transport):
        timings = transport.send(put(100)).timings
    assert timings.first_byte_s >= 0.2 > timings.send_s


def timings_of_failure(transport, request=PROBE):
    with pytest.raises(Interrupted) as raised:
        transport.send(request)
    return raised.value.timings


def test_of_a_connection_that_never_stood_no_time_is_known(transport_to):
    with transport_to("http://127.0.0.1:1") as transport:
        assert timings_of_failure(transport) == Timings()


def test_of_an_answer_that_never_came_the_time_to_send_is_known(meeting):
    with meeting(says_and_hangs_up(b"")) as (_, transport):
        timings = timings_of_failure(transport, put(100))
    assert timings.connect_s > 0 < timings.send_s
    assert timings.first_byte_s is None


def test_of_a_torn_answer_the_time_to_its_first_byte_is_known(meeting):
    with meeting(says_and_hangs_up(HALF)) as (_, transport):
        assert timings_of_failure(transport, put(100)).first_byte_s > 0


def test_a_body_that_was_not_taken_has_no_time_to_send(meeting):
    with meeting(stops_reading, idle_s=0.1) as (_, transport):
        timings = timings_of_failure(transport, put(64 * MiB))
    assert timings.connect_s > 0
    assert timings.send_s is timings.first_byte_s is None


def test_bytes_are_the_same_however_they_are_paced(meeting):
    request = put(300_000)
    paced = request.carrying(Pace([Limit(3e6)], SystemClock()).paced(request.body))
    with meeting(OK) as (server, transport):
        transport.send(paced)
    assert server.requests[0].body == b"".join(request.body)


def test_a_paced_body_flows(meeting):
    """Also where the pieces are so small that they would be joined with their neighbours."""
    came_s = []

    def looks(wire):
        for part in range(1, 5):
            wire.read_body(part * 2500)
            came_s.append(time.monotonic())
        wire.write(message())
        return True

    request = put(10_000)
    with meeting(looks) as (_, transport):
        transport.send(request.carrying(Pace([Limit(20_000)], SystemClock()).paced(request.body)))
    assert came_s[-1] - came_s[0] > 0.2


def test_a_proxy_that_is_not_there_is_said_to_be_a_proxy(transport_to, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    refused = pytest.raises(Interrupted, match=r"through the proxy.*: Connection refused")
    with transport_to("http://elsewhere.test", Route(proxies=True)) as transport, refused as raised:
        transport.send(PROBE)
    assert raised.value.kind is Failure.REFUSED
