"""tus in lanes: a file in parts that travel at the same time, each an upload of its own, joined at the end.

tus calls that concatenation. It is an extension, so the server is asked first; where it can't, a file has one lane.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from upswarm.content.base import File
from upswarm.protocols.answers import fault, kind_of
from upswarm.transfer.chunks import Chunk, Grid
from upswarm.transfer.dialect import ChunkDigest, Flow, Session, UploadProtocol
from upswarm.transfer.failures import Fault
from upswarm.transfer.messages import Phase, Request, Response
from upswarm.transfer.ranges import Ranges
from upswarm.transfer.records import Receipt
from upswarm.transfer.suspended import session_document, session_of

_NO_LIMIT = 1 << 63
_SPEAKS_NO_OPTIONS = {404, 405, 501}
T = TypeVar("T")
Parts = tuple[Session, ...]


class TusInLanes:
    """Wraps `tus`, and is a protocol itself. `Session.state` has the parts' own sessions, in the file's order.

    A part is a row of the grid, so it has the chunks of one lane, in order. None is smaller than a chunk: of smaller
    files there are fewer parts, and one part is the file itself and joined with nothing. Parts stay on the server when
    they are joined, as other clients leave them, until it thinks of expiring them.
    """

    def __init__(self, tus: UploadProtocol, lanes: int) -> None:
        self._tus = tus
        self._lanes = lanes
        self._joins: bool | None = None
        self.caps = replace(
            tus.caps,
            joined=_furthest,
            state_to_plain=lambda parts: [session_document(part, tus.caps) for part in parts],
            state_of_plain=lambda plain: tuple(session_of(part, tus.caps) for part in plain),
        )

    def create(self, file: File, chunk_size_bytes: int | None) -> Flow[Session]:
        """`POST` of each part; before the process's first one `OPTIONS`, to hear whether they could be joined."""
        size_bytes = self.caps.chunk_size_bytes(chunk_size_bytes, file.size_bytes, max_chunks=_NO_LIMIT)
        count = min(self._lanes, file.size_bytes // size_bytes)
        if count < 2 or not (yield from self._server_joins()):
            parts = [(yield from self._tus.create(file, size_bytes))]
        else:
            parts = []
            for part in _cut(file, -(-file.size_bytes // count)):
                parts.append((yield from _changed(self._tus.create(part, size_bytes), _as_part)))
        grid = Grid(file.size_bytes, size_bytes, fixed=False, row_bytes=max(1, parts[0].grid.size_bytes))
        return Session(parts[0].upload_id, grid, state=tuple(parts))

    def send(self, session: Session, chunk: Chunk, file: File, digest: ChunkDigest | None) -> Flow[Session]:
        """`PATCH` of the part in which the chunk lies."""
        parts: Parts = session.state
        number, offset = divmod(chunk.offset, _part_bytes(session))
        part = _Part(file, chunk.offset - offset, parts[number].grid.size_bytes)
        after = yield from self._tus.send(parts[number], replace(chunk, offset=offset), part, digest)
        return _with(session, (*parts[:number], after, *parts[number + 1 :]))

    def probe(self, session: Session) -> Flow[Session]:
        """`HEAD` of each part."""
        parts = []
        for part in session.state:
            parts.append((yield from self._tus.probe(part)))
        return _with(session, tuple(parts))

    def finalize(self, session: Session, file: File) -> Flow[Receipt]:
        """`POST` of the parts' URLs, which makes the file; nothing where the file had one part.

        If the answer is lost, the request comes a second time and makes a second file: tus knows no way to ask.
        """
        if len(session.state) == 1:
            return (yield from self._tus.finalize(session.state[0], file))
        urls = " ".join(part.upload_id for part in session.state)
        joined = yield from _changed(self._tus.create(file, None), lambda request: _as_final(request, urls))
        return Receipt(joined.upload_id, file.size_bytes)

    def abort(self, session: Session) -> Flow[None]:
        """`DELETE` of each part, also when it fails for one of them."""
        failed: Fault | None = None
        for part in session.state:
            try:
                yield from self._tus.abort(part)
            except Fault as error:
                failed = error
        if failed is not None:
            raise failed

    def _server_joins(self) -> Flow[bool]:
        """Asked until it is known; users who begin at the same time each ask."""
        if self._joins is None:
            answer = yield Request(Phase.INIT, "OPTIONS", "")
            joins = _can_join(answer)
            if self._joins is None and not joins:
                expected = "expected the tus extension concatenation, for transfer.parallel_chunks"
                logging.getLogger(__name__).warning("%s: %s; uploads have one lane each", answer.url, expected)
            self._joins = joins
        return self._joins


class _Part:
    """A range of a file, as a file."""

    def __init__(self, whole: File, start: int, size_bytes: int) -> None:
        self._whole = whole
        self._start = start
        self.name = whole.name
        self.size_bytes = size_bytes

    @property
    def allocated_bytes(self) -> int:
        return self._whole.allocated_bytes

    def views(self, offset: int, length: int) -> Iterator[memoryview]:
        return self._whole.views(self._start + offset, length)

    def digest(self, algorithm: str, offset: int, length: int) -> bytes:
        return self._whole.digest(algorithm, self._start + offset, length)

    def close(self) -> None:
        """The whole file is closed by whoever opened it."""


def _cut(file: File, part_bytes: int) -> Iterator[_Part]:
    for start in range(0, file.size_bytes, part_bytes):
        yield _Part(file, start, min(part_bytes, file.size_bytes - start))


def _can_join(answer: Response) -> bool:
    if answer.status in _SPEAKS_NO_OPTIONS:
        return False
    if answer.status not in {200, 204}:
        raise fault(answer, "expected status 200 or 204 of OPTIONS", kind_of(answer))
    return "concatenation" in (name.strip() for name in answer.headers.get("tus-extension", "").split(","))


def _changed(flow: Flow[T], change: Callable[[Request], Request]) -> Flow[T]:
    """The same step with other requests."""
    try:
        request = next(flow)
        while True:
            request = flow.send((yield change(request)))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def _as_part(request: Request) -> Request:
    """What is told of the file is told of the final one."""
    headers = {name: value for name, value in request.headers.items() if name != "Upload-Metadata"}
    return replace(request, headers={**headers, "Upload-Concat": "partial"})


def _as_final(request: Request, urls: str) -> Request:
    """Its length is the sum of its parts', and must not be told."""
    headers = {name: value for name, value in request.headers.items() if name != "Upload-Length"}
    return replace(request, phase=Phase.FINALIZE, headers={**headers, "Upload-Concat": f"final;{urls}"})


def _part_bytes(session: Session) -> int:
    assert session.grid.row_bytes is not None
    return session.grid.row_bytes


def _with(session: Session, parts: Parts) -> Session:
    starts = range(0, len(parts) * _part_bytes(session), _part_bytes(session))
    spans = [(start + low, start + high) for start, part in zip(starts, parts, strict=True) for low, high in part.held]
    return replace(session, held=Ranges.of(spans), state=parts)


def _furthest(one: Parts, other: Parts) -> Parts:
    """Of each part what is known to be further: while lanes send, nothing that is held is lost."""
    return tuple(max(pair, key=lambda part: part.held.total_bytes) for pair in zip(one, other, strict=True))
