"""Bytes on a socket, as no client library would send them, and the answers to them taken apart by hand."""

from __future__ import annotations

import json
import re
import socket
from contextlib import suppress
from typing import Any, NamedTuple

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) [^\r\n]*\r\n")
_TIMEOUT_S = 10.0


class RawAnswer(NamedTuple):
    """One answer; `headers` have lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The problem's code; an answer of gunicorn itself has none."""
        is_problem = self.headers.get("content-type") == "application/problem+json"
        return str(json.loads(self.body)["code"]) if is_problem and self.body else ""

    @property
    def document(self) -> Any:
        return json.loads(self.body)


def exchange(port: int, sent: bytes, *, head_only: bool = False) -> list[RawAnswer]:
    """Send it all, end our side, and return every answer until the server ends its own.

    Fails when the server does not do so in ten seconds. `head_only`: the first answer has a head and no body.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S) as connection:
        with suppress(OSError):  # a server need not listen to the end
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        return answers_in(received(connection), head_only=head_only)


def received(connection: socket.socket) -> bytes:
    """Everything until the server closes; a reset ends it too."""
    data = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            data += piece
    return data


def answers_in(data: bytes, *, head_only: bool = False) -> list[RawAnswer]:
    """The answers one after the other; fails on bytes that are not one."""
    answers: list[RawAnswer] = []
    while data:
        assert _STATUS.match(data), f"expected an answer, found {data[:200]!r}"
        head, _, rest = data.partition(b"\r\n\r\n")
        status = int(head.split(b" ")[1])
        lines = [line.split(":", 1) for line in head.decode("latin-1").split("\r\n")[1:]]
        headers = {name.lower(): value.strip() for name, value in lines}
        bodiless = status < 200 or status in (204, 304) or (head_only and not answers)
        length_bytes = 0 if bodiless else int(headers.get("content-length", len(rest)))
        assert len(rest) >= length_bytes, f"expected a body of {length_bytes} B, found {len(rest)} B"
        answers.append(RawAnswer(status, headers, rest[:length_bytes]))
        data = rest[length_bytes:]
    return answers
