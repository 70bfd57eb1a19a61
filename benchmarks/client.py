"""The one client of all benchmarks: a blocking socket, a head, and a body that is never copied.

`sendall` and `os.sendfile` from tmpfs, in threads and in processes, were held against a sink that only receives: one
process per connection that sends views of one buffer was the fastest, for chunks of 5 MiB and of 64 KiB alike.
`line_rate` shows its ceiling in the rows `sink` and `sink-discard`.
"""

from __future__ import annotations

import json
import re
import socket
import struct
from typing import Any, NamedTuple

PATIENCE_S = 120
_END = b"\r\n\r\n"
_BODY = re.compile(rb"\n(?:content-length: *(\d+)|transfer-encoding:)", re.IGNORECASE)


class UnsuccessfulError(Exception):
    """The server did not answer, or not with success; a figure without these bytes would be none."""


class Answer(NamedTuple):
    """A response. Read as far as is needed to know where it ends; the rest when somebody asks."""

    status: int
    head: bytes
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        """The headers, their names in lower case."""
        lines = (line.partition(":") for line in self.head.decode("latin-1").split("\r\n")[1:])
        return {name.lower(): value.strip() for name, _, value in lines}

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """One keep-alive connection. Sends once, never again; raises `UnsuccessfulError` unless the answer is 2xx."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The kernel's own timeouts: Python's would cost a poll for every send.
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self._socket.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", PATIENCE_S, 0))

    @property
    def port(self) -> int:
        """The client's own port."""
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        self._socket.close()

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send a small request; headers are keywords, `content_type="text/plain"`."""
        return self.send(head(method, path, len(body), **headers), body)

    def ask_json(self, method: str, path: str, document: object) -> Answer:
        """Send a small request with a JSON body."""
        return self.ask(method, path, json.dumps(document).encode(), content_type="application/json")

    def send(self, *parts: memoryview | bytes) -> Answer:
        """Send a head and a body that stays where it is, and hear the answer."""
        self.send_only(*parts)
        answer = self.receive()
        if not 200 <= answer.status < 300:
            asked = bytes(parts[0]).partition(b" HTTP")[0].decode()
            raise UnsuccessfulError(f"{asked} was answered with {answer.status}: {answer.body[:300].decode()}")
        return answer

    def send_only(self, *parts: memoryview | bytes) -> None:
        """Send a request, or a part of one, and wait for nothing."""
        sent = self._socket.sendmsg(parts)
        for part in parts:
            if sent < len(part):
                self._socket.sendall(memoryview(part)[max(0, sent) :])
            sent -= len(part)

    def receive(self) -> Answer:
        """The next answer, whatever it says."""
        received = self._more()
        while _END not in received:
            received += self._more()
        answer_head, _, body = received.partition(_END)
        if found := _BODY.search(answer_head):
            body = self._sized(body, int(found[1])) if found[1] else self._in_pieces(body)
        return Answer(int(received[9:12]), answer_head, body)

    def _sized(self, body: bytes, length_bytes: int) -> bytes:
        while len(body) < length_bytes:
            body += self._more()
        return body

    def _in_pieces(self, body: bytes) -> bytes:
        # Chunked transfer coding; what is in such answers is of no interest here, only where they end.
        while not body.endswith(b"0\r\n\r\n"):
            body += self._more()
        return body

    def _more(self) -> bytes:
        data = self._socket.recv(1 << 16)
        if not data:
            raise UnsuccessfulError("the server closed the connection")
        return data


def head(method: str, path: str, length_bytes: int, **headers: str) -> bytes:
    """A request's head; headers are keywords, `content_type="text/plain"`."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {length_bytes}"]
    lines += [f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()
