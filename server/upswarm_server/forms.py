"""A `multipart/form-data` body with one file in it, read as a stream: the file never stands in memory as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, BinaryIO, NamedTuple, cast

from falcon.errors import HTTPBadRequest
from falcon.media.multipart import BodyPart, MultipartForm, MultipartFormHandler

from upswarm import digests
from upswarm_server import documents
from upswarm_server.documents import Fields
from upswarm_server.ingest import Body, check_digest
from upswarm_server.problems import Problem
from upswarm_server.stores.filesystem import space_told

OVERHEAD_BYTES = 1 << 16
"""What a form may be longer than its file; enough for all parts' headers and texts."""

_MAX_PARTS = 8  # more than are wanted, so that those which are not can be named
_MAX_HEADERS_BYTES = 4096
_MAX_TEXT_BYTES = 4096
_READ_BYTES = 1 << 16


class FilePart(NamedTuple):
    """What a form says about its file, whose bytes are elsewhere."""

    filename: str
    content_type: str
    size_bytes: int


class FormReader:
    """A form's body as something to read from, counted and digested on the way."""

    def __init__(self, body: Body, promised: dict[str, bytes]) -> None:
        self._body = body
        self._pieces = body.pieces()
        self._rest = memoryview(b"")
        self._promised = promised
        self._hashers = {algorithm: digests.hasher(algorithm) for algorithm in promised}

    def read(self, size_bytes: int) -> bytes:
        """Up to so many bytes; nothing at the end of the body, and nothing after the client has hung up."""
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
            for hasher in self._hashers.values():
                hasher.update(self._rest)
        taken, self._rest = bytes(self._rest[:size_bytes]), self._rest[size_bytes:]
        return taken

    def finish(self) -> None:
        """Read to the end; raises `chunk_torn` when it came too early, `digest_mismatch` for other bytes."""
        while self.read(_READ_BYTES):
            """Only counted."""
        if self._body.torn:
            raise Problem("chunk_torn", f"expected {self._body.length_bytes} B, found {self._body.received_bytes} B")
        for algorithm, hasher in self._hashers.items():
            check_digest(algorithm, self._promised[algorithm], hasher.digest())

    def close(self) -> None:
        """Give back what the pieces are read into."""
        if close := getattr(self._pieces, "close", None):
            close()


def read_form(
    body: Body,
    content_type: str,
    fields: Fields,
    *,
    promised: dict[str, bytes],
    file: BinaryIO,
    check_size: Callable[[int], None],
) -> tuple[FilePart, dict[str, str]]:
    """The part `file`, its bytes copied to `file`, and all texts by name; `promised` are digests of the whole body.

    `check_size` is asked as the file grows and raises when it is too large. Raises `invalid_request` for what is no
    such form, or whose `fields` are wrong; `chunk_torn`, `digest_mismatch`, `storage_full`.
    """
    with closing(FormReader(body, promised)) as reader:
        with _understood(reader):
            parts = _Parts(file, check_size)
            for part in _form(reader, content_type, body.length_bytes):
                parts.take(part)
        reader.finish()
    return parts.checked(fields)


def _form(reader: FormReader, content_type: str, length_bytes: int) -> MultipartForm:
    handler = MultipartFormHandler()
    handler.parse_options.max_body_part_count = _MAX_PARTS
    handler.parse_options.max_body_part_headers_size = _MAX_HEADERS_BYTES
    return handler.deserialize(cast(Any, reader), content_type, length_bytes)


@contextmanager
def _understood(reader: FormReader) -> Iterator[None]:
    """What Falcon can't understand is `invalid_request`, unless that is because the client hung up."""
    try:
        yield
    except (HTTPBadRequest, UnicodeError) as error:
        reader.finish()
        reason = error.description if isinstance(error, HTTPBadRequest) else "a part's header is not UTF-8"
        raise Problem("invalid_request", f"expected a multipart form, found: {reason}") from error


class _Parts:
    """The parts of a form, taken one after the other."""

    def __init__(self, file: BinaryIO, check_size: Callable[[int], None]) -> None:
        self._file = file
        self._check_size = check_size
        self._found: dict[str, Any] = {}
        self._file_part = FilePart("", "", 0)

    def take(self, part: BodyPart) -> None:
        """Read the part before the next one is asked for."""
        name = part.name or ""
        if name in self._found:
            errors = [{"field": name[:64], "message": "expected it once, found it again"}]
            raise Problem("invalid_request", f"wrong in the form: {name[:64]}", errors=errors)
        self._found[name] = self._copied(part) if name == "file" else _text(part)

    def _copied(self, part: BodyPart) -> str | None:
        size_bytes = 0
        with space_told():
            while piece := part.stream.read(_READ_BYTES):
                size_bytes += len(piece)
                self._check_size(size_bytes)
                self._file.write(piece)
        self._file_part = FilePart(part.filename or "", part.content_type, size_bytes)
        return part.filename

    def checked(self, fields: Fields) -> tuple[FilePart, dict[str, str]]:
        """All parts; raises `invalid_request` with everything that is wrong with them."""
        checks = {"file": _named} | fields
        documents.check(self._found, checks, frozenset({"file"}), "form")
        return self._file_part, {name: text for name, text in self._found.items() if name != "file"}


def _text(part: BodyPart) -> str:
    # What is longer is longer than any field may be, so it need not be read to be refused.
    return part.stream.read(_MAX_TEXT_BYTES).decode()


def _named(value: Any) -> str | None:
    return None if isinstance(value, str) else "a part with a filename"
