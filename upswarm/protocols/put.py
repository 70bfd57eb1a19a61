"""A whole file in one `PUT`, as WebDAV servers and object stores take it: nothing before it, nothing after it.

The target's URL is the folder that files are put into; it has to be there.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from upswarm.content.base import File
from upswarm.protocols.answers import fault, kind_of, stored
from upswarm.transfer.chunks import Chunk, Grid
from upswarm.transfer.dialect import Caps, ChunkDigest, Flow, Session
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Body, Phase, Request, Response
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import Receipt
from upswarm.transfer.stored import Stored


class Put:
    """The dialect of a plain `PUT`. Its one chunk is the file, whatever size of chunks is wished for.

    A put that was cut leaves nothing to go on from, so a resume sends the file again.
    """

    caps = Caps(sequential=True, resumes=False)

    def __init__(self, client_id: str) -> None:
        """The protocol has no place for a client's name."""

    def create(self, file: File, chunk_size_bytes: int | None) -> Flow[Session]:
        """Nothing: the file's name is all there is to know."""
        yield from ()
        return Session(f"/{quote(file.name, safe='')}", Grid(file.size_bytes, max(1, file.size_bytes)))

    def send(self, session: Session, chunk: Chunk, file: File, digest: ChunkDigest | None) -> Flow[Session]:
        """`PUT` of the whole file; again is a success."""
        _expect_put((yield _put(Phase.CHUNK, session, Body.of_chunk(file, chunk))))
        return replace(session, held=Ranges(((chunk.offset, chunk.end),)))

    def probe(self, session: Session) -> Flow[Session]:
        """Nothing is asked, for nothing is held of a file that is not there."""
        yield from ()
        return replace(session, held=NOTHING)

    def finalize(self, session: Session, file: File) -> Flow[Receipt]:
        """The `PUT` has made the file; only an empty one, which has no chunk, is put here."""
        if file.size_bytes == 0:
            _expect_put((yield _put(Phase.FINALIZE, session, None)))
        return Receipt(session.upload_id, file.size_bytes)

    def abort(self, session: Session) -> Flow[None]:
        """`DELETE` of what is half there; most servers keep nothing of that, and answer 404."""
        _expect({200, 202, 204, 404}, (yield Request(Phase.ABORT, "DELETE", session.upload_id)))

    def inspect(self, receipt: Receipt) -> Flow[Stored]:
        """`HEAD` of what was put."""
        return stored((yield Request(Phase.PROBE, "HEAD", receipt.file_id)))

    def download(self, receipt: Receipt) -> Request:
        """`GET` of what was put."""
        return Request(Phase.PROBE, "GET", receipt.file_id)


def _put(phase: Phase, session: Session, body: Body | None) -> Request:
    return Request(phase, "PUT", session.upload_id, {"Content-Type": "application/octet-stream"}, body)


def _expect_put(answer: Response) -> None:
    _expect({200, 201, 204}, answer)


def _expect(statuses: set[int], answer: Response) -> None:
    if answer.status in statuses:
        return
    expected = ", ".join(map(str, sorted(statuses)))
    kind = kind_of(answer)
    # There is no upload that could be gone: a 404 means that there is no such folder.
    raise fault(answer, f"expected status {expected}", Failure.REJECTED if kind is Failure.GONE else kind)
