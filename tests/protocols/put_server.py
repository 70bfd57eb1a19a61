"""A server that takes whole files with PUT, as a function from request to response."""

from __future__ import annotations

from tests.protocols.chunked_server import reply
from upswarm.transfer.messages import Request, Response


class PutServer:
    """Files in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def __call__(self, request: Request) -> Response:
        if request.method == "PUT":
            new = request.path not in self.files
            self.files[request.path] = b"".join(request.body or ())
            return reply(201 if new else 204)
        if request.method == "HEAD":
            file = self.files.get(request.path)
            return reply(404) if file is None else reply(200, content_length=str(len(file)))
        assert request.method == "DELETE", request
        return reply(404 if self.files.pop(request.path, None) is None else 204)
