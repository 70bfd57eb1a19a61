"""`/tus/`: the same uploads and files for clients that speak tus 1.0.0; the clauses are those of its specification."""

from __future__ import annotations

from email.utils import formatdate

from falcon import HTTP_201, HTTP_204, Request, Response

from upswarm_server.bodies import body_of
from upswarm_server.model import Progress, UploadState
from upswarm_server.problems import Problem
from upswarm_server.resources import tus_headers
from upswarm_server.service import Service
from upswarm_server.service_tails import Tails
from upswarm_server.settings import Settings

PREFIX = "/tus/"
VERSION = "1.0.0"
EXTENSIONS = ("creation", "termination", "checksum", "concatenation", "expiration")


class Protocol:
    """The middleware that is there for tus: what a client means, which version it speaks, which one the server does.

    It stands first, so that whatever answers afterwards answers the method that is meant, and in tus.
    """

    def process_request(self, req: Request, resp: Response) -> None:
        """Some clients and proxies know no PATCH and no DELETE."""
        if req.path.startswith(PREFIX):
            resp.set_header("Tus-Resumable", VERSION)
            req.method = (req.get_header("X-HTTP-Method-Override") or req.method).upper()

    def process_response(self, req: Request, resp: Response, resource: object, req_succeeded: bool) -> None:
        """No answer to HEAD has a body or says so, be it the method that is meant or the one that was sent."""
        if req.method != req.env["REQUEST_METHOD"] and "HEAD" in {req.method, req.env["REQUEST_METHOD"]}:
            resp.data = None

    def process_resource(self, req: Request, resp: Response, resource: object, params: dict[str, object]) -> None:
        """Raise `version_unsupported` before anything is done."""
        if not isinstance(resource, Uploads | Upload) or req.method == "OPTIONS":
            return
        if (found := req.get_header("Tus-Resumable")) != VERSION:
            resp.set_header("Tus-Version", VERSION)
            shown = "none" if found is None else repr(found[:64])
            raise Problem("version_unsupported", f"Tus-Resumable: expected {VERSION}, found {shown}")


class Uploads:
    """The collection: what the server can do, and beginning an upload."""

    def __init__(self, service: Service) -> None:
        self._settings = service.settings
        self._tails = Tails(service)

    def on_options(self, req: Request, resp: Response) -> None:
        """What the server can do."""
        _tell_abilities(resp, self._settings)

    def on_post(self, req: Request, resp: Response) -> None:
        """Creation: of an upload, of a part, or of a file from parts."""
        if req.content_length:
            raise Problem(
                "invalid_request", "expected no body, for there is no creation-with-upload; send it with PATCH"
            )
        progress = self._created(req, req.get_header("Upload-Concat") or "")
        resp.status = HTTP_201
        # Relative, so it is right behind a proxy too, whatever host and path the proxy has for us.
        resp.location = progress.upload.upload_id
        _tell_expiry(resp, progress)

    def _created(self, req: Request, concat: str) -> Progress:
        limit_bytes = self._settings.max_metadata_size_bytes
        if concat.startswith("final;"):
            if req.get_header("Upload-Length") is not None:
                raise Problem("invalid_request", "Upload-Length: expected none, for it is the sum of the parts")
            return self._tails.join(tus_headers.wish(req, 0, limit_bytes), tus_headers.parts(concat))
        if concat not in {"", "partial"}:
            raise Problem("invalid_request", f"Upload-Concat: expected partial or final;, found {concat[:64]!r}")
        if req.get_header("Upload-Defer-Length") is not None:
            raise Problem("invalid_request", "expected Upload-Length, for there is no creation-defer-length")
        return self._tails.begin(tus_headers.wish(req, tus_headers.number(req, "Upload-Length"), limit_bytes))


class Upload:
    """One upload: how far it is, more of its bytes, and its end."""

    def __init__(self, service: Service) -> None:
        self._settings = service.settings
        self._tails = Tails(service)

    def on_options(self, req: Request, resp: Response, upload_id: str) -> None:
        """What the server can do."""
        _tell_abilities(resp, self._settings)

    def on_head(self, req: Request, resp: Response, upload_id: str) -> None:
        """How far it is."""
        resp.set_header("Cache-Control", "no-store")
        progress = self._tails.look(upload_id)
        _tell_offset(resp, progress)
        resp.set_header("Upload-Length", str(progress.upload.size_bytes))
        resp.set_headers(progress.upload.tus or {})

    def on_patch(self, req: Request, resp: Response, upload_id: str) -> None:
        """More of its bytes."""
        media_type = (req.content_type or "").partition(";")[0].strip().lower()
        if media_type != tus_headers.PATCH_TYPE:
            raise Problem("media_type_unsupported", f"expected {tus_headers.PATCH_TYPE}, found {media_type[:64]!r}")
        checksum = tus_headers.checksum(req)
        offset_bytes = tus_headers.number(req, "Upload-Offset")
        body = body_of(req, self._settings.max_file_size_bytes)
        _tell_offset(resp, self._tails.append(upload_id, offset_bytes, body, checksum))
        resp.status = HTTP_204

    def on_delete(self, req: Request, resp: Response, upload_id: str) -> None:
        """Termination."""
        self._tails.end(upload_id)
        resp.status = HTTP_204


def _tell_abilities(resp: Response, settings: Settings) -> None:
    resp.status = HTTP_204
    resp.set_header("Tus-Version", VERSION)
    resp.set_header("Tus-Extension", ",".join(EXTENSIONS))
    resp.set_header("Tus-Max-Size", str(settings.max_file_size_bytes))
    resp.set_header("Tus-Checksum-Algorithm", ",".join(tus_headers.CHECKSUMS))


def _tell_offset(resp: Response, progress: Progress) -> None:
    resp.set_header("Upload-Offset", str(progress.received_bytes))
    _tell_expiry(resp, progress)


def _tell_expiry(resp: Response, progress: Progress) -> None:
    if progress.upload.state is UploadState.OPEN:
        resp.set_header("Upload-Expires", formatdate(progress.upload.expires_at_s, usegmt=True))
