"""What travels in bodies, as JSON Schema: the components of `openapi.description`.

A schema is as strict as the server where JSON Schema can say it. What it can't say (bytes of UTF-8 rather than
characters, Unicode's printable characters) stands in a description, and the server has the last word.
"""

from __future__ import annotations

from typing import Any

from upswarm_server import documents
from upswarm_server.model import UploadState
from upswarm_server.problems import TABLE
from upswarm_server.settings import Settings

Schema = dict[str, Any]

_NO_CONTROLS = r"[^\u0000-\u001f\u007f-\u009f]"
_NAME = r"^(?!\.{1,2}$)[^/\\\u0000-\u001f\u007f-\u009f]+$"
_DIGEST = r"sha-256=:[A-Za-z0-9+/]{43}=:|crc32c=:[A-Za-z0-9+/]{6}==:"
# The server's own expression, in the words that all engines read alike.
_MEDIA_TYPE = "^" + documents.MEDIA_TYPE.pattern.replace(r"\w", "A-Za-z0-9_") + "$"

UUID: Schema = {"type": "string", "format": "uuid"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TIME: Schema = {"type": "string", "format": "date-time"}
TEXT: Schema = {"type": "string"}
DIGEST: Schema = {
    "type": "string",
    "pattern": f"^({_DIGEST})$",
    "examples": ["sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"],
}
CONTENT_DIGEST: Schema = DIGEST | {"pattern": f"^({_DIGEST}|)$"}  # an empty header promises nothing
CLIENT_ID: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": f"^{_NO_CONTROLS}+$",
    "description": "Printable characters.",
}
TIMESTAMP_TEXT: Schema = CLIENT_ID | {"maxLength": 64}
_TIMESTAMP: Schema = {"anyOf": [{"type": "number"}, TIMESTAMP_TEXT], "description": "Kept as it is."}
_CONTENT_TYPE: Schema = {"type": "string", "maxLength": 255, "pattern": _MEDIA_TYPE}
_RANGE: Schema = {"type": "array", "items": COUNT, "minItems": 2, "maxItems": 2, "description": "First and last."}
_RANGES: Schema = {"type": "array", "items": _RANGE}


def ref(name: str) -> Schema:
    """A schema of the components, by name."""
    return {"$ref": f"#/components/schemas/{name}"}


def closed(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """An object with these members and no others."""
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": sorted(required),
        "additionalProperties": False,
    }


def filename(settings: Settings) -> Schema:
    """A name that the server accepts."""
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": settings.max_name_bytes,
        "pattern": _NAME,
        "description": f"At most {settings.max_name_bytes} bytes of UTF-8.",
    }


def schemas(settings: Settings) -> dict[str, Schema]:
    """All components, by name."""
    return {
        "Wish": _wish(settings),
        "Begun": closed(
            {"upload_id": UUID, "chunk_size_bytes": COUNT, "chunk_count": COUNT, "expires_at": TIME},
        ),
        "Progress": _progress(),
        "File": _file(),
        "Files": closed(
            {
                "files": {"type": "array", "items": ref("File")},
                "next_cursor": {"type": ["string", "null"], "description": "`cursor` of the next page."},
            }
        ),
        "Question": closed({"filename": TEXT}),
        "Judgement": closed({"accepted": {"type": "boolean"}}, {"reason": TEXT, "code": _code()}),
        "Form": _form(settings),
        "Problem": _problem(),
        "Live": closed({"status": {"const": "alive"}}),
        "Ready": closed({"status": {"const": "ready"}}),
        "Summary": _summary(),
    }


def _wish(settings: Settings) -> Schema:
    return closed(
        {
            "filename": filename(settings),
            "size_bytes": COUNT | {"maximum": settings.max_file_size_bytes},
        },
        {
            "client_id": CLIENT_ID,
            "client_timestamp": _TIMESTAMP,
            "content_type": _CONTENT_TYPE,
            "chunk_size_bytes": {
                "type": "integer",
                "minimum": settings.min_chunk_size_bytes,
                "maximum": settings.max_chunk_size_bytes,
                "description": f"Without one the server chooses; it makes at most {settings.max_chunks} chunks.",
            },
            "digest": DIGEST | {"description": "What the whole file shall have; checked by finalize."},
            "metadata": {
                "type": "object",
                "description": f"Kept with the file; at most {settings.max_metadata_size_bytes} B of JSON.",
            },
        },
    )


def _progress() -> Schema:
    return closed(
        {
            "upload_id": UUID,
            "state": {"enum": [str(state) for state in UploadState]},
            "filename": TEXT,
            "size_bytes": COUNT,
            "chunk_size_bytes": COUNT,
            "chunk_count": COUNT,
            "received_bytes": COUNT,
            "received_chunks": _RANGES,
            "missing_chunks": _RANGES,
            "expires_at": TIME,
        },
        {"file_id": UUID},
    )


def _file() -> Schema:
    return closed(
        {
            "file_id": UUID,
            "filename": TEXT,
            "size_bytes": COUNT,
            "content_type": TEXT,
            "metadata": {"type": "object"},
            "created_at": TIME,
            "upload_id": UUID,
            "stored_by": TEXT | {"description": "The host name of the server that took the file."},
            "etag": TEXT,
        },
        {"digest": TEXT, "client_id": TEXT, "client_timestamp": {"type": ["number", "string"]}},
    )


def _form(settings: Settings) -> Schema:
    size = f"At most {settings.max_whole_file_size_bytes} B, with a filename in its Content-Disposition."
    return closed(
        {"file": {"type": "string", "format": "binary", "description": size}},
        {"client_id": CLIENT_ID, "timestamp": TIMESTAMP_TEXT},
    )


def _summary() -> Schema:
    return closed(
        {
            "status": {"enum": ["ready", "not ready"]},
            "reasons": {"type": "array", "items": TEXT},
            "version": TEXT,
            "server_id": TEXT,
            "pid": COUNT,
            "uptime_s": {"type": "number"},
            "open_uploads": {"type": ["integer", "null"], "minimum": 0},
            "catalog": closed({"commits": COUNT, "records": COUNT, "waiting": COUNT}),
            "fault_rules": COUNT,
        }
    )


def _problem() -> Schema:
    wrong = closed({"field": TEXT, "message": TEXT})
    return closed(
        {
            "type": {"type": "string", "format": "uri"},
            "title": TEXT,
            "status": {"type": "integer"},
            "code": _code(),
            "detail": TEXT | {"description": "What was expected and what was found."},
            "hint": TEXT | {"description": "What to do."},
        },
        {
            "errors": {"type": "array", "items": wrong},
            "missing_chunks": _RANGES,
            "min_chunk_size_bytes": COUNT,
            "max_chunk_size_bytes": COUNT,
            "reasons": {"type": "array", "items": TEXT},
        },
    )


def _code() -> Schema:
    return {"enum": list(TABLE)}
