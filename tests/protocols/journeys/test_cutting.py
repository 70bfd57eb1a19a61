"""The wire itself, before a server that counts: what is cut, is cut at the very byte."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

from tests.protocols.journeys.cutting import wire_to


class Counting(BaseHTTPRequestHandler):
    """Remembers how many bytes of each body came."""

    protocol_version = "HTTP/1.1"
    came: list[int]

    def do_POST(self) -> None:
        self.came.append(len(self.rfile.read(int(self.headers["Content-Length"] or 0))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@contextmanager
def counting() -> Iterator[tuple[str, list[int]]]:
    handler = type("Handler", (Counting,), {"came": []})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/there", handler.came
        server.shutdown()
        thread.join()


def test_what_is_not_cut_passes_whole_both_ways() -> None:
    with counting() as (url, came), wire_to(url) as wire, requests.Session() as session:
        for body in (b"x" * 300_000, b"", b"y"):
            assert session.post(wire.url, data=body, timeout=10).status_code == 204
    assert came == [300_000, 0, 1]
    assert [(head.method, head.path, head.body_bytes) for head in wire.heads] == [
        ("POST", "/there", 300_000),
        ("POST", "/there", 0),
        ("POST", "/there", 1),
    ]


@pytest.mark.parametrize("kept_bytes", [0, 1, 65_536, 299_999])
def test_a_body_is_cut_at_the_very_byte(kept_bytes: int) -> None:
    with counting() as (url, came), wire_to(url) as wire, requests.Session() as session:
        wire.cuts = {1: kept_bytes}
        assert session.post(wire.url, data=b"x" * 10, timeout=10).status_code == 204
        assert session.post(wire.url, data=b"", timeout=10).status_code == 204
        with pytest.raises(requests.ConnectionError):
            session.post(wire.url, data=b"x" * 300_000, timeout=10)
        assert session.post(wire.url, data=b"x" * 10, timeout=10).status_code == 204
    assert came == [10, 0, kept_bytes, 10]
