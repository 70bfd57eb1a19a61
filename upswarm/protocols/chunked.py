"""upswarm's chunked protocol, version 1: init, chunks by index in any order, finalize (see server/PROTOCOL.md)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from upswarm.content.base import File
from upswarm.digests import ALGORITHMS, format_header
from upswarm.protocols.answers import kind_of
from upswarm.transfer.chunks import Chunk, Grid
from upswarm.transfer.dialect import Caps, ChunkDigest, Flow, Session, stateless
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.messages import Body, Phase, Request, Response
from upswarm.transfer.ranges import Ranges
from upswarm.transfer.records import Receipt
from upswarm.transfer.stored import Listed, Page, Stored

_PAGE_FILES = 1000
_BY_CODE = {
    "chunk_torn": Failure.CORRUPT,
    "digest_mismatch": Failure.CORRUPT,
    "chunk_length_mismatch": Failure.SYNC,
    "chunk_out_of_range": Failure.SYNC,
    "upload_incomplete": Failure.INCOMPLETE,
}


class Chunked:
    """The dialect of `/v1/uploads`: a fixed grid, chunks in any order, a cut chunk is dropped whole."""

    caps = Caps(digests=frozenset(ALGORITHMS), joined=stateless)

    def __init__(self, client_id: str) -> None:
        self._client_id = client_id

    def create(self, file: File, chunk_size_bytes: int | None) -> Flow[Session]:
        """`POST /v1/uploads`; the server answers with the chunk size that holds."""
        wish = {} if chunk_size_bytes is None else {"chunk_size_bytes": chunk_size_bytes}
        about = {"filename": file.name, "size_bytes": file.size_bytes, "client_id": self._client_id, **wish}
        answer = _expect(201, (yield Request.with_json(Phase.INIT, "POST", "/v1/uploads", about)))
        return Session(_field(answer, "upload_id", str), _grid(answer, file.size_bytes))

    def send(self, session: Session, chunk: Chunk, file: File, digest: ChunkDigest | None) -> Flow[Session]:
        """`PUT /v1/uploads/{id}/chunks/{index}`; the same chunk again is a success."""
        headers = {"Content-Type": "application/octet-stream"}
        if digest is not None:
            headers["Content-Digest"] = format_header(digest.algorithm, digest.value)
        path = f"{_path(session)}/chunks/{chunk.index}"
        _expect(204, (yield Request(Phase.CHUNK, "PUT", path, headers, Body.of_chunk(file, chunk))))
        return replace(session, held=session.held | Ranges(((chunk.offset, chunk.end),)))

    def probe(self, session: Session) -> Flow[Session]:
        """`GET /v1/uploads/{id}`; what is held comes as index ranges."""
        answer = _expect(200, (yield Request(Phase.PROBE, "GET", _path(session))))
        return replace(session, held=_held(answer, session.grid))

    def finalize(self, session: Session, file: File) -> Flow[Receipt]:
        """`POST /v1/uploads/{id}/finalize`; again gives the same answer."""
        answer = _expect(201, (yield Request(Phase.FINALIZE, "POST", f"{_path(session)}/finalize")))
        receipt = Receipt(_field(answer, "file_id", str), _field(answer, "size_bytes", int))
        if receipt.size_bytes != file.size_bytes:
            raise Fault(Failure.BROKEN, f"sent {file.size_bytes} bytes, the server has {receipt.size_bytes}")
        return receipt

    def abort(self, session: Session) -> Flow[None]:
        """`DELETE /v1/uploads/{id}`."""
        _expect(204, (yield Request(Phase.ABORT, "DELETE", _path(session))))

    def inspect(self, receipt: Receipt) -> Flow[Stored]:
        """`GET /v1/files/{id}`: the record, which has no digest."""
        answer = _expect(200, (yield Request(Phase.PROBE, "GET", _file_path(receipt))))
        return Stored(_field(answer, "size_bytes", int))

    def listing(self, prefix: str, following: str) -> Flow[Page]:
        """`GET /v1/files?prefix=…`, a thousand at a time."""
        cursor = f"&cursor={quote(following, safe='')}" if following else ""
        path = f"/v1/files?limit={_PAGE_FILES}&prefix={quote(prefix, safe='')}{cursor}"
        answer = _expect(200, (yield Request(Phase.PROBE, "GET", path)))
        files = tuple(_listed(answer, each) for each in _field(answer, "files", list))
        return Page(files, str(answer.json().get("next_cursor") or ""))

    def download(self, receipt: Receipt) -> Request:
        """`GET /v1/files/{id}/content`."""
        return Request(Phase.PROBE, "GET", f"{_file_path(receipt)}/content")


def _file_path(receipt: Receipt) -> str:
    return f"/v1/files/{quote(receipt.file_id, safe='')}"


def _listed(answer: Response, file: Any) -> Listed:
    match file:
        case {"file_id": str(file_id), "filename": str(name), "size_bytes": int(size_bytes)}:
            return Listed(file_id, name, size_bytes)
    raise _unusable(answer, "files")


def _path(session: Session) -> str:
    return f"/v1/uploads/{quote(session.upload_id, safe='')}"


def _expect(status: int, response: Response) -> Response:
    if response.status == status:
        return response
    problem = response.json()
    kind = _BY_CODE.get(str(problem.get("code"))) or kind_of(response)
    detail = problem.get("code") or f"expected status {status}"
    raise Fault(kind, f"{response.status} {detail}", status=response.status)


def _grid(answer: Response, size_bytes: int) -> Grid:
    chunk_size_bytes = _field(answer, "chunk_size_bytes", int)
    if chunk_size_bytes < 1:
        raise _unusable(answer, "chunk_size_bytes")
    return Grid(size_bytes, chunk_size_bytes)


def _held(answer: Response, grid: Grid) -> Ranges:
    spans = _field(answer, "received_chunks", list)
    for span in spans:
        match span:
            case [int(first), int(last)] if 0 <= first <= last < grid.count:
                continue
        raise _unusable(answer, "received_chunks")
    return grid.ranges(spans)


def _field(response: Response, name: str, kind: type) -> Any:
    value = response.json().get(name)
    if type(value) is not kind:  # exactly: JSON's true is an int to isinstance
        raise _unusable(response, name)
    return value


def _unusable(response: Response, name: str) -> Fault:
    return Fault(Failure.BROKEN, f"{response.status} without a usable {name!r}", status=response.status)
