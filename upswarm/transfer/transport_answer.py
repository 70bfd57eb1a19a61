"""One answer, read from bytes as they come: no socket and no clock, so every split of the bytes is the same answer."""

from __future__ import annotations

import re
import zlib
from collections.abc import Generator, Iterable
from typing import TypeVar

from upswarm.transfer.failures import Failure, Interrupted
from upswarm.transfer.messages import Response

MOST_HEAD_BYTES = 64 << 10
MOST_BODY_BYTES = 16 << 20
MOST_INTERIM = 32
MOST_TRAILERS = 100

_STATUS = re.compile(r"HTTP/(1\.[0-9]) ([1-9][0-9]{2})(?: .*)?")
_HEAD_END = re.compile(rb"\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;.*)?")
_DIGITS = re.compile(r"[0-9]{1,19}")
_ZLIB_OR_GZIP = 47  # what zlib calls the largest window, and finding out which of the two it is

T = TypeVar("T")
Steps = Generator[None, None, T]
"""Yields whenever more bytes are needed."""


class Answer:
    """The final answer to a request of this method: `feed` it what arrives, `end` it when the connection has ended.

    Interim answers (1xx, except 101) are read over. `closing` is true from the final head on if no other request will
    be answered on this connection. What is torn, no HTTP, or longer than the bounds above raises `Interrupted`.
    """

    def __init__(self, method: str) -> None:
        self.closing = False
        self.response: Response | None = None
        self._method = method
        self._buffer = bytearray()
        self._ended = False
        self._place = "before the answer"
        self._steps = self._read()

    @property
    def done(self) -> bool:
        """Whether the whole answer is there."""
        return self.response is not None

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request: the answer is whole and nothing came behind it."""
        return self.done and not self.closing and not self._buffer

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        self._buffer += data
        self._go_on()

    def end(self) -> None:
        """The connection has ended: so has an answer without a length; any other is torn."""
        self._ended = self.closing = True
        self._go_on()
        if not self.done:
            raise Interrupted(Failure.TORN, f"the connection ended {self._place}")

    def _go_on(self) -> None:
        if self.done:
            return
        try:
            next(self._steps)
        except StopIteration as end:
            self.response = end.value

    def _read(self) -> Steps[Response]:
        for _ in range(MOST_INTERIM):
            version, status, headers = yield from self._head()
            if status == 101 or status >= 200:
                break
        else:
            raise _garbled(f"expected an answer, found {MOST_INTERIM} interim ones")
        self._place = "in the body of the answer"
        self.closing = self.closing or status == 101 or not _keeps_alive(version, headers)
        body = yield from self._body(status, headers)
        return Response(status, headers, _decoded(body, headers.get("content-encoding", "")))

    def _head(self) -> Steps[tuple[str, int, dict[str, str]]]:
        while not self._buffer:
            yield
        self._place = "in the head of the answer"
        head = (yield from self._until(_HEAD_END)).decode("latin-1")
        line, *lines = (_FOLD.sub(" ", head) if "\n " in head or "\n\t" in head else head).split("\n")
        found = _STATUS.fullmatch(line.rstrip("\r"))
        if not found:
            raise _garbled(f"expected an answer in HTTP/1.1, found {line[:60]!r}")
        return found[1], int(found[2]), _fields(lines)

    def _body(self, status: int, headers: dict[str, str]) -> Steps[bytes]:
        if self._method == "HEAD" or status in {101, 204, 304} or (self._method == "CONNECT" and status < 300):
            return b""
        if (coding := headers.get("transfer-encoding", "")) != "":
            if coding.lower() != "chunked":
                raise _garbled(f"expected a transfer coding that is chunked, found {coding[:60]!r}")
            return (yield from self._chunked())
        if "content-length" in headers:
            return (yield from self._exactly(_length(headers["content-length"])))
        return (yield from self._until_the_end())

    def _chunked(self) -> Steps[bytes]:
        body = bytearray()
        while size_bytes := _chunk_size(line := (yield from self._until(_LINE_END))):
            body += yield from self._exactly(size_bytes, before=len(body))
            if line := (yield from self._until(_LINE_END)):
                raise _garbled(f"expected the end of a chunk, found {line[:60]!r}")
        for _ in range(MOST_TRAILERS):
            if not (yield from self._until(_LINE_END)):
                return bytes(body)
        raise _garbled(f"expected at most {MOST_TRAILERS} trailers")

    def _until(self, end: re.Pattern[bytes]) -> Steps[bytes]:
        """The bytes before this end, which is taken too."""
        while not (found := end.search(self._buffer)) and len(self._buffer) <= MOST_HEAD_BYTES:
            yield
        if not found or found.end() > MOST_HEAD_BYTES:
            raise _garbled(f"expected a head of at most {MOST_HEAD_BYTES} bytes, found a longer one")
        taken = bytes(self._buffer[: found.start()])
        del self._buffer[: found.end()]
        return taken

    def _exactly(self, size_bytes: int, before: int = 0) -> Steps[bytes]:
        _check_size(before + size_bytes)
        while len(self._buffer) < size_bytes:
            yield
        taken = bytes(self._buffer[:size_bytes])
        del self._buffer[:size_bytes]
        return taken

    def _until_the_end(self) -> Steps[bytes]:
        self.closing = True
        while not self._ended:
            _check_size(len(self._buffer))
            yield
        return bytes(self._buffer)


def _fields(lines: Iterable[str]) -> dict[str, str]:
    """Names in lower case; what came more than once is joined by commas (RFC 9110, 5.2)."""
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            name, value = name.strip().lower(), value.strip()
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields


def _keeps_alive(version: str, headers: dict[str, str]) -> bool:
    if "connection" not in headers:
        return version != "1.0"
    words = {word.strip() for word in headers["connection"].lower().split(",")}
    return "close" not in words and (version != "1.0" or "keep-alive" in words)


def _length(text: str) -> int:
    """A Content-Length; one that came twice, and the same, is one (RFC 9110, 8.6)."""
    lengths = {each.strip() for each in text.split(",")}
    if len(lengths) > 1 or not _DIGITS.fullmatch(length := lengths.pop()):
        raise _garbled(f"expected a Content-Length that is a number, found {text[:60]!r}")
    return int(length)


def _chunk_size(line: bytes) -> int:
    found = _SIZE.fullmatch(line)
    if not found:
        raise _garbled(f"expected the size of a chunk, found {line[:60]!r}")
    return int(found[1], 16)


def _decoded(body: bytes, coding: str) -> bytes:
    """The body without gzip or deflate, which some servers use although nobody has asked for it."""
    if not body or coding.lower() not in {"gzip", "x-gzip", "deflate"}:
        return body
    unpacking = zlib.decompressobj(_ZLIB_OR_GZIP)
    try:
        plain = unpacking.decompress(body, MOST_BODY_BYTES + 1)
    except zlib.error as error:
        raise _garbled(f"expected a body in {coding}: {error}") from error
    _check_size(len(plain))
    if not unpacking.eof:
        raise _garbled(f"expected a body in {coding}, found the beginning of one")
    return plain


def _check_size(size_bytes: int) -> None:
    if size_bytes > MOST_BODY_BYTES:
        raise _garbled(f"expected an answer of at most {MOST_BODY_BYTES} bytes, found {size_bytes}")


def _garbled(message: str) -> Interrupted:
    return Interrupted(Failure.GARBLED, message)
