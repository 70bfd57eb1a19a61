"""`/v1/uploads`: init, chunk, probe, finalize, abort."""

from __future__ import annotations

from falcon import HTTP_201, HTTP_204, Request, Response
from falcon.routing import BaseConverter

from upswarm_server import documents
from upswarm_server.bodies import body_of
from upswarm_server.documents import Fields
from upswarm_server.model import Wish
from upswarm_server.service import Service

_MAX_DIGITS = 9
_REQUIRED = frozenset({"filename", "size_bytes"})


class Digits(BaseConverter):
    """A number in a path, in digits only: Python reads more than that as a number."""

    def convert(self, value: str) -> int | None:
        """The number, or None for no such route."""
        return int(value) if value.isascii() and value.isdecimal() and len(value) <= _MAX_DIGITS else None


class Uploads:
    """The collection: beginning an upload."""

    def __init__(self, service: Service) -> None:
        self._service = service
        settings = service.settings
        self._max_body_bytes = settings.max_json_size_bytes
        self._max_depth = settings.max_json_depth
        self._fields: Fields = {
            "filename": documents.any_text,
            "size_bytes": documents.size,
            "client_id": documents.text(255),
            "client_timestamp": documents.timestamp,
            "content_type": documents.media_type,
            "chunk_size_bytes": documents.size,
            "digest": documents.digest,
            "metadata": documents.metadata(settings.max_metadata_size_bytes),
        }

    def on_post(self, req: Request, resp: Response) -> None:
        """Init."""
        body = body_of(req, self._max_body_bytes)
        wish = documents.read_object(body, self._fields, _REQUIRED, max_depth=self._max_depth)
        upload = self._service.begin(Wish(**wish))
        resp.status = HTTP_201
        resp.location = f"/v1/uploads/{upload.upload_id}"
        resp.media = documents.begun(upload)


class Upload:
    """One upload: how far it is, and aborting it."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def on_get(self, req: Request, resp: Response, upload_id: str) -> None:
        """Probe."""
        resp.media = documents.progress(self._service.progress(upload_id))

    def on_delete(self, req: Request, resp: Response, upload_id: str) -> None:
        """Abort."""
        self._service.abort(upload_id)
        resp.status = HTTP_204


class Chunk:
    """One chunk of an upload."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def on_put(self, req: Request, resp: Response, upload_id: str, index: int) -> None:
        """Chunk."""
        body = body_of(req, self._service.settings.max_chunk_size_bytes)
        promised = documents.content_digest(req.get_header("Content-Digest"))
        received_bytes = self._service.receive_chunk(upload_id, index, promised, body)
        resp.status = HTTP_204
        resp.set_header("Upload-Received-Bytes", str(received_bytes))


class Finalize:
    """The end of an upload."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def on_post(self, req: Request, resp: Response, upload_id: str) -> None:
        """Finalize; the answer to a repeated one is the same."""
        file = self._service.finalize(upload_id)
        resp.status = HTTP_201
        resp.location = f"/v1/files/{file.file_id}"
        resp.media = documents.file_record(file)
