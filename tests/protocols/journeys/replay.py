"""A recorded conversation against a real server: it still answers as it did when that was recorded."""

from __future__ import annotations

from pathlib import Path

from tests.wire.format import Values, load
from upswarm.transfer.auth import Sign
from upswarm.transfer.messages import Body, Phase, Request
from upswarm.transfer.transport import Timeouts
from upswarm.transfer.transport_requests import RequestsTransport


def replay(path: Path, url: str, sign: Sign) -> None:
    """Send what is recorded, signed anew; AssertionError where an answer differs."""
    transport, values = RequestsTransport(url, Timeouts()), Values()
    try:
        for exchange in load(path):
            asked = exchange.request.filled(values)
            headers = {name: value for name, value in asked.headers.items() if name != "Content-Length"}
            body = Body.of_bytes(asked.body) if asked.body else None
            answer = transport.send(sign(Request(Phase.PROBE, asked.method, asked.path, headers, body)))
            assert answer.status == exchange.response.status, f"{asked.method} {asked.path}: {answer}"
            values = exchange.response.capture(dict(answer.headers), answer.body.decode("utf-8-sig"), values)
    finally:
        transport.close()
