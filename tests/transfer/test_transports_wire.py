"""Both transports on the wire: what is asked for, what is read, and the same bytes from both."""

import gzip
import zlib
from base64 import b64encode

import pytest

from tests.transfer.sending import PROBE, MiB, put
from tests.transfer.unruly import (
    message,
    says,
    says_and_hangs_up,
    serving,
)
from upswarm import plugins
from upswarm.transfer.failures import Interrupted
from upswarm.transfer.messages import Body, Phase, Request
from upswarm.transfer.transport import Route, Timeouts

OK = says(message())


def test_a_target_is_asked_as_it_was_written(transport_to):
    with serving(OK) as server:
        for base, path in [("", ""), ("/", ""), ("/base/", ""), ("/base/", "/x"), ("/base?a=b", "")]:
            with transport_to(server.url + base) as transport:
                transport.send(Request(Phase.PROBE, "GET", path))
    assert [seen.line.split()[1] for seen in server.requests] == ["/", "/", "/base/", "/base/x", "/base?a=b"]


def test_a_request_for_another_host_goes_there_and_the_next_one_comes_back(meeting):
    with serving(OK) as other, meeting(OK) as (server, transport):
        for path in ("/x", f"{other.url}/y", "/z"):
            assert transport.send(Request(Phase.PROBE, "GET", path)).status == 200
    assert [seen.line for seen in server.requests] == ["GET /x HTTP/1.1", "GET /z HTTP/1.1"]
    assert [seen.line for seen in other.requests] == ["GET /y HTTP/1.1"]


def test_an_answer_knows_the_url_that_was_asked(meeting):
    with meeting(OK) as (server, transport):
        paths = ["/x?y=%20", f"{server.url}/z", ""]
        urls = [transport.send(Request(Phase.PROBE, "GET", path)).url for path in paths]
    assert urls == [f"{server.url}/x?y=%20", f"{server.url}/z", server.url]


def test_an_answer_without_a_length_ends_with_the_connection(meeting):
    with meeting(says_and_hangs_up(b"HTTP/1.1 200 OK\r\n\r\nabc"), OK) as (server, transport):
        assert [transport.send(PROBE).body for _ in range(2)] == [b"abc", b""]
    assert [seen.connection for seen in server.requests] == [1, 2]


def test_a_field_that_comes_twice_is_joined(meeting):
    with meeting(says(message(200, b"", "X-Range: 1", "X-Other:", "x-range:  2"))) as (_, transport):
        answer = transport.send(PROBE)
    assert (answer.headers["x-range"], answer.headers["x-other"]) == ("1, 2", "")


@pytest.mark.parametrize(
    ("coding", "packed"), [("gzip", gzip.compress(b"plain", mtime=0)), ("deflate", zlib.compress(b"plain"))]
)
def test_a_packed_answer_is_unpacked(meeting, coding, packed):
    with meeting(says(message(200, packed, f"Content-Encoding: {coding}"))) as (_, transport):
        assert transport.send(PROBE).body == b"plain"


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_can_have_no_body_has_none_whatever_its_length_says(meeting, status):
    raw = f"HTTP/1.1 {status} Nothing\r\nContent-Length: 5\r\n\r\n".encode()
    with meeting(says(raw)) as (server, transport):
        assert [transport.send(PROBE).body for _ in range(2)] == [b"", b""]
    assert [seen.connection for seen in server.requests] == [1, 1]


def test_the_answer_to_head_has_no_body(meeting):
    with meeting(says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")) as (server, transport):
        answers = [transport.send(Request(Phase.PROBE, "HEAD", "/x")) for _ in range(2)]
    assert [(answer.headers["content-length"], answer.body) for answer in answers] == [("5", b"")] * 2
    assert [seen.connection for seen in server.requests] == [1, 1]


def test_an_answer_that_asks_to_close_is_believed(meeting):
    with meeting(says(message(200, b"", "Connection: Close")), OK) as (server, transport):
        assert [transport.send(PROBE).status for _ in range(2)] == [200, 200]
    assert [seen.connection for seen in server.requests] == [1, 2]


@pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"X\r\nY": "b"}])
def test_a_header_that_would_be_two_is_not_sent(meeting, headers):
    with meeting(OK) as (server, transport), pytest.raises(Interrupted):
        transport.send(Request(Phase.PROBE, "GET", "/x", headers))
    assert server.requests == []


def test_a_proxy_of_the_environment_is_asked_if_a_setting_says_so(transport_to, monkeypatch):
    with serving(OK) as proxy, serving(OK) as server:
        monkeypatch.setenv("http_proxy", f"http://me:se%20cret@127.0.0.1:{proxy.port}")
        for no_proxy in ("elsewhere.test", "127.0.0.1"):
            monkeypatch.setenv("no_proxy", no_proxy)
            with transport_to(server.url, Route(proxies=True)) as transport:
                assert transport.send(PROBE).status == 200
    assert [seen.line for seen in proxy.requests] == [f"GET {server.url}/x HTTP/1.1"]
    assert proxy.requests[0].header("proxy-authorization") == f"Basic {b64encode(b'me:se cret').decode()}"
    assert [seen.line for seen in server.requests] == ["GET /x HTTP/1.1"]


def said(kind: str, requests: list[Request]) -> list[tuple]:
    """What came over the wire: lines and fields in their order, and bodies."""
    with serving(OK) as server:
        transport = plugins.find("transport", kind)(f"{server.url}/base", Timeouts())
        for request in requests:
            transport.send(request)
        transport.close()
    return [(seen.line, [(name, value.replace(str(server.port), "PORT")) for name, value in seen.headers], seen.body)
            for seen in server.requests]  # fmt: skip


def test_both_transports_write_the_same_bytes():
    requests = [
        PROBE,
        put(0),
        put(100),
        put(3 * MiB),
        Request(Phase.INIT, "POST", "/x"),
        Request(Phase.INIT, "POST", "", body=Body.of_bytes(b"")),
        Request(Phase.PROBE, "HEAD", "/a%2Fb%20c?x=1%202&y=/:@!$'()*,;"),
        Request(Phase.PROBE, "GET", "/space and ümlaut?ü=%20#fragment"),
        Request(Phase.ABORT, "DELETE", "/x", {"accept": "a/b", "User-Agent": "u", "X-A": "\xe6"}),
        Request(Phase.PROBE, "GET", "/x", {"HOST": "elsewhere.test", "Accept-Encoding": "gzip"}),
        Request.with_json(Phase.INIT, "POST", "/x", {"filename": "ä.bin"}),
    ]
    assert said("socket", requests) == said("requests", requests)
