"""Block blobs of Azure Blob Storage: blocks under names that the client chooses, in any order, then their list.

The target's URL ends with the container: `https://ACCOUNT.blob.core.windows.net/CONTAINER`, or a prefix in it; a
file's name is its blob's. A chunk can carry neither of upswarm's digests: the service knows MD5 and CRC-64 only.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

from upswarm.content.base import File
from upswarm.protocols.answers import fault, stored
from upswarm.protocols.xml_answers import error_code, expect, number, text
from upswarm.transfer.chunks import Chunk, Grid
from upswarm.transfer.dialect import Caps, ChunkDigest, Flow, Session, stateless
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Body, Phase, Request, Response
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import Receipt
from upswarm.transfer.stored import Listed, Page, Stored

_VERSION = {"x-ms-version": "2021-12-02"}  # blocks of 4000 MiB came with 2019-12-12
_MAX_BLOCKS = 50_000
_KINDS = {
    "BlockCountExceedsLimit": Failure.TOO_LARGE,
    "BlockListTooLong": Failure.TOO_LARGE,
    "ContainerBeingDeleted": Failure.REJECTED,
    "ContainerNotFound": Failure.REJECTED,
    "Crc64Mismatch": Failure.CORRUPT,
    "InvalidAuthenticationInfo": Failure.DENIED,
    "InvalidBlockList": Failure.INCOMPLETE,
    "Md5Mismatch": Failure.CORRUPT,
    "RequestBodyTooLarge": Failure.TOO_LARGE,
    "ServerBusy": Failure.THROTTLED,
}


class Azure:
    """The dialect of `?comp=block`: nothing has to be created, a cut block is dropped whole.

    `Session.upload_id` is the blob's path; the blob stands when its list has come, and not before.
    """

    caps = Caps(joined=stateless, max_chunk_bytes=4000 << 20)

    def __init__(self, client_id: str) -> None:
        """The protocol has no place for a client's name."""

    def create(self, file: File, chunk_size_bytes: int | None) -> Flow[Session]:
        """There is no such request."""
        fitting_bytes = self.caps.chunk_size_bytes(chunk_size_bytes, file.size_bytes, _MAX_BLOCKS)
        yield from ()
        return Session(f"/{quote(file.name, safe='')}", Grid(file.size_bytes, fitting_bytes))

    def send(self, session: Session, chunk: Chunk, file: File, digest: ChunkDigest | None) -> Flow[Session]:
        """`PUT ?comp=block`; the same block again takes the place of the first one."""
        path = f"{session.upload_id}?comp=block&blockid={_block_id(chunk.index)}"
        answer = yield Request(Phase.CHUNK, "PUT", path, _VERSION, Body.of_chunk(file, chunk))
        expect(201, answer, _KINDS)
        return replace(session, held=session.held | Ranges(((chunk.offset, chunk.end),)))

    def probe(self, session: Session) -> Flow[Session]:
        """`GET ?comp=blocklist`: the blocks that wait for their list. A blob without any is not found.

        What stands under the name already counts for nothing, although its blocks may have the same names.
        """
        path = f"{session.upload_id}?comp=blocklist&blocklisttype=uncommitted"
        answer = yield Request(Phase.PROBE, "GET", path, _VERSION)
        if answer.status == 404 and error_code(answer) in {"", "BlobNotFound"}:
            return replace(session, held=NOTHING)
        return replace(session, held=Ranges.of(_listed(answer, session.grid)))

    def finalize(self, session: Session, file: File) -> Flow[Receipt]:
        """`PUT ?comp=blocklist`; again gives the same answer, for `Latest` finds blocks that are in the blob too."""
        blocks = "".join(f"<Latest>{_block_id(index)}</Latest>" for index in range(session.grid.count))
        body = Body.of_bytes(f'<?xml version="1.0" encoding="utf-8"?><BlockList>{blocks}</BlockList>'.encode())
        headers = {"Content-Type": "application/xml", **_VERSION}
        expect(
            201, (yield Request(Phase.FINALIZE, "PUT", f"{session.upload_id}?comp=blocklist", headers, body)), _KINDS
        )
        return Receipt(file.name, file.size_bytes)

    def abort(self, session: Session) -> Flow[None]:
        """There is no such request: blocks without a list are forgotten after a week.

        Deleting the blob would not reach them, but the blob of that name that may have stood there before.
        """
        yield from ()

    def inspect(self, receipt: Receipt) -> Flow[Stored]:
        """`HEAD` of the blob; nobody has told the service the MD5 of one that is a list of blocks."""
        return stored((yield Request(Phase.PROBE, "HEAD", f"/{quote(receipt.file_id, safe='')}", _VERSION)))

    def listing(self, prefix: str, following: str) -> Flow[Page]:
        """`GET ?comp=list`, which a target that leads to a prefix in its container does not answer."""
        more = f"&marker={quote(following, safe='')}" if following else ""
        path = f"?restype=container&comp=list&prefix={quote(prefix, safe='')}{more}"
        answer = yield Request(Phase.PROBE, "GET", path, _VERSION)
        document = expect(200, answer, _KINDS)
        names = [text(answer, each, "Name") for each in document.iterfind("{*}Blobs/{*}Blob")]
        return Page(tuple(Listed(name, name) for name in names), (document.findtext("{*}NextMarker") or "").strip())

    def download(self, receipt: Receipt) -> Request:
        """`GET` of the blob."""
        return Request(Phase.PROBE, "GET", f"/{quote(receipt.file_id, safe='')}", _VERSION)


def _block_id(index: int) -> str:
    """All of a blob's have to be equally long."""
    return base64.b64encode(f"{index:06}".encode()).decode()


def _listed(answer: Response, grid: Grid) -> Iterator[tuple[int, int]]:
    """The places of the listed blocks; those with other names, or lengths than the grid's, are somebody else's."""
    places = {_block_id(index): grid.chunk(index) for index in range(grid.count)}
    blocks = expect(200, answer, _KINDS).find("{*}UncommittedBlocks")
    if blocks is None:
        raise fault(answer, "without usable 'UncommittedBlocks'", Failure.BROKEN)
    for block in blocks.iterfind("{*}Block"):
        chunk = places.get(text(answer, block, "Name"))
        if chunk is not None and number(answer, block, "Size") == chunk.length:
            yield chunk.offset, chunk.end
