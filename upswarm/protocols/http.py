"""A service's own API, as the scenario describes it (docs/custom-http.md): templates of requests, places in answers."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from upswarm.content.base import File
from upswarm.protocols.answers import fault, kind_at_init, kind_of
from upswarm.protocols.payloads import Payload
from upswarm.protocols.templates import Extraction, Template, Value, Values
from upswarm.transfer.chunks import Chunk, Grid
from upswarm.transfer.dialect import Caps, ChunkDigest, Flow, Session
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.messages import Body, Phase, Request, Response
from upswarm.transfer.ranges import Ranges
from upswarm.transfer.records import Receipt
from upswarm.transfer.stored import Stored

NAMES = ("filename", "size", "client_id", "uuid", "chunk_size")
"""What every template knows. `uuid` is made of the client's and the file's name."""
CHUNK_NAMES = ("index", "number", "offset", "length", "last", "end")
"""What templates of `send` know besides: `index` counts from 0, `number` from 1, `end` is the byte after `last`."""
RECEIPT_NAMES = ("file_id", "size")
"""What templates of `inspect` and `download` know: the upload is over, and all that is left of it is its receipt."""
SUCCESSES = frozenset({200, 201, 202, 204})
_NO_LIMIT = 1 << 63
_DIGITS = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Step:
    """One request, which answers are successes, what of them is remembered, and what the others mean."""

    method: str
    path: Template
    headers: Mapping[str, Template] = field(default_factory=dict)
    payload: Payload | None = None
    expect: frozenset[int] = SUCCESSES
    extract: Mapping[str, Extraction] = field(default_factory=dict)
    failures: Mapping[int, Failure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A service's steps; all but `send` may be missing. A probe finds an `offset`, or the `indexes` of chunks."""

    send: Step
    create: Step | None = None
    probe: Step | None = None
    offset: Extraction | None = None
    indexes: Extraction | None = None
    finalize: Step | None = None
    abort: Step | None = None
    inspect: Step | None = None
    download: Step | None = None
    sequential: bool = False


class Http:
    """The dialect of an `Api`. `Session.state` holds the values that templates know.

    It can `inspect` and `download` where the API has these steps.
    """

    def __init__(self, client_id: str, api: Api) -> None:
        self._client_id = client_id
        self._api = api
        in_order = api.sequential or api.offset is not None
        if api.inspect is not None:
            self.inspect = self._inspect
        if api.download is not None:
            self.download = self._download
        self.caps = Caps(in_order, resumes=api.probe is not None, joined=None if in_order else operator.or_)

    def create(self, file: File, chunk_size_bytes: int | None) -> Flow[Session]:
        """The request, where there is one; an upload without an `upload_id` has the client's own `uuid`."""
        values, chunk_size = self._values(file, chunk_size_bytes), None
        if self._api.create is not None:
            answer = yield _request(Phase.INIT, self._api.create, values)
            values |= _extracted(self._api.create, answer, kind_at_init)
            chunk_size = _whole(answer, values, "chunk_size", least=1)
        grid = Grid(file.size_bytes, chunk_size or int(values["chunk_size"]), fixed=self._api.offset is None)
        return Session(str(values.get("upload_id", values["uuid"])), grid, state=values)

    def send(self, session: Session, chunk: Chunk, file: File, digest: ChunkDigest | None) -> Flow[Session]:
        """The request with the chunk in it; a success means that it is held."""
        values = session.state | _place(chunk)
        answer = yield _request(Phase.CHUNK, self._api.send, values, Body.of_chunk(file, chunk))
        state = session.state | _extracted(self._api.send, answer)
        return replace(session, held=session.held | Ranges(((chunk.offset, chunk.end),)), state=state)

    def probe(self, session: Session) -> Flow[Session]:
        """The request, where there is one; where not, what was answered before has to do."""
        if self._api.probe is None:
            return session
        answer = yield _request(Phase.PROBE, self._api.probe, session.state)
        state = session.state | _extracted(self._api.probe, answer)
        return replace(session, held=_held(self._api, answer, session.grid), state=state)

    def finalize(self, session: Session, file: File) -> Flow[Receipt]:
        """The request, where there is one; `file_id` and `file_size` are read from its answer or an earlier one.

        Where there is none, the last chunk has made the file; an empty file, which has no chunk, is sent as one here.
        """
        step, values = self._api.finalize, session.state
        if step is None and file.size_bytes == 0:
            step, values = self._api.send, values | _place(Chunk(0, 0, 0))
        if step is not None:
            answer = yield _request(Phase.FINALIZE, step, values, Body.of_bytes(b""))
            values = values | _extracted(step, answer)
        size = str(values.get("file_size", file.size_bytes))
        if size != str(file.size_bytes):
            raise Fault(Failure.BROKEN, f"sent {file.size_bytes} bytes, the server has {size}")
        return Receipt(str(values.get("file_id", session.upload_id)), file.size_bytes)

    def abort(self, session: Session) -> Flow[None]:
        """The request, where there is one."""
        if self._api.abort is not None:
            _extracted(self._api.abort, (yield _request(Phase.ABORT, self._api.abort, session.state)))

    def _inspect(self, receipt: Receipt) -> Flow[Stored]:
        """The request, which is there; a `file_size` that it finds is the server's word."""
        assert self._api.inspect is not None
        answer = yield _request(Phase.PROBE, self._api.inspect, _of_receipt(receipt))
        return Stored(_whole(answer, _extracted(self._api.inspect, answer), "file_size"))

    def _download(self, receipt: Receipt) -> Request:
        """The request, which is there."""
        assert self._api.download is not None
        return _request(Phase.PROBE, self._api.download, _of_receipt(receipt))

    def _values(self, file: File, chunk_size_bytes: int | None) -> dict[str, Value]:
        return {
            "filename": file.name,
            "size": file.size_bytes,
            "client_id": self._client_id,
            "uuid": str(uuid5(NAMESPACE_URL, f"{self._client_id}/{file.name}")),
            "chunk_size": self.caps.chunk_size_bytes(chunk_size_bytes, file.size_bytes, max_chunks=_NO_LIMIT),
        }


def _of_receipt(receipt: Receipt) -> dict[str, Value]:
    return dict(zip(RECEIPT_NAMES, (receipt.file_id, receipt.size_bytes), strict=True))


def _place(chunk: Chunk) -> dict[str, Value]:
    places = (chunk.index, chunk.index + 1, chunk.offset, chunk.length, chunk.end - 1, chunk.end)
    return dict(zip(CHUNK_NAMES, places, strict=True))


def _request(phase: Phase, step: Step, values: Values, chunk: Body | None = None) -> Request:
    path = step.path.path(values)
    if not path.startswith(("/", "http://", "https://")):
        raise Fault(Failure.BROKEN, f"expected a path or a URL to go on at, found {path[:80]!r}")
    headers, body = {}, None
    if step.payload is not None:
        headers["Content-Type"], body = step.payload.body(values, chunk)
    headers |= {name: template.text(values) for name, template in step.headers.items()}
    return Request(phase, step.method, path, headers, body)


def _extracted(step: Step, answer: Response, usual: Callable[[Response], Failure] = kind_of) -> dict[str, Value]:
    """What the step remembers of its answer; raises Fault where that is not a success, or lacks a value."""
    if answer.status not in step.expect:
        expected = " or ".join(map(str, sorted(step.expect)))
        kind = step.failures.get(answer.status) or usual(answer)
        raise fault(answer, f"expected status {expected}", kind)
    return _values_of(step.extract, answer)


def _values_of(extractions: Mapping[str, Extraction], answer: Response) -> dict[str, Value]:
    values = {}
    for name, extraction in extractions.items():
        value = extraction.value(answer)
        if value is None:
            raise fault(answer, f"without a usable {name!r} ({extraction})", Failure.BROKEN)
        values[name] = value
    return values


def _whole(answer: Response, values: Values, name: str, least: int = 0) -> int | None:
    """A value that has to be a whole number, if it is there."""
    value = values.get(name)
    if value is None:
        return None
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or value < least:
        raise fault(answer, f"expected {name!r} to be a whole number, found {value!r}", Failure.BROKEN)
    return value


def _held(api: Api, answer: Response, grid: Grid) -> Ranges:
    if api.offset is not None:
        end = _whole(answer, _values_of({"offset": api.offset}, answer), "offset") or 0
        if end > grid.size_bytes:
            raise fault(answer, f"expected an offset within {grid.size_bytes} bytes, found {end}", Failure.BROKEN)
        return Ranges.of([(0, end)])
    found = api.indexes.found(answer) if api.indexes is not None else None
    if not isinstance(found, list):
        raise fault(answer, f"without a list of chunks ({api.indexes})", Failure.BROKEN)
    return grid.ranges([_span(answer, item, grid) for item in found])


def _span(answer: Response, item: Any, grid: Grid) -> tuple[int, int]:
    match [item, item] if type(item) is int else item:
        case [int(first), int(last)] if type(first) is type(last) is int and 0 <= first <= last < grid.count:
            return first, last
    raise fault(answer, f"expected indexes of {grid.count} chunks, or pairs of them, found {item!r}", Failure.BROKEN)
