"""A tus 1.0.0 server as a function from request to response, strict about what a client must send."""

from __future__ import annotations

import itertools
from base64 import b64decode

from tests.protocols.chunked_server import reply
from upswarm import digests
from upswarm.transfer.messages import Request, Response

_ALGORITHMS = {"sha256": "sha-256", "crc32c": "crc32c"}


class TusServer:
    """Uploads in memory. `held` is public: a test may lose bytes or let some arrive unseen."""

    def __init__(self, extensions: str = "creation,termination,checksum,concatenation") -> None:
        self._ids = itertools.count(1)
        self._extensions = extensions
        self.parts: set[str] = set()
        self.sizes: dict[str, int] = {}
        self.held: dict[str, bytes] = {}
        self.metadata: dict[str, dict[str, str]] = {}

    def __call__(self, request: Request) -> Response:
        if (request.method, request.path) == ("OPTIONS", ""):
            return reply(204, tus_extension=self._extensions)
        assert request.headers["Tus-Resumable"] == "1.0.0"
        if (request.method, request.path) == ("POST", ""):
            return self._create(request)
        if request.path not in self.sizes:
            return reply(404)
        if request.method == "HEAD":
            return self._offset(200, request.path)
        if request.method == "PATCH":
            return self._append(request)
        assert request.method == "DELETE", request
        del self.sizes[request.path]
        return reply(204)

    def _create(self, request: Request) -> Response:
        url = f"/files/u{next(self._ids)}"
        concat = request.headers.get("Upload-Concat", "")
        if concat == "partial":
            self.parts.add(url)
        else:
            pairs = (member.split(" ") for member in request.headers["Upload-Metadata"].split(","))
            self.metadata[url] = {key: b64decode(value, validate=True).decode() for key, value in pairs}
        if concat.startswith("final;"):
            return self._join(url, request)
        self.sizes[url] = int(request.headers["Upload-Length"])
        self.held[url] = b""
        return reply(201, location=url)

    def _join(self, url: str, request: Request) -> Response:
        assert "Upload-Length" not in request.headers
        parts = request.headers["Upload-Concat"].removeprefix("final;").split(" ")
        if not all(part in self.parts and len(self.held[part]) == self.sizes[part] for part in parts):
            return reply(409)
        self.held[url] = b"".join(self.held[part] for part in parts)
        self.sizes[url] = len(self.held[url])
        return reply(201, location=url)

    def _append(self, request: Request) -> Response:
        assert request.headers["Content-Type"] == "application/offset+octet-stream"
        held, data = self.held[request.path], b"".join(request.body or ())
        if int(request.headers["Upload-Offset"]) != len(held):
            return reply(409)
        if len(held) + len(data) > self.sizes[request.path]:
            return reply(413)
        algorithm, _, value = request.headers.get("Upload-Checksum", "").partition(" ")
        if algorithm and digests.digest_of(_ALGORITHMS[algorithm], [data]) != b64decode(value, validate=True):
            return reply(460)
        self.held[request.path] = held + data
        return self._offset(204, request.path)

    def _offset(self, status: int, url: str) -> Response:
        return reply(status, upload_offset=str(len(self.held[url])))
