"""The chunked protocol's server as a function from request to response: enough of it for tests of the load side."""

from __future__ import annotations

import itertools
import json
from urllib.parse import SplitResult, parse_qs, urlsplit

from upswarm.transfer.messages import Request, Response


def reply(status: int, document: object = None, **headers: str) -> Response:
    body = b"" if document is None else json.dumps(document).encode()
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


class ChunkedServer:
    """Uploads in memory. `received` is public: a test may lose a chunk or let one arrive unseen."""

    def __init__(self, chunk_size_bytes: int = 1000) -> None:
        self._chunk_size_bytes = chunk_size_bytes
        self._ids = itertools.count(1)
        self.sizes: dict[str, int] = {}
        self.files: dict[str, dict[str, object]] = {}
        self.received: dict[str, dict[int, bytes]] = {}

    def __call__(self, request: Request) -> Response:  # noqa: PLR0911 (one per route)
        if request.path.startswith("/v1/files"):
            return self._files(urlsplit(request.path))
        _, _, _, *rest = request.path.split("/")
        match request.method, rest:
            case "POST", []:
                return self._create(json.loads(b"".join(request.body or ())))
            case _, [upload_id, *_] if upload_id not in self.sizes:
                return reply(404, {"code": "upload_not_found"})
            case "GET", [upload_id]:
                indexes = sorted(self.received[upload_id])
                return reply(200, {"received_chunks": [[index, index] for index in indexes]})
            case "PUT", [upload_id, "chunks", index]:
                self.received[upload_id][int(index)] = b"".join(request.body or ())
                return reply(204)
            case "POST", [upload_id, "finalize"]:
                return self._finalize(upload_id)
            case "DELETE", [upload_id]:
                del self.sizes[upload_id]
                return reply(204)
        raise AssertionError(f"no route for {request.method} {request.path}")

    def file(self, upload_id: str) -> bytes:
        return b"".join(self.received[upload_id][index] for index in sorted(self.received[upload_id]))

    def _create(self, about: dict[str, object]) -> Response:
        upload_id = f"u{next(self._ids)}"
        self.sizes[upload_id] = int(str(about["size_bytes"]))
        self.received[upload_id] = {}
        return reply(201, {"upload_id": upload_id, "chunk_size_bytes": self._chunk_size_bytes})

    def _finalize(self, upload_id: str) -> Response:
        size_bytes = self.sizes[upload_id]
        if len(self.file(upload_id)) != size_bytes:
            return reply(409, {"code": "upload_incomplete"})
        self.files[f"f-{upload_id}"] = {"file_id": f"f-{upload_id}", "filename": "a.bin", "size_bytes": size_bytes}
        return reply(201, self.files[f"f-{upload_id}"])

    def _files(self, url: SplitResult) -> Response:
        """A record, or all of them, one on a page."""
        file_id = url.path.removeprefix("/v1/files").lstrip("/")
        if file_id:
            known = file_id in self.files
            return reply(200, self.files[file_id]) if known else reply(404, {"code": "file_not_found"})
        files, begin = list(self.files.values()), int(parse_qs(url.query).get("cursor", ["0"])[0])
        following = str(begin + 1) if begin + 1 < len(files) else None
        return reply(200, {"files": files[begin : begin + 1], "next_cursor": following})
