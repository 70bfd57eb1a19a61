"""tus 1.0.0: bytes in order, addressed by their offset, and the last one makes the file (https://tus.io/protocols).

The target's URL is the one that uploads are created at, such as `http://127.0.0.1:1080/files`; without a path in it
that is `/tus/`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

from upswarm.content.base import File
from upswarm.protocols.answers import fault, kind_of, location
from upswarm.protocols.offsets import NOT_THERE, held_after, held_by, size_of
from upswarm.protocols.tus_lanes import TusInLanes
from upswarm.transfer.chunks import Chunk, Grid
from upswarm.transfer.dialect import Caps, ChunkDigest, Flow, Session, UploadProtocol
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Body, Phase, Request, Response
from upswarm.transfer.records import Receipt
from upswarm.transfer.stored import Stored

_VERSION = {"Tus-Resumable": "1.0.0"}
_CHECKSUMS = {"sha-256": "sha256", "crc32c": "crc32c"}
_BY_STATUS = {409: Failure.SYNC, 460: Failure.CORRUPT}
_NO_LIMIT = 1 << 63


class Tus:
    """The dialect of tus's core with the extensions creation, termination (for aborts) and checksum (for digests).

    An upload's id is its URL. A server without the extension checksum ignores a digest, and says so nowhere but in
    its `OPTIONS`.
    """

    caps = Caps(sequential=True, digests=frozenset(_CHECKSUMS), default_path="/tus/")

    def __init__(self, client_id: str) -> None:
        self._client_id = client_id

    def in_lanes(self, count: int) -> UploadProtocol:
        """A file in parts that travel at the same time, where the server can join them."""
        return TusInLanes(self, count)

    def create(self, file: File, chunk_size_bytes: int | None) -> Flow[Session]:
        """`POST` to the target; an empty file is complete with it."""
        headers = {
            **_VERSION,
            "Upload-Length": str(file.size_bytes),
            "Upload-Metadata": f"filename {_base64(file.name.encode())},client_id {_base64(self._client_id.encode())}",
        }
        answer = _expect({201}, (yield Request(Phase.INIT, "POST", "", headers)), NOT_THERE)
        size_bytes = self.caps.chunk_size_bytes(chunk_size_bytes, file.size_bytes, max_chunks=_NO_LIMIT)
        return Session(location(answer), Grid(file.size_bytes, size_bytes, fixed=False))

    def send(self, session: Session, chunk: Chunk, file: File, digest: ChunkDigest | None) -> Flow[Session]:
        """`PATCH`; the answer says how far the upload is now."""
        headers = {
            **_VERSION,
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(chunk.offset),
        }
        if digest is not None:
            headers["Upload-Checksum"] = f"{_CHECKSUMS[digest.algorithm]} {_base64(digest.value)}"
        body = Body.of_chunk(file, chunk)
        answer = _expect({204}, (yield Request(Phase.CHUNK, "PATCH", session.upload_id, headers, body)))
        return held_after(session, chunk, answer)

    def probe(self, session: Session) -> Flow[Session]:
        """`HEAD`."""
        answer = _expect({200, 204}, (yield Request(Phase.PROBE, "HEAD", session.upload_id, _VERSION)))
        return held_by(session, answer)

    def finalize(self, session: Session, file: File) -> Flow[Receipt]:
        """Nothing: the answer to the last byte, or to a probe, has said that the server holds them all.

        That is the receipt that tus has. A `HEAD` would only ask for it again, and no client of tus does so.
        """
        yield from ()
        return Receipt(session.upload_id, file.size_bytes)

    def abort(self, session: Session) -> Flow[None]:
        """`DELETE`."""
        _expect({204}, (yield Request(Phase.ABORT, "DELETE", session.upload_id, _VERSION)))

    def inspect(self, receipt: Receipt) -> Flow[Stored]:
        """`HEAD`: how many bytes of it the server holds. One that was joined of parts may tell its length only."""
        answer = _expect({200, 204}, (yield Request(Phase.PROBE, "HEAD", receipt.file_id, _VERSION)))
        return Stored(size_of(answer))

    def download(self, receipt: Receipt) -> Request:
        """`GET`, which is not in tus, but in many of its servers."""
        return Request(Phase.PROBE, "GET", receipt.file_id, _VERSION)


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _expect(statuses: set[int], answer: Response, kinds: Mapping[int, Failure] = _BY_STATUS) -> Response:
    if answer.status in statuses:
        return answer
    expected = " or ".join(map(str, sorted(statuses)))
    raise fault(answer, f"expected status {expected}", kinds.get(answer.status, kind_of(answer)))
