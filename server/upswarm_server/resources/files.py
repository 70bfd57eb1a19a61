"""`/v1/files`: listing, records, content with ranges, removal, and whether a name would be accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from falcon import HTTP_201, HTTP_204, HTTP_206, HTTP_304, Request, Response

from upswarm_server import documents, names
from upswarm_server.bodies import body_of
from upswarm_server.catalogs.base import Query
from upswarm_server.model import File as FileRecord
from upswarm_server.problems import Problem
from upswarm_server.resources.whole_files import WholeFiles
from upswarm_server.service import Service
from upswarm_server.stores.base import Reader

_BLOCK_BYTES = 1 << 18
_MAX_LIMIT = 1000
_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII)


_PARAMETERS: documents.Fields = dict.fromkeys(("limit", "cursor", "client_id", "prefix"), documents.anything)
_QUESTION: documents.Fields = {"filename": documents.any_text}


class Files:
    """The collection."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._whole = WholeFiles(service)

    def on_post(self, req: Request, resp: Response) -> None:
        """A whole small file at once, answered as finalize does."""
        file = self._whole.receive(req)
        resp.status = HTTP_201
        resp.location = f"/v1/files/{file.file_id}"
        resp.media = documents.file_record(file)

    def on_get(self, req: Request, resp: Response) -> None:
        """List files in the order in which they were finalized."""
        documents.check(dict(req.params), _PARAMETERS, frozenset(), "query")
        page = self._service.list_files(
            Query(
                limit=_number(req, "limit", 1, _MAX_LIMIT, default=100),
                after=_number(req, "cursor", 0, 2**63 - 1, default=0),
                client_id=req.get_param("client_id"),
                prefix=req.get_param("prefix") or "",
            )
        )
        resp.media = {
            "files": [documents.file_record(file) for file in page.files],
            "next_cursor": None if page.next_cursor is None else str(page.next_cursor),
        }


class Check:
    """Whether a filename would be accepted."""

    def __init__(self, service: Service) -> None:
        self._settings = service.settings

    def on_post(self, req: Request, resp: Response) -> None:
        """Always 200 for a well-formed question."""
        body = body_of(req, self._settings.max_json_size_bytes)
        asked = documents.read_object(body, _QUESTION, frozenset(_QUESTION), max_depth=self._settings.max_json_depth)
        try:
            names.check_filename(asked["filename"], self._settings.max_name_bytes)
            resp.media = {"accepted": True}
        except Problem as problem:
            resp.media = {"accepted": False, "reason": problem.detail, "code": problem.code}


class File:
    """One file's record."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def on_get(self, req: Request, resp: Response, file_id: str) -> None:
        """The record."""
        resp.media = documents.file_record(self._service.file(file_id))

    def on_delete(self, req: Request, resp: Response, file_id: str) -> None:
        """Remove the file and its upload's record; who is reading it may finish."""
        self._service.delete_file(file_id)
        resp.status = HTTP_204


class Content:
    """One file's bytes."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def on_head(self, req: Request, resp: Response, file_id: str) -> None:
        """The headers of the same GET."""
        self._answer(req, resp, self._service.file(file_id))

    def on_get(self, req: Request, resp: Response, file_id: str) -> None:
        """All bytes, or the one range that was asked for."""
        file = self._service.file(file_id)
        if span := self._answer(req, resp, file):
            resp.stream = _Blocks(self._service.open_file(file_id), *span)

    def _answer(self, req: Request, resp: Response, file: FileRecord) -> tuple[int, int] | None:
        """Set status and headers; the first byte and the length to send, or None when there is nothing to send."""
        resp.set_header("ETag", file.etag)
        if _has_it(req, file):
            resp.status = HTTP_304
            return None
        start, length_bytes = _span(req, resp, file)
        resp.content_type = file.content_type
        resp.content_length = length_bytes
        resp.set_header("Accept-Ranges", "bytes")
        # Somebody else's bytes are never a page of ours.
        resp.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(file.filename, safe='')}")
        resp.set_header("X-Content-Type-Options", "nosniff")
        return start, length_bytes


class _Blocks(Iterator[bytes]):
    """A part of a file, block by block; closed by the WSGI server."""

    def __init__(self, reader: Reader, start: int, length_bytes: int) -> None:
        self._reader = reader
        self._at = start
        self._end = start + length_bytes

    def __next__(self) -> bytes:
        block = self._reader.read(self._at, min(_BLOCK_BYTES, self._end - self._at))
        if not block and self._at < self._end:
            # The head has promised more: only a connection that breaks tells the client so.
            raise EOFError(f"expected {self._end} B of the file, found {self._at} B")
        if not block:
            raise StopIteration
        self._at += len(block)
        return block

    def close(self) -> None:
        self._reader.close()


def _has_it(req: Request, file: FileRecord) -> bool:
    asked = req.get_header("If-None-Match") or ""
    tags = {tag.strip().removeprefix("W/") for tag in asked.split(",")}
    return bool(tags & {file.etag, "*"})


def _span(req: Request, resp: Response, file: FileRecord) -> tuple[int, int]:
    found = _RANGE.fullmatch(req.get_header("Range") or "")
    if found is None or not any(found.groups()) or not _same_file(req, file):
        return 0, file.size_bytes  # RFC 9110 lets a server ignore what it does not serve, such as several ranges
    first, last = found.groups()
    if first:
        start, end = int(first), min(int(last) + 1 if last else file.size_bytes, file.size_bytes)
    else:
        start, end = max(0, file.size_bytes - int(last)), file.size_bytes
    if first and last and int(last) < int(first):
        return 0, file.size_bytes
    if start >= end:
        resp.set_header("Content-Range", f"bytes */{file.size_bytes}")
        raise Problem("range_not_satisfiable", f"expected a range below {file.size_bytes}, found {found[0].strip()}")
    resp.status = HTTP_206
    resp.set_header("Content-Range", f"bytes {start}-{end - 1}/{file.size_bytes}")
    return start, end - start


def _same_file(req: Request, file: FileRecord) -> bool:
    return req.get_header("If-Range") in (None, file.etag)


def _number(req: Request, name: str, low: int, high: int, *, default: int) -> int:
    text = req.get_param(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and low <= int(text) <= high):
        raise Problem("invalid_request", f"{name}: expected a whole number from {low} to {high}, found {text[:64]!r}")
    return int(text)
