"""The OpenAPI 3.1 description of the server: every route with its parameters, bodies, answers and problems.

Built from what the server itself uses: its settings, its table of problems, its fields. Tests hold it against the
routes, and against what the server really answers.
"""

from __future__ import annotations

from typing import Any

from upswarm import __version__
from upswarm_server.openapi_parts import (
    BYTES,
    EMPTY,
    LOCATION,
    Part,
    completed,
    header,
    json_answer,
    json_body,
    link,
    operation,
    problems,
    query,
)
from upswarm_server.openapi_schemas import (
    CLIENT_ID,
    CONTENT_DIGEST,
    COUNT,
    TEXT,
    TIMESTAMP_TEXT,
    filename,
    ref,
    schemas,
)
from upswarm_server.settings import Settings

_ABOUT = """Chunked uploads and the files that they become; `server/PROTOCOL.md` is the same in prose.

Every error is a problem document (RFC 9457) with a stable `code`. What is no HTTP at all is answered by the web server
in plain text. Where faults on purpose are set up, any request may be answered with one of theirs.
`/tus/` speaks tus 1.0.0, which is described at https://tus.io/protocols/resumable-upload."""

# Answers that no operation described here has: of other addresses and methods, of faults on purpose, and of /tus/.
_ELSEWHERE = [
    *("not_found", "method_not_allowed", "injected_fault"),
    *("body_torn", "checksum_mismatch", "offset_mismatch", "media_type_unsupported", "part_unusable"),
    *("upload_final", "version_unsupported"),
]

_UPLOAD = "/v1/uploads/{upload_id}"
_FILE = "/v1/files/{file_id}"
_METRICS: Part = {"description": "Prometheus' text format.", "content": {"text/plain": {"schema": TEXT}}}
_CONTENT_DIGEST = header(
    "Content-Digest", CONTENT_DIGEST, "Of the body (RFC 9530); checked. Other algorithms are ignored."
)


def description(settings: Settings) -> dict[str, Any]:
    """The whole document, for a server with these settings."""
    bearer = {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}} if settings.tokens else {}
    return {
        "openapi": "3.1.0",
        "info": {"title": "upswarm reference server", "version": __version__, "description": _ABOUT},
        "paths": {
            path: {method: completed(path, method, about, settings) for method, about in operations.items()}
            for path, operations in _paths(settings).items()
        },
        "components": {"schemas": schemas(settings), "responses": _elsewhere(), **bearer},
        **({"security": [{"bearer": []}]} if settings.tokens else {}),
    }


def _paths(settings: Settings) -> dict[str, dict[str, Part]]:
    return {
        "/v1/uploads": {"post": _init()},
        _UPLOAD: {"get": _probe(), "delete": _abort()},
        f"{_UPLOAD}/chunks/{{index}}": {"put": _chunk()},
        f"{_UPLOAD}/finalize": {"post": _finalize()},
        "/v1/files": {"get": _files(), "post": _whole_file(settings)},
        "/v1/files/check": {"post": _check()},
        _FILE: {"get": _file(), "delete": _delete()},
        f"{_FILE}/content": {"get": _content(), "head": _content()},
        "/health": {"get": operation("A summary for people.", {200: json_answer(ref("Summary"))}, [])},
        "/health/live": {"get": operation("The process answers.", {200: json_answer(ref("Live"))}, [])},
        "/health/ready": {"get": operation("Can uploads be taken?", {200: json_answer(ref("Ready"))}, ["not_ready"])},
        "/metrics": {"get": operation("Figures of all workers.", {200: _METRICS}, ["not_found"])},
        "/openapi.json": {"get": operation("This description.", {200: json_answer({"type": "object"})}, [])},
    }


def _elsewhere() -> dict[str, Part]:
    return {code: answer for code in _ELSEWHERE for answer in problems([code]).values()}


def _init() -> Part:
    codes = ["invalid_request", "length_required", "size_over_limit", "filename_rejected", "chunk_size_rejected"]
    codes += ["open_uploads_exceeded", "quota_exceeded", "storage_full"]
    where = "$response.body#/upload_id"
    links = {
        "probe": link("get", _UPLOAD, upload_id=where),
        "chunk": link("put", f"{_UPLOAD}/chunks/{{index}}", upload_id=where),
        "finalize": link("post", f"{_UPLOAD}/finalize", upload_id=where),
        "abort": link("delete", _UPLOAD, upload_id=where),
    }
    answer = json_answer(ref("Begun")) | {"headers": LOCATION, "links": links}
    return operation("Begin an upload.", {201: answer}, codes, body=json_body(ref("Wish")))


def _probe() -> Part:
    return operation(
        "How far the upload is.", {200: json_answer(ref("Progress"))}, ["upload_not_found", "upload_expired"]
    )


def _abort() -> Part:
    return operation("Forget an open upload.", {204: EMPTY}, ["upload_not_found", "upload_finalized"])


def _chunk() -> Part:
    codes = [
        "invalid_request",
        "chunk_torn",
        "upload_not_found",
        "chunk_conflict",
        "upload_sequential",
        "upload_finalized",
    ]
    codes += ["upload_expired", "length_required", "size_over_limit", "chunk_length_mismatch"]
    codes += ["chunk_out_of_range", "digest_mismatch", "busy", "storage_full"]
    received = {"schema": COUNT, "required": True, "description": "Of the upload, this chunk included."}
    return operation(
        "Send a chunk: in any order, in parallel, repeatable.",
        {204: EMPTY | {"headers": {"Upload-Received-Bytes": received}}},
        codes,
        parameters=[_CONTENT_DIGEST],
        body={"required": True, "content": BYTES},
    )


def _finalize() -> Part:
    codes = ["upload_not_found", "upload_incomplete", "upload_sequential", "upload_expired", "digest_mismatch"]
    codes += ["busy", "storage_full"]
    return operation("Make it a file; repeatable.", {201: _stored()}, codes)


def _whole_file(settings: Settings) -> Part:
    codes = ["invalid_request", "chunk_torn", "upload_expired", "length_required", "size_over_limit", "digest_mismatch"]
    codes += ["filename_rejected", "open_uploads_exceeded", "quota_exceeded", "storage_full"]
    parameters = [
        query("filename", filename(settings), "Needed with a raw body; in a form the file has it."),
        query("client_id", CLIENT_ID, "With a raw body only."),
        query("timestamp", TIMESTAMP_TEXT, "With a raw body only."),
        _CONTENT_DIGEST,
    ]
    return operation(
        f"A whole file of at most {settings.max_whole_file_size_bytes} B, as a raw body of any kind or as a form.",
        {201: _stored()},
        codes,
        parameters=parameters,
        body={"required": True, "content": BYTES | {"multipart/form-data": {"schema": ref("Form")}}},
    )


def _stored() -> Part:
    where = "$response.body#/file_id"
    links = {
        "file": link("get", _FILE, file_id=where),
        "content": link("get", f"{_FILE}/content", file_id=where),
        "delete": link("delete", _FILE, file_id=where),
    }
    return json_answer(ref("File")) | {"headers": LOCATION, "links": links}


def _files() -> Part:
    parameters = [
        query("client_id", TEXT, "Only files of this client."),
        query("prefix", TEXT, "Only files whose names begin so."),
        query("limit", COUNT | {"minimum": 1, "maximum": 1000, "default": 100}, "How many files."),
        query("cursor", COUNT | {"maximum": 2**63 - 1}, "`next_cursor` of the page before."),
    ]
    summary = "Files, in the order of their finalize."
    return operation(summary, {200: json_answer(ref("Files"))}, ["invalid_request"], parameters=parameters)


def _check() -> Part:
    codes = ["invalid_request", "length_required", "size_over_limit"]
    body = json_body(ref("Question"))
    return operation("Would this filename be accepted?", {200: json_answer(ref("Judgement"))}, codes, body=body)


def _file() -> Part:
    return operation("A file's record.", {200: json_answer(ref("File"))}, ["file_not_found"])


def _delete() -> Part:
    return operation("Remove a file.", {204: EMPTY}, ["file_not_found"])


def _content() -> Part:
    names = ("ETag", "Accept-Ranges", "Content-Disposition", "X-Content-Type-Options")
    headers = {name: {"schema": TEXT, "required": True} for name in names}
    part = headers | {"Content-Range": {"schema": TEXT, "required": True}}
    answers: dict[int, Part] = {
        200: {"description": "All bytes.", "headers": headers, "content": {"*/*": {}}},
        206: {"description": "The range.", "headers": part, "content": {"*/*": {}}},
        304: {"description": "The client has it.", "headers": {"ETag": headers["ETag"]}},
    }
    asked = [header(name, TEXT, "As RFC 9110 has it.") for name in ("Range", "If-Range", "If-None-Match")]
    codes = ["file_not_found", "range_not_satisfiable"]
    return operation("A file's bytes; HEAD has the headers alone.", answers, codes, parameters=asked)
