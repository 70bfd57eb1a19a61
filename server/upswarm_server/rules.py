"""Rules that need nothing but the values they are about."""

from __future__ import annotations

import uuid

from upswarm_server.model import MISSING, Upload, runs
from upswarm_server.problems import Problem
from upswarm_server.settings import Settings


def choose_chunk_size(size_bytes: int, proposed_bytes: int | None, settings: Settings) -> int:
    """The client's chunk size if it is within the limits, else `chunk_size_rejected`; without one the server's own.

    The server's own is a 500th of the file, within its floor and ceiling.
    """
    if proposed_bytes is None:
        return min(max(size_bytes // 500, settings.auto_chunk_floor_bytes), settings.auto_chunk_ceiling_bytes)
    low_bytes = max(settings.min_chunk_size_bytes, -(-size_bytes // settings.max_chunks))
    if not low_bytes <= proposed_bytes <= settings.max_chunk_size_bytes:
        expected = f"expected {low_bytes} to {settings.max_chunk_size_bytes} B"
        raise Problem(
            "chunk_size_rejected",
            f"{expected}, found {proposed_bytes} B",
            min_chunk_size_bytes=low_bytes,
            max_chunk_size_bytes=settings.max_chunk_size_bytes,
        )
    return proposed_bytes


def check_place(upload: Upload, index: int, length_bytes: int) -> None:
    """Raise `chunk_out_of_range` or `chunk_length_mismatch` unless the upload has a chunk of this index and length."""
    if not 0 <= index < upload.chunk_count:
        raise Problem("chunk_out_of_range", f"expected 0 to {upload.chunk_count - 1}, found {index}")
    if length_bytes != upload.length_bytes(index):
        expected_bytes = upload.length_bytes(index)
        raise Problem("chunk_length_mismatch", f"expected {expected_bytes} B for chunk {index}, found {length_bytes} B")


def require_chunks(upload: Upload) -> None:
    """Raise `upload_sequential` unless the upload is one that comes in chunks."""
    if upload.sequential:
        raise Problem("upload_sequential", f"expected an upload in chunks, found that {upload.upload_id} speaks tus")


def require_file(upload: Upload) -> None:
    """Raise `upload_sequential` unless the upload is one that can become a file itself."""
    if upload.part:
        raise Problem("upload_sequential", f"expected a whole file, found that {upload.upload_id} is a part of one")


def check_append(upload: Upload, reached_bytes: int, offset_bytes: int, length_bytes: int) -> None:
    """Raise `offset_mismatch` or `size_over_limit` unless these bytes come next and are not too many."""
    if offset_bytes != reached_bytes:
        raise Problem("offset_mismatch", f"expected the bytes from {reached_bytes} on, found {offset_bytes}")
    if length_bytes > upload.size_bytes - offset_bytes:
        rest_bytes = upload.size_bytes - offset_bytes
        raise Problem("size_over_limit", f"expected at most {rest_bytes} B, found {length_bytes} B")


def require_complete(upload: Upload, marks: bytes) -> None:
    """Raise `upload_incomplete`, with the missing chunks, unless all are marked; a mark that is not there is none."""
    marks = marks.ljust(upload.chunk_count, MISSING)
    if missing := runs(marks, MISSING):
        chunks = marks.count(MISSING)
        raise Problem(
            "upload_incomplete",
            f"expected {upload.chunk_count} chunks, found {chunks} missing",
            missing_chunks=missing,
        )


def is_id(text: str) -> bool:
    """Whether this is an id as the server draws them; nothing else is looked up or becomes a path."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
