"""Google Cloud Storage's resumable uploads as a function from request to response: enough of them for tests."""

from __future__ import annotations

import itertools
import re
from urllib.parse import parse_qs, unquote, urlsplit

from tests.protocols.chunked_server import reply
from upswarm.transfer.messages import Request, Response

BUCKET = "https://gcs.test/upload/storage/v1/b/bucket"
_PLACE = re.compile(r"bytes (?:([0-9]+)-([0-9]+)|\*)/([0-9]+)")


class GcsServer:
    """Uploads in memory. Bytes that are held already are ignored; of others it keeps a multiple of `step_bytes`."""

    def __init__(self, step_bytes: int = 1) -> None:
        self._step_bytes = step_bytes
        self._ids = itertools.count(1)
        self.names: dict[str, str] = {}
        self.held: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}

    def __call__(self, request: Request) -> Response:
        if request.method == "POST":
            return self._create(parse_qs(urlsplit(request.path).query))
        if request.method == "GET":
            name = unquote(request.path.rpartition("/")[2])
            return self._file(name) if name in self.files else reply(404)
        (upload_id,) = parse_qs(urlsplit(request.path).query)["upload_id"]
        if upload_id not in self.names:
            return reply(404)
        if request.method == "DELETE":
            del self.names[upload_id]
            return reply(499)
        match = _PLACE.fullmatch(request.headers["Content-Range"])
        assert match is not None, request.headers
        start, end, size = (int(part or 0) for part in match.groups())
        return self._take(upload_id, start, b"".join(request.body or ()), end, size)

    def _create(self, query: dict[str, list[str]]) -> Response:
        upload_id = f"u{next(self._ids)}"
        (self.names[upload_id],), self.held[upload_id] = query["name"], b""
        return reply(200, location=f"{BUCKET}/o?uploadType=resumable&upload_id={upload_id}")

    def _take(self, upload_id: str, start: int, data: bytes, end: int, size: int) -> Response:
        name, held = self.names[upload_id], self.held[upload_id]
        if name in self.files:
            return self._file(name)
        if start > len(held):
            return Response(
                503, {}, b"the upload offset is 9 byte(s), which exceeds already uploaded size of 0 byte(s)."
            )
        assert not data or len(data) == end + 1 - start
        held += data[len(held) - start :]
        if len(held) == size:
            self.files[name] = held
            return self._file(name)
        self.held[upload_id] = held = held[: len(held) // self._step_bytes * self._step_bytes]
        return reply(308, range=f"bytes=0-{len(held) - 1}") if held else reply(308)

    def _file(self, name: str) -> Response:
        return reply(200, {"kind": "storage#object", "name": name, "size": str(len(self.files[name]))})
