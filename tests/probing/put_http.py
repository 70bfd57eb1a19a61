"""A server that files are put to whole, and what it refuses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from upswarm.transfer.messages import Request


def signed(request: Request) -> Request:
    """As someone that the server knows."""
    return replace(request, headers={**request.headers, "X-Key": "known"})


@dataclass(frozen=True, slots=True)
class PutManners:
    """What is refused, `content-range`, `strangers` or `nothing`; with `patient` only when the body is whole."""

    refuses: str
    patient: bool = False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files: dict[str, bytes]
    manners: PutManners

    def do_PUT(self) -> None:
        refusal = self._refusal()
        if refusal and not self.manners.patient:
            self.close_connection = True
            return self._tell(refusal)
        length = int(self.headers["Content-Length"])
        data = self.rfile.read(length)
        if len(data) == length and not refusal:
            self.files[self.path] = data
        self.close_connection = len(data) < length
        return self._tell(refusal or 201)

    def do_GET(self) -> None:
        self._tell(200 if self.path in self.files else 404, self.files.get(self.path, b""))

    def do_DELETE(self) -> None:
        self.files.pop(self.path, None)
        self._tell(204)

    def _refusal(self) -> int:
        if self.manners.refuses == "strangers" and self.headers["X-Key"] != "known":
            return 401
        return 501 if self.manners.refuses == "content-range" and self.headers["Content-Range"] else 0

    def _tell(self, status: int, body: bytes = b"") -> None:
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        """A client that is gone is no error."""
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@contextmanager
def put_http(manners: PutManners) -> Iterator[tuple[str, dict[str, bytes]]]:
    """The folder that files are put into, and what lies there."""
    handler = type("BoundHandler", (_Handler,), {"files": {}, "manners": manners})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/folder", handler.files
        finally:
            server.shutdown()
            serving.join()
