"""A server of the IETF draft as a function from request to response; numbers are the sections of draft 12."""

from __future__ import annotations

import itertools

from tests.protocols.chunked_server import reply
from upswarm import digests
from upswarm.transfer.messages import Request, Response

_TYPES = "https://iana.org/assignments/http-problem-types#"


class RufhServer:
    """Uploads in memory. `held` and `complete` are public: a test may let something arrive unseen."""

    def __init__(self, limit: str = "", version: int = 8) -> None:
        self._version = version
        self._ids = itertools.count(1)
        self._limit = {"upload_limit": limit} if limit else {}
        self.sizes: dict[str, int] = {}
        self.held: dict[str, bytes] = {}
        self.complete: set[str] = set()

    def __call__(self, request: Request) -> Response:
        assert request.headers["Upload-Draft-Interop-Version"] == str(self._version)
        if (request.method, request.path) == ("POST", ""):
            return self._create(request)
        if request.path not in self.sizes:
            return reply(404)
        if request.method == "HEAD":
            return self._state(request.path)
        if request.method == "PATCH":
            return self._append(request)
        assert request.method == "DELETE", request
        del self.sizes[request.path]
        return reply(204)

    def _create(self, request: Request) -> Response:
        """4.2: a creation that is not complete is answered with 201 and the URL."""
        assert request.headers["Upload-Complete"] == "?0"
        assert request.body is None
        url = f"/uploads/u{next(self._ids)}"
        self.sizes[url] = int(request.headers["Upload-Length"])
        self.held[url] = b""
        return reply(201, location=url, **self._limit)

    def _state(self, url: str) -> Response:
        """4.3: offset, completeness and length."""
        told = {"upload_offset": str(len(self.held[url])), "upload_length": str(self.sizes[url])}
        return reply(204, upload_complete="?1" if url in self.complete else "?0", **told)

    def _append(self, request: Request) -> Response:
        """4.4: bytes from the offset on; complete is what the client says is, once all of it has come."""
        assert request.headers["Content-Type"] == "application/partial-upload"
        url, offset, last = (
            request.path,
            int(request.headers["Upload-Offset"]),
            request.headers["Upload-Complete"] == "?1",
        )
        held, data = self.held[url], b"".join(request.body or ())
        end, size = offset + len(data), self.sizes[url]
        if url in self.complete:
            return _problem(400, "inconsistent-upload-length" if data else "completed-upload")
        if offset != len(held):
            return reply(409, {"type": f"{_TYPES}mismatching-upload-offset"}, upload_offset=str(len(held)))
        if end > size or (last and end != size):
            return _problem(400, "inconsistent-upload-length")
        if _damaged(request, data):
            return _problem(400, "digest-mismatching-values")
        self.held[url] = held + data
        self.complete |= {url} if last else set()
        offset = {"upload_offset": str(end)} if self._version < 7 else {}
        return reply(200 if last else 204, upload_complete="?1" if last else "?0", **offset)


def _problem(status: int, name: str) -> Response:
    return reply(status, {"type": f"{_TYPES}{name}", "status": status})


def _damaged(request: Request, data: bytes) -> bool:
    header = request.headers.get("Content-Digest")
    promised = digests.parse_header(header) if header else {}
    return any(digests.digest_of(algorithm, [data]) != value for algorithm, value in promised.items())
