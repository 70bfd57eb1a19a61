"""A tus server on a real socket with the manners that a test wants, good and bad."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.protocols.tus_server import TusServer
from upswarm.protocols.tus import Tus
from upswarm.transfer.messages import Body, Phase, Request, Response

_PIECE_BYTES = 1 << 14


class UnreadableTus(Tus):
    """tus as it is specified: what many of its servers do besides is none of its affair."""

    download = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Manners:
    """What happens to the bytes of a cut chunk, and how bodies and questions are taken.

    `after_cut` is `keep`, `keep_ended` (what was reset is lost), `drop`, `drop_all` (the upload is empty again),
    `forget` (it is unknown), `late` (kept, but the first answer does not know of it) or `claim` (more is held than
    came). With `patient` every body is read to its end before it is refused; with a `token` whoever does not know it
    is refused.
    """

    after_cut: str = "keep"
    patient: bool = False
    damages: bool = False
    locks: bool = False
    takes_none: bool = False
    token: str = ""


WELL_MANNERED = Manners()


class Uploads(TusServer):
    """The server's memory, and the checksums that chunks had."""

    def __init__(self) -> None:
        super().__init__()
        self.checksums: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    uploads: Uploads
    manners: Manners
    busy: set[str]
    stale: dict[str, int]

    def do_POST(self) -> None:
        self._tell(Response(403) if self.manners.takes_none else self.uploads(self._request(b"")))

    def do_HEAD(self) -> None:
        if self.path in self.busy:
            return self._tell(Response(423))
        if self.path in self.stale:
            return self._tell(Response(200, {"upload-offset": str(self.stale.pop(self.path))}))
        return self._tell(self.uploads(self._request(b"")))

    def do_DELETE(self) -> None:
        self._tell(self.uploads(self._request(b"")))

    def do_GET(self) -> None:
        data = self.uploads.held.get(self.path)
        if data is None:
            return self._tell(Response(404))
        return self._tell(Response(200, body=data[:-1] + b"?" if self.manners.damages else data))

    def do_PATCH(self) -> None:
        known = self.path in self.uploads.sizes
        if not known and not self.manners.patient:
            self.close_connection = True
            return self._tell(Response(404))
        if self.manners.locks:
            self.busy.add(self.path)
        self.uploads.checksums.append(self.headers.get("Upload-Checksum", ""))
        before = self.uploads.held.get(self.path, b"")
        data = self._body(live=known and self.manners.after_cut == "keep")
        if len(data) == int(self.headers["Content-Length"]):
            self.uploads.held[self.path] = before
            self.busy.discard(self.path)
            return self._tell(self.uploads(self._request(data)))
        self.close_connection = True
        return self._cut(before, data)

    def _cut(self, before: bytes, came: bytes) -> None:
        match self.manners.after_cut:
            case "keep_ended":
                self.uploads.held[self.path] = before + came
            case "drop_all":
                self.uploads.held[self.path] = b""
            case "forget":
                self.uploads.sizes.pop(self.path, None)
            case "late":
                self.uploads.held[self.path] = before + came
                self.stale[self.path] = len(before)
            case "claim":
                self.uploads.held[self.path] = before + came + b"?" * 1000

    def _body(self, *, live: bool) -> bytes:
        """What comes of it; `live` adds it to the upload at once."""
        left, data = int(self.headers["Content-Length"]), b""
        try:
            while left and (piece := self.rfile.read1(min(left, _PIECE_BYTES))):
                left, data = left - len(piece), data + piece
                if live:
                    self.uploads.held[self.path] += piece
        except ConnectionError:
            return b"" if self.manners.after_cut == "keep_ended" else data
        return data

    def _request(self, data: bytes) -> Request:
        headers = {name.title(): value for name, value in self.headers.items()}
        path = "" if self.path == "/files" else self.path
        return Request(Phase.CHUNK, self.command, path, headers, Body.of_bytes(data) if data else None)

    def _tell(self, answer: Response) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def parse_request(self) -> bool:
        """Refuse who has not the token."""
        if not super().parse_request():
            return False
        if self.manners.token and self.headers.get("Authorization") != f"Bearer {self.manners.token}":
            self.close_connection = True
            self._tell(Response(401))
            return False
        return True

    def handle(self) -> None:
        """A client that is gone is no error."""
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@contextmanager
def tus_http(manners: Manners = WELL_MANNERED) -> Iterator[tuple[str, Uploads]]:
    """Where uploads are created, and the server's memory."""
    uploads = Uploads()
    handler = type("BoundHandler", (_Handler,), {"uploads": uploads, "manners": manners, "busy": set(), "stale": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/files", uploads
        finally:
            server.shutdown()
            serving.join()
