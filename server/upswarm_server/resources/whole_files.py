"""`POST /v1/files`: a whole small file in one request, as a raw body or as the form of the first generation."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast
from urllib.parse import parse_qsl

from falcon import Request
from falcon.util.mediatypes import parse_header

from upswarm import digests
from upswarm_server import documents, forms
from upswarm_server.bodies import body_of
from upswarm_server.documents import Fields
from upswarm_server.ingest import Body, Input
from upswarm_server.model import File, Wish
from upswarm_server.problems import Problem
from upswarm_server.service import Service

_FIELDS: Fields = {"client_id": documents.text(255), "timestamp": documents.timestamp}
_QUERY: Fields = {"filename": documents.any_text} | _FIELDS
_MAX_PARAMETERS = 16
_IN_MEMORY_BYTES = 1 << 18
_HINT = "Send it in chunks, which begins with POST /v1/uploads; here UPSWARM_MAX_WHOLE_FILE_SIZE is the limit."


class WholeFiles:
    """Takes whole files; `service` makes them durable as it does those that come in chunks."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._limit_bytes = service.settings.max_whole_file_size_bytes

    def receive(self, req: Request) -> File:
        """The file that came; whatever is raised, nothing of it is left."""
        kind, _ = parse_header(req.content_type or "")
        return self._from_form(req) if kind == "multipart/form-data" else self._from_body(req)

    def _from_body(self, req: Request) -> File:
        about = _query(req, _QUERY, frozenset({"filename"}))
        content_type = _media_type(req.content_type or "application/octet-stream", "Content-Type")
        promised = documents.content_digest(req.get_header("Content-Digest"))
        body = self._body(req, overhead_bytes=0)
        wish = _wish(about["filename"], body.length_bytes, content_type, about, promised)
        return self._service.receive_file(wish, body)

    def _from_form(self, req: Request) -> File:
        _query(req, {}, frozenset())
        promised = documents.content_digest(req.get_header("Content-Digest"))
        body = self._body(req, overhead_bytes=forms.OVERHEAD_BYTES)
        with _spool(self._service.settings.data_dir) as spool:
            file = cast(BinaryIO, spool)
            part, about = forms.read_form(
                body, req.content_type or "", _FIELDS, promised=promised, file=file, check_size=self._check_size
            )
            file.seek(0)
            wish = _wish(part.filename, part.size_bytes, _media_type(part.content_type, "file"), about, {})
            return self._service.receive_file(wish, Body(Input(file), part.size_bytes))

    def _body(self, req: Request, *, overhead_bytes: int) -> Body:
        body = body_of(req, sys.maxsize)
        self._check_size(body.length_bytes - overhead_bytes)
        return body

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._limit_bytes:
            detail = f"expected at most {self._limit_bytes} B, found at least {size_bytes} B"
            raise Problem("size_over_limit", detail, hint=_HINT)


def _wish(filename: str, size_bytes: int, content_type: str, about: dict[str, str], promised: dict[str, bytes]) -> Wish:
    digest = ", ".join(digests.format_header(algorithm, value) for algorithm, value in promised.items())
    return Wish(
        filename=filename,
        size_bytes=size_bytes,
        content_type=content_type,
        client_id=about.get("client_id"),
        client_timestamp=about.get("timestamp"),
        digest=digest or None,
        whole=True,
    )


def _query(req: Request, fields: Fields, required: frozenset[str]) -> dict[str, str]:
    # Falcon's own reading turns what is not UTF-8 into other characters; a filename is kept as it came or refused.
    try:
        pairs = parse_qsl(
            req.query_string.encode("ascii").decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )
    except ValueError as error:
        raise Problem("invalid_request", f"expected a query in percent-encoded UTF-8, found: {error}") from error
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise Problem("invalid_request", "expected every query parameter once")
    documents.check(parameters, fields, required, "query")
    return parameters


def _media_type(text: str, where: str) -> str:
    documents.check({where: text}, {where: documents.media_type}, frozenset(), "headers")
    return text


def _spool(data_dir: Path) -> SpooledTemporaryFile[bytes]:
    # Where files are kept there is room for one; the file has no name, so a crash leaves nothing of it.
    directory = str(data_dir) if data_dir.is_dir() else None
    return SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES, dir=directory)
