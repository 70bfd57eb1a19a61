"""Blob uploads of OCI registries (distribution-spec 1.1): chunks in order, and a digest of the whole file at the end.

The target's URL ends with the repository: `https://registry.example.com/v2/team/image`.
"""

from __future__ import annotations

import re
from dataclasses import replace

from upswarm.content.base import File
from upswarm.protocols.answers import fault, kind_at_init, kind_of, location, stored
from upswarm.transfer.chunks import Chunk, Grid
from upswarm.transfer.dialect import Caps, ChunkDigest, Flow, Session
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Body, Phase, Request, Response
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import Receipt
from upswarm.transfer.stored import Stored

_NO_LIMIT = 1 << 63
_RANGE = re.compile(r"(?:bytes=)?0-([0-9]{1,18})", re.ASCII)
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)
_BY_CODE = {
    "BLOB_UPLOAD_INVALID": Failure.GONE,
    "BLOB_UPLOAD_UNKNOWN": Failure.GONE,
    "DIGEST_INVALID": Failure.CORRUPT,
    "NAME_UNKNOWN": Failure.REJECTED,
    "SIZE_INVALID": Failure.SYNC,
    "RANGE_INVALID": Failure.SYNC,
}


class Oci:
    """The dialect of `/v2/NAME/blobs/uploads/`.

    `Session.state` is the URL for the next request: every answer has a new one.
    """

    caps = Caps(sequential=True)

    def __init__(self, client_id: str) -> None:
        """The protocol has no place for a client's name."""

    def create(self, file: File, chunk_size_bytes: int | None) -> Flow[Session]:
        """`POST /blobs/uploads/`; the server may want chunks of some size at least."""
        answer = yield Request(Phase.INIT, "POST", "/blobs/uploads/")
        if answer.status != 202:
            raise fault(answer, _code(answer) or "expected status 202", kind_at_init(answer))
        fitting_bytes = self.caps.chunk_size_bytes(chunk_size_bytes, file.size_bytes, max_chunks=_NO_LIMIT)
        grid = Grid(file.size_bytes, max(fitting_bytes, _least_bytes(answer)), fixed=False)
        return Session(location(answer), grid, state=location(answer))

    def send(self, session: Session, chunk: Chunk, file: File, digest: ChunkDigest | None) -> Flow[Session]:
        """`PATCH`, to the URL of the answer before."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"{chunk.offset}-{chunk.end - 1}",  # without a unit, other than in HTTP
        }
        body = Body.of_chunk(file, chunk)
        answer = _expect(202, (yield Request(Phase.CHUNK, "PATCH", session.state, headers, body)))
        held = Ranges(((0, _last_byte(answer, session.grid) + 1),))
        if not held.covers(chunk.offset, chunk.end):
            raise fault(answer, f"expected {chunk.end} bytes to be held, found {held.total_bytes}", Failure.SYNC)
        return replace(session, held=held, state=location(answer))

    def probe(self, session: Session) -> Flow[Session]:
        """`GET`; a registry that holds nothing says `0-0`, so a single byte is taken for none."""
        answer = _expect(204, (yield Request(Phase.PROBE, "GET", session.state)))
        last_byte = _last_byte(answer, session.grid)
        held = Ranges(((0, last_byte + 1),)) if last_byte else NOTHING
        return replace(session, held=held, state=location(answer))

    def finalize(self, session: Session, file: File) -> Flow[Receipt]:
        """`PUT` with the digest of the whole file, for which all of it is read once more.

        A PUT whose answer was lost leaves no upload to ask about; then the file itself is looked for.
        """
        digest = f"sha256:{file.digest('sha-256', 0, file.size_bytes).hex()}"
        url = f"{session.state}{'&' if '?' in session.state else '?'}digest={digest}"
        answer = yield Request(Phase.FINALIZE, "PUT", url)
        if answer.status == 404:
            found = yield Request(Phase.FINALIZE, "HEAD", f"/blobs/{digest}")
            answer = replace(answer, status=201) if found.status == 200 else answer
        _expect(201, answer)
        return Receipt(digest, file.size_bytes)

    def abort(self, session: Session) -> Flow[None]:
        """`DELETE`."""
        _expect(204, (yield Request(Phase.ABORT, "DELETE", session.state)))

    def inspect(self, receipt: Receipt) -> Flow[Stored]:
        """`HEAD` of the blob, whose name is its digest: the registry's word that it has compared them."""
        found = stored((yield Request(Phase.PROBE, "HEAD", f"/blobs/{receipt.file_id}")))
        match = _DIGEST.fullmatch(receipt.file_id)
        return replace(found, digest=ChunkDigest("sha-256", bytes.fromhex(match[1])) if match else None)

    def download(self, receipt: Receipt) -> Request:
        """`GET` of the blob."""
        return Request(Phase.PROBE, "GET", f"/blobs/{receipt.file_id}")


def _expect(status: int, answer: Response) -> Response:
    if answer.status == status:
        return answer
    code = _code(answer)
    raise fault(answer, code or f"expected status {status}", _BY_CODE.get(code, kind_of(answer)))


def _code(answer: Response) -> str:
    match answer.json().get("errors"):
        case [{"code": str(code)}, *_]:
            return code
    return ""


def _least_bytes(answer: Response) -> int:
    text = answer.headers.get("oci-chunk-min-length", "").strip()
    return int(text) if _LENGTH.fullmatch(text) else 1


def _last_byte(answer: Response, grid: Grid) -> int:
    text = answer.headers.get("range", "").strip()
    match = _RANGE.fullmatch(text)
    if match is None or int(match[1]) >= max(grid.size_bytes, 1):
        raise fault(answer, f"expected a Range within {grid.size_bytes} bytes, found {text!r}", Failure.BROKEN)
    return int(match[1])
