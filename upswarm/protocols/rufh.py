"""Resumable Uploads for HTTP, an IETF draft: as tus, but the client says which byte is the last one.

draft-ietf-httpbis-resumable-upload; the target's URL is the one that uploads are created at. Servers speak one
interop version of the draft: 8 is that of the drafts 09 and later, 7 of 06 to 08, 6 of 04 and 05, 5 of 03, 4 of 02.
What is sent is the same in all of them. For another one than 8 name a class of one's own as `module:attribute`:

    class Rufh6(Rufh):
        interop_version = 6
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import quote

from upswarm.content.base import File
from upswarm.digests import ALGORITHMS, format_header
from upswarm.protocols.answers import fault, kind_of, location
from upswarm.protocols.offsets import NOT_THERE, held_after, held_by, size_of
from upswarm.transfer.chunks import Chunk, Grid
from upswarm.transfer.dialect import Caps, ChunkDigest, Flow, Session
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Body, Phase, Request, Response
from upswarm.transfer.ranges import Ranges
from upswarm.transfer.records import Receipt
from upswarm.transfer.stored import Stored

INTEROP_VERSION = 8
_COMPLETE, _INCOMPLETE = "?1", "?0"
_COMPLETED = "completed-upload"
_BY_PROBLEM = {
    "mismatching-upload-offset": Failure.SYNC,
    "digest-mismatching-values": Failure.CORRUPT,
}
_NO_LIMIT = 1 << 63


class Rufh:
    """The dialect of the draft's "careful" way: create without bytes, so that a cut at any time can be resumed.

    An upload's id is its URL. `Session.state` is whether the server said that it is complete: all bytes may be
    there, and the client's word missing that they are all.
    """

    interop_version = INTEROP_VERSION
    caps = Caps(sequential=True, digests=frozenset(ALGORITHMS))

    def __init__(self, client_id: str) -> None:
        """The protocol has no place for a client's name."""

    def create(self, file: File, chunk_size_bytes: int | None) -> Flow[Session]:
        """`POST` to the target; sizes of chunks keep to the server's `Upload-Limit`."""
        headers = {
            **self._version,
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f"inline; filename*=UTF-8''{quote(file.name, safe='')}",
            "Upload-Length": str(file.size_bytes),
            "Upload-Complete": _INCOMPLETE,
        }
        answer = yield Request(Phase.INIT, "POST", "", headers)
        if answer.status in NOT_THERE:
            raise fault(answer, "expected status 2xx", NOT_THERE[answer.status])
        _expect(answer)
        size_bytes = self.caps.chunk_size_bytes(chunk_size_bytes, file.size_bytes, max_chunks=_NO_LIMIT)
        return Session(location(answer), Grid(file.size_bytes, _limited(size_bytes, answer), fixed=False), state=False)

    def send(self, session: Session, chunk: Chunk, file: File, digest: ChunkDigest | None) -> Flow[Session]:
        """`PATCH`; the one with the last byte says so."""
        last = _COMPLETE if chunk.end == file.size_bytes else _INCOMPLETE
        headers = self._append(chunk.offset, last)
        if digest is not None:
            headers["Content-Digest"] = format_header(digest.algorithm, digest.value)
        body = Body.of_chunk(file, chunk)
        answer = _expect((yield Request(Phase.CHUNK, "PATCH", session.upload_id, headers, body)))
        if "upload-offset" in answer.headers:
            held_after(session, chunk, answer)
        after = replace(session, held=session.held | Ranges(((chunk.offset, chunk.end),)))
        return replace(after, state=answer.headers.get("upload-complete", last) == _COMPLETE)

    def probe(self, session: Session) -> Flow[Session]:
        """`HEAD`."""
        answer = _expect((yield Request(Phase.PROBE, "HEAD", session.upload_id, self._version)))
        return replace(held_by(session, answer), state=answer.headers.get("upload-complete") == _COMPLETE)

    def finalize(self, session: Session, file: File) -> Flow[Receipt]:
        """The last chunk has done it already; else, and for an empty file, an empty `PATCH` says that this is all."""
        if session.state is not True:
            headers = self._append(file.size_bytes, _COMPLETE)
            answer = yield Request(Phase.FINALIZE, "PATCH", session.upload_id, headers)
            if _problem(answer) != _COMPLETED:  # which is the answer to a finalize whose first answer was lost
                _expect(answer)
        return Receipt(session.upload_id, file.size_bytes)

    def abort(self, session: Session) -> Flow[None]:
        """`DELETE`."""
        _expect((yield Request(Phase.ABORT, "DELETE", session.upload_id, self._version)))

    def inspect(self, receipt: Receipt) -> Flow[Stored]:
        """`HEAD` of the upload, if the server still knows it."""
        answer = _expect((yield Request(Phase.PROBE, "HEAD", receipt.file_id, self._version)))
        return Stored(size_of(answer))

    @property
    def _version(self) -> dict[str, str]:
        return {"Upload-Draft-Interop-Version": str(self.interop_version)}

    def _append(self, offset_bytes: int, complete: str) -> dict[str, str]:
        return {
            **self._version,
            "Content-Type": "application/partial-upload",
            "Upload-Offset": str(offset_bytes),
            "Upload-Complete": complete,
        }


def _limited(size_bytes: int, answer: Response) -> int:
    """The size of chunks within the limits that the server has told, if it has."""
    for name, nearer in (("min-append-size", max), ("max-append-size", min)):
        found = re.search(rf"(?:^|,)[ \t]*{name}=([0-9]{{1,15}})", answer.headers.get("upload-limit", ""))
        size_bytes = nearer(size_bytes, int(found[1])) if found else size_bytes
    return max(1, size_bytes)


def _expect(answer: Response) -> Response:
    if 200 <= answer.status < 300:
        return answer
    problem = _problem(answer)
    raise fault(answer, problem or "expected status 2xx", _kind_of(answer, problem))


def _kind_of(answer: Response, problem: str) -> Failure:
    if answer.headers.get("upload-complete") == _COMPLETE:
        return Failure.REJECTED  # all bytes came, and then the server did not like the file: nothing to resume
    return Failure.SYNC if answer.status == 409 else _BY_PROBLEM.get(problem, kind_of(answer))


def _problem(answer: Response) -> str:
    """The name of the answer's problem type, behind the `#` of its URL, or nothing."""
    kind = answer.json().get("type")
    return kind.partition("#")[2] if isinstance(kind, str) else ""
