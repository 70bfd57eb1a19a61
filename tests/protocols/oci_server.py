"""A registry's blob uploads as a function from request to response: enough of them for tests."""

from __future__ import annotations

import hashlib
import itertools

from tests.protocols.chunked_server import reply
from upswarm.transfer.messages import Request, Response


class OciServer:
    """Uploads in memory, strictly in order. The URL in every answer is new; those before go on working."""

    def __init__(self, least_bytes: int = 0) -> None:
        self._least_bytes = least_bytes
        self._ids = itertools.count(1)
        self._states = itertools.count(1)
        self.held: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}

    def __call__(self, request: Request) -> Response:
        path, _, query = request.path.partition("?")
        upload_id = path.rpartition("/")[2]
        if request.method == "HEAD":
            blob = self.blobs.get(upload_id)
            return reply(404) if blob is None else reply(200, content_length=str(len(blob)))
        if request.method == "POST":
            return self._create()
        if upload_id not in self.held:
            return refusal(404, "BLOB_UPLOAD_UNKNOWN")
        steps = {
            "GET": lambda: self._stands(204, upload_id),
            "PATCH": lambda: self._append(upload_id, request),
            "PUT": lambda: self._finish(upload_id, query.rpartition("digest=")[2]),
            "DELETE": lambda: self._forget(upload_id),
        }
        return steps[request.method]()

    def _forget(self, upload_id: str) -> Response:
        del self.held[upload_id]
        return reply(204)

    def _create(self) -> Response:
        upload_id = f"u{next(self._ids)}"
        self.held[upload_id] = b""
        answer = self._stands(202, upload_id)
        return Response(202, {**answer.headers, "oci-chunk-min-length": str(self._least_bytes)})

    def _append(self, upload_id: str, request: Request) -> Response:
        first, _, last = request.headers["Content-Range"].partition("-")
        data = b"".join(request.body or ())
        if int(first) != len(self.held[upload_id]):
            return reply(416)
        if len(data) != int(last) + 1 - int(first):
            return refusal(400, "SIZE_INVALID")
        self.held[upload_id] += data
        return self._stands(202, upload_id)

    def _finish(self, upload_id: str, digest: str) -> Response:
        blob = self.held.pop(upload_id)
        if digest != f"sha256:{hashlib.sha256(blob).hexdigest()}":
            return refusal(400, "DIGEST_INVALID")
        self.blobs[digest] = blob
        return reply(201, location=f"/v2/team/image/blobs/{digest}")

    def _stands(self, status: int, upload_id: str) -> Response:
        url = f"https://registry.test/v2/team/image/blobs/uploads/{upload_id}?_state=s{next(self._states)}"
        return reply(status, location=url, range=f"0-{max(0, len(self.held[upload_id]) - 1)}")


def refusal(status: int, code: str) -> Response:
    return reply(status, {"errors": [{"code": code, "message": "", "detail": {}}]})
