"""Google Cloud Storage's resumable uploads (JSON API): chunks in order, and the last one makes the file.

The target's URL ends with the bucket: `https://storage.googleapis.com/upload/storage/v1/b/BUCKET`.
"""

from __future__ import annotations

import base64
import re
from dataclasses import asdict, replace
from urllib.parse import quote

from upswarm.content.base import File
from upswarm.protocols.answers import fault, kind_at_init, kind_of, location
from upswarm.transfer.chunks import Chunk, Grid
from upswarm.transfer.dialect import Caps, ChunkDigest, Flow, Session
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.messages import Body, Phase, Request, Response
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import Receipt
from upswarm.transfer.stored import Stored

_STEP_BYTES = 256 << 10
_RESUME_INCOMPLETE = 308
_CANCELLED = 499
_NO_LIMIT = 1 << 63
_UPLOADS, _OBJECTS = "/upload/storage/", "/storage/"
_CRC32C_BYTES = 4
_SIZE = re.compile(r"[0-9]{1,18}", re.ASCII)
_RANGE = re.compile(r"bytes=0-([0-9]{1,18})", re.ASCII)
_GAP = b"exceeds already uploaded size"  # with a 503, although waiting would not help


class Gcs:
    """The dialect of `uploadType=resumable`. `Session.state` is the receipt, once the server has answered with one."""

    caps = Caps(
        sequential=True,
        min_chunk_bytes=_STEP_BYTES,
        multiple_bytes=_STEP_BYTES,
        state_to_plain=lambda receipt: receipt and asdict(receipt),
        state_of_plain=lambda plain: plain and Receipt(**plain),
    )

    def __init__(self, client_id: str) -> None:
        """The protocol has no place for a client's name."""

    def create(self, file: File, chunk_size_bytes: int | None) -> Flow[Session]:
        """`POST /o?uploadType=resumable`; whoever has the URL in the answer may upload."""
        path = f"/o?uploadType=resumable&name={quote(file.name, safe='')}"
        about = {"X-Upload-Content-Type": "application/octet-stream", "X-Upload-Content-Length": str(file.size_bytes)}
        answer = yield Request(Phase.INIT, "POST", path, about)
        if answer.status not in {200, 201}:
            raise fault(answer, "expected status 200", kind_at_init(answer))
        fitting_bytes = self.caps.chunk_size_bytes(chunk_size_bytes, file.size_bytes, max_chunks=_NO_LIMIT)
        return Session(location(answer), Grid(file.size_bytes, fitting_bytes, fixed=False))

    def send(self, session: Session, chunk: Chunk, file: File, digest: ChunkDigest | None) -> Flow[Session]:
        """`PUT` with the place of the bytes; 308 says how much is held, 200 comes with the last chunk."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {chunk.offset}-{chunk.end - 1}/{file.size_bytes}",
        }
        body = Body.of_chunk(file, chunk)
        answer = yield Request(Phase.CHUNK, "PUT", session.upload_id, headers, body)
        after = _after(session, answer)
        if not after.held.covers(chunk.offset, chunk.end):
            raise fault(answer, f"expected {chunk.end} bytes to be held, found {after.held.total_bytes}", Failure.SYNC)
        return after

    def probe(self, session: Session) -> Flow[Session]:
        """An empty `PUT` with no place; an upload that is complete is answered with its file."""
        return _after(session, (yield _question(Phase.PROBE, session)))

    def finalize(self, session: Session, file: File) -> Flow[Receipt]:
        """The last chunk has done it already; only an empty file, which has none, is asked for."""
        if isinstance(session.state, Receipt):
            return session.state
        answer = yield _question(Phase.FINALIZE, session)
        receipt = _after(session, answer).state
        if not isinstance(receipt, Receipt):
            raise fault(answer, "expected the file", Failure.INCOMPLETE)
        return receipt

    def abort(self, session: Session) -> Flow[None]:
        """`DELETE`, which succeeds with the status 499."""
        answer = yield Request(Phase.ABORT, "DELETE", session.upload_id)
        if answer.status not in {_CANCELLED, 204}:
            raise _fault(answer, str(_CANCELLED))

    def inspect(self, receipt: Receipt) -> Flow[Stored]:
        """`GET` of the object's metadata, with the CRC32C that the service keeps.

        Amongst the URLs for uploads there are no objects at Google's; then they are where the answer was not.
        """
        path = f"/o/{quote(receipt.file_id, safe='')}"
        answer = yield Request(Phase.PROBE, "GET", path)
        if answer.status != 200 and _UPLOADS in answer.url:
            answer = yield Request(Phase.PROBE, "GET", answer.url.replace(_UPLOADS, _OBJECTS, 1))
        if answer.status != 200:
            raise fault(answer, "expected status 200", kind_of(answer))
        return Stored(_receipt_size(answer), _crc32c(answer))


def _question(phase: Phase, session: Session) -> Request:
    return Request(phase, "PUT", session.upload_id, {"Content-Range": f"bytes */{session.grid.size_bytes}"})


def _after(session: Session, answer: Response) -> Session:
    size_bytes = session.grid.size_bytes
    if answer.status in {200, 201}:
        return replace(session, held=Ranges.of([(0, size_bytes)]), state=_receipt(answer, size_bytes))
    if answer.status == _RESUME_INCOMPLETE:
        return replace(session, held=_held(answer, size_bytes), state=None)
    raise _fault(answer, "200 or 308")


def _held(answer: Response, size_bytes: int) -> Ranges:
    """Without a `Range`, nothing is held; `0-0` is nothing too, for GCS keeps multiples of 256 KiB."""
    text = answer.headers.get("range", "bytes=0-0").strip()
    match = _RANGE.fullmatch(text)
    if match is None or int(match[1]) >= max(size_bytes, 1):
        raise fault(answer, f"expected a Range within {size_bytes} bytes, found {text!r}", Failure.BROKEN)
    return Ranges(((0, int(match[1]) + 1),)) if int(match[1]) else NOTHING


def _receipt(answer: Response, size_bytes: int) -> Receipt:
    document = answer.json()
    name, size = document.get("name"), str(document.get("size"))  # the API writes 64 bit integers as texts
    if not isinstance(name, str) or not name:
        raise fault(answer, "expected a file with a 'name'", Failure.BROKEN)
    if size != str(size_bytes):
        raise fault(answer, f"sent {size_bytes} bytes, the server has {size}", Failure.BROKEN)
    return Receipt(name, size_bytes)


def _receipt_size(answer: Response) -> int:
    size = str(answer.json().get("size"))
    if not _SIZE.fullmatch(size):
        raise fault(answer, "expected a file with a 'size'", Failure.BROKEN)
    return int(size)


def _crc32c(answer: Response) -> ChunkDigest | None:
    """In base64, with the highest byte first, as it is in `Content-Digest` too."""
    try:
        value = base64.b64decode(str(answer.json().get("crc32c", "")), validate=True)
    except ValueError:
        return None
    return ChunkDigest("crc32c", value) if len(value) == _CRC32C_BYTES else None


def _fault(answer: Response, expected: str) -> Fault:
    if answer.status == _CANCELLED:
        return fault(answer, "the upload was cancelled", Failure.GONE)
    kind = Failure.SYNC if _GAP in answer.body else kind_of(answer)
    return fault(answer, f"expected status {expected}", kind)
