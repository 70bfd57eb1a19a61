"""JSON in and out: bodies are read against a table of fields, and all wrong fields are reported at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from upswarm import digests
from upswarm.plugins import did_you_mean
from upswarm_server.ingest import Body
from upswarm_server.model import MISSING, RECEIVED, File, Progress, Upload, runs
from upswarm_server.problems import Problem

Fields = dict[str, Callable[[Any], str | None]]
"""For every field of a body a function that says what was expected, or None when the value is right."""

MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+( *; *[\w!#$&^.+-]+=(\"[ !#-~]*\"|[\w!#$&^.+-]+))*", re.ASCII)


def read_object(body: Body, fields: Fields, required: frozenset[str], *, max_depth: int) -> dict[str, Any]:
    """The body's JSON object; raises `invalid_request`, whose `errors` list every field that is wrong."""
    document = _parsed(body.all(), max_depth)
    check(document, fields, required, "body")
    return document


def check(document: dict[str, Any], fields: Fields, required: frozenset[str], where: str) -> None:
    """Raise `invalid_request`, whose `errors` list every field that is wrong, unknown or missing."""
    errors = [_unknown(name, fields) for name in document if name not in fields]
    errors += [
        {"field": name, "message": "expected a value, found none"} for name in sorted(required - document.keys())
    ]
    for name, flaw in fields.items():
        if name in document and (expected := flaw(document[name])):
            errors.append({"field": name, "message": f"expected {expected}, found {_shown(document[name])}"})
    if errors:
        names = ", ".join(error["field"] for error in sorted(errors, key=lambda error: error["field"]))
        raise Problem("invalid_request", f"wrong in the {where}: {names}", errors=errors)


def _parsed(data: bytes, max_depth: int) -> dict[str, Any]:
    try:
        document = json.loads(data, parse_constant=_no_constant)
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise Problem("invalid_request", f"expected a JSON object, found: {error}") from error
    if not isinstance(document, dict):
        raise Problem("invalid_request", f"expected a JSON object, found {_shown(document)}")
    if _depth(document) > max_depth:
        raise Problem("invalid_request", f"expected at most {max_depth} levels of JSON, found more")
    return document


def _depth(value: object) -> int:
    """How many objects and lists are inside each other."""
    levels, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        levels += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return levels


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _unknown(name: str, fields: Fields) -> dict[str, str]:
    hint = did_you_mean(name, list(fields))
    return {"field": name[:64], "message": f"expected no such field{'; ' + hint if hint else ''}"}


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 64 else f"{text[:60]} ..."


def text(max_length: int) -> Callable[[Any], str | None]:
    """A field for a short text without control characters."""

    def flaw(value: Any) -> str | None:
        if isinstance(value, str) and 1 <= len(value) <= max_length and value.isprintable():
            return None
        return f"1 to {max_length} printable characters"

    return flaw


def anything(value: Any) -> str | None:
    """A field that is read by somebody else."""
    return None


def any_text(value: Any) -> str | None:
    """A field for a text whose rules are somebody else's."""
    return None if isinstance(value, str) else "a text"


def size(value: Any) -> str | None:
    """A field for a number of bytes."""
    return None if type(value) is int and value >= 0 else "a whole number of bytes"


def timestamp(value: Any) -> str | None:
    """A field for a client's own time, kept as it is."""
    return None if type(value) in (int, float) else text(64)(value) and "a number or a short text"


def media_type(value: Any) -> str | None:
    """A field for a media type, which later stands in a header."""
    valid = isinstance(value, str) and len(value) <= 255 and MEDIA_TYPE.fullmatch(value)
    return None if valid else "a media type such as text/plain"


def digest(value: Any) -> str | None:
    """A field for a promised digest."""
    expected = f"one of {', '.join(digests.ALGORITHMS)} as algorithm=:base64:"
    try:
        return None if isinstance(value, str) and digests.parse_header(value) else expected
    except digests.DigestError:
        return expected


def content_digest(header: str | None) -> dict[str, bytes]:
    """The digests of a `Content-Digest` header by algorithm; raises `invalid_request`."""
    try:
        return digests.parse_header(header) if header else {}
    except digests.DigestError as error:
        raise Problem("invalid_request", f"Content-Digest: {error}") from error


def metadata(max_size_bytes: int) -> Callable[[Any], str | None]:
    """A field for an object of at most so many bytes of JSON."""

    def flaw(value: Any) -> str | None:
        if isinstance(value, dict) and len(json.dumps(value, ensure_ascii=False).encode()) <= max_size_bytes:
            return None
        return f"an object of at most {max_size_bytes} B of JSON"

    return flaw


def iso(seconds: float) -> str:
    """`2026-11-23T12:00:00.000Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def begun(upload: Upload) -> dict[str, Any]:
    """The answer to init."""
    return {
        "upload_id": upload.upload_id,
        "chunk_size_bytes": upload.chunk_size_bytes,
        "chunk_count": upload.chunk_count,
        "expires_at": iso(upload.expires_at_s),
    }


def progress(of: Progress) -> dict[str, Any]:
    """The answer to a probe; ranges of chunks are inclusive."""
    upload, marks = of.upload, of.marks
    return {
        "upload_id": upload.upload_id,
        "state": upload.state,
        "filename": upload.filename,
        "size_bytes": upload.size_bytes,
        "chunk_size_bytes": upload.chunk_size_bytes,
        "chunk_count": upload.chunk_count,
        "received_bytes": of.received_bytes,
        "received_chunks": runs(marks, RECEIVED),
        "missing_chunks": runs(marks, MISSING),
        "expires_at": iso(upload.expires_at_s),
        **({"file_id": upload.file_id} if upload.file_id else {}),
    }


def file_record(file: File) -> dict[str, Any]:
    """A file as every answer shows it; what the client did not say is left out."""
    optional = {
        "digest": file.digest,
        "client_id": file.client_id,
        "client_timestamp": file.client_timestamp,
    }
    return {
        "file_id": file.file_id,
        "filename": file.filename,
        "size_bytes": file.size_bytes,
        **{name: value for name, value in optional.items() if value is not None},
        "content_type": file.content_type,
        "metadata": file.metadata,
        "created_at": iso(file.created_at_s),
        "upload_id": file.upload_id,
        "stored_by": file.stored_by,
        "etag": file.etag,
    }
