"""Which filenames are accepted. A filename is data: it is kept and given back, and never becomes a path."""

from __future__ import annotations

import unicodedata

from upswarm_server.problems import Problem


def check_filename(filename: str, max_name_bytes: int) -> None:
    """Raise `filename_rejected` unless this is 1 to `max_name_bytes` bytes of UTF-8 that could be a file's name.

    No slashes either way, no control characters (NUL among them), not `.` and not `..`.
    """
    reason = _flaw(filename, max_name_bytes)
    if reason:
        raise Problem("filename_rejected", f"{reason}, found {filename[:max_name_bytes]!a}")


def _flaw(filename: str, max_name_bytes: int) -> str | None:
    try:
        length_bytes = len(filename.encode())
    except UnicodeEncodeError:
        return "expected valid Unicode"
    if not 1 <= length_bytes <= max_name_bytes:
        return f"expected 1 to {max_name_bytes} bytes, found {length_bytes}"
    if filename in {".", ".."}:
        return "expected a name other than . and .."
    if "/" in filename or "\\" in filename:
        return "expected a name without slashes"
    if any(unicodedata.category(character) == "Cc" for character in filename):
        return "expected no control characters"
    return None
