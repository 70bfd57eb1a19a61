"""Multipart uploads of Amazon S3 and of whatever speaks like it: parts by number in any order, then their list.

The target's URL is the bucket's: `http://127.0.0.1:9000/BUCKET`, or leads to a prefix in it; a file's name is its key.
A chunk's sha-256 goes where the signature has a place for it. Its crc32c goes into a header that MinIO and its like
check, and that Amazon refuses, because there `create` would have to announce it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from upswarm.content.base import File
from upswarm.protocols.answers import fault, stored
from upswarm.protocols.xml_answers import error_code, expect, number, text
from upswarm.transfer.chunks import Chunk, Grid
from upswarm.transfer.dialect import Caps, ChunkDigest, Flow, Session
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Body, Phase, Request, Response
from upswarm.transfer.ranges import Ranges
from upswarm.transfer.records import Receipt
from upswarm.transfer.stored import Listed, Page, Stored

_KINDS = {
    "BadDigest": Failure.CORRUPT,
    "EntityTooLarge": Failure.TOO_LARGE,
    "EntityTooSmall": Failure.TOO_SMALL,
    "ExpiredToken": Failure.DENIED,
    "IncompleteBody": Failure.CORRUPT,
    "InternalError": Failure.SERVER_ERROR,
    "InvalidPart": Failure.INCOMPLETE,
    "InvalidPartOrder": Failure.INCOMPLETE,
    "InvalidToken": Failure.DENIED,
    "NoSuchBucket": Failure.REJECTED,
    "OperationAborted": Failure.BUSY,
    "QuotaExceeded": Failure.FULL,
    "RequestTimeout": Failure.CORRUPT,  # with a 400: of the body came less than was promised
    "ServiceUnavailable": Failure.SERVER_ERROR,
    "SlowDown": Failure.THROTTLED,
    "XAmzContentChecksumMismatch": Failure.CORRUPT,
    "XAmzContentSHA256Mismatch": Failure.CORRUPT,
}


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the object is to stand, and the tags of the parts so far by their numbers: the manifest needs them."""

    path: str
    tags: Mapping[int, str] = field(default_factory=dict)

    def joined(self, other: Parts) -> Parts:
        """The parts of both."""
        return replace(self, tags={**self.tags, **other.tags})

    def to_plain(self) -> dict[str, Any]:
        """As JSON can carry it, whose names are texts."""
        return {"path": self.path, "tags": {str(part): tag for part, tag in self.tags.items()}}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Parts:
        """What `to_plain` wrote."""
        return cls(plain["path"], {int(part): tag for part, tag in plain["tags"].items()})

    def manifest(self) -> bytes:
        """The document that makes an object of the parts."""
        parts = (
            f"<Part><PartNumber>{part}</PartNumber><ETag>{escape(tag)}</ETag></Part>"
            for part, tag in sorted(self.tags.items())
        )
        namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
        return f'<CompleteMultipartUpload xmlns="{namespace}">{"".join(parts)}</CompleteMultipartUpload>'.encode()


class S3:
    """The dialect of `?uploads`: a fixed grid, a cut part is dropped whole. `Session.state` is `Parts`.

    A multipart upload has at least one part; an empty file has none, so it is put as it is.
    """

    caps = Caps(
        joined=Parts.joined,
        state_to_plain=Parts.to_plain,
        state_of_plain=Parts.of_plain,
        min_chunk_bytes=5 << 20,
        max_chunk_bytes=5 << 30,
        digests=frozenset({"crc32c", "sha-256"}),
    )

    def __init__(self, client_id: str) -> None:
        """The protocol has no place for a client's name."""

    def create(self, file: File, chunk_size_bytes: int | None) -> Flow[Session]:
        """`POST ?uploads`."""
        parts = Parts(f"/{quote(file.name, safe='')}")
        grid = Grid(file.size_bytes, self.caps.chunk_size_bytes(chunk_size_bytes, file.size_bytes))
        if not file.size_bytes:
            return Session("", grid, state=parts)
        answer = yield Request(Phase.INIT, "POST", f"{parts.path}?uploads")
        document = expect(200, answer, _KINDS)
        return Session(text(answer, document, "UploadId"), grid, state=parts)

    def send(self, session: Session, chunk: Chunk, file: File, digest: ChunkDigest | None) -> Flow[Session]:
        """`PUT ?partNumber=N&uploadId=…`; the same part again takes the place of the first one."""
        part = chunk.index + 1
        path = f"{session.state.path}?partNumber={part}&{_upload(session)}"
        answer = yield Request(Phase.CHUNK, "PUT", path, _promise(digest), Body.of_chunk(file, chunk))
        expect(200, answer, _KINDS)
        tag = answer.headers.get("etag", "")
        if not tag:
            raise fault(answer, "without a usable 'ETag'", Failure.BROKEN)
        held = session.held | Ranges(((chunk.offset, chunk.end),))
        return replace(session, held=held, state=replace(session.state, tags={**session.state.tags, part: tag}))

    def probe(self, session: Session) -> Flow[Session]:
        """`GET ?uploadId=…`, page by page: the parts that are there, and their tags."""
        if not session.upload_id:
            return session
        tags: dict[int, str] = {}
        path, marker = f"{session.state.path}?{_upload(session)}", 0
        while True:
            page = f"&part-number-marker={marker}" if marker else ""
            answer = yield Request(Phase.PROBE, "GET", path + page)
            document = expect(200, answer, _KINDS)
            tags |= _listed(answer, document, session.grid)
            if not (marker := _next(answer, document, marker)):
                break
        chunks = (session.grid.chunk(part - 1) for part in tags)
        held = Ranges.of((chunk.offset, chunk.end) for chunk in chunks)
        return replace(session, held=held, state=replace(session.state, tags=tags))

    def finalize(self, session: Session, file: File) -> Flow[Receipt]:
        """`POST ?uploadId=…` with the list of the parts; it may take long, and may fail under a 200."""
        path = session.state.path
        if not session.upload_id:
            expect(200, (yield Request(Phase.FINALIZE, "PUT", path)), _KINDS)
            return Receipt(file.name, 0)
        headers = {"Content-Type": "application/xml"}
        body = Body.of_bytes(session.state.manifest())
        answer = yield Request(Phase.FINALIZE, "POST", f"{path}?{_upload(session)}", headers, body)
        if error_code(answer) != "NoSuchUpload" or not _is_it((yield Request(Phase.FINALIZE, "HEAD", path)), session):
            text(answer, expect(200, answer, _KINDS), "ETag")
        return Receipt(file.name, file.size_bytes)

    def abort(self, session: Session) -> Flow[None]:
        """`DELETE ?uploadId=…`."""
        if session.upload_id:
            answer = yield Request(Phase.ABORT, "DELETE", f"{session.state.path}?{_upload(session)}")
            expect(204, answer, _KINDS)

    def inspect(self, receipt: Receipt) -> Flow[Stored]:
        """`HEAD` of the object. The `ETag` of one that came in parts is no digest of its bytes."""
        return stored((yield Request(Phase.PROBE, "HEAD", f"/{quote(receipt.file_id, safe='')}")))

    def listing(self, prefix: str, following: str) -> Flow[Page]:
        """`GET ?list-type=2`, which a target that leads to a prefix in its bucket does not answer."""
        more = f"&continuation-token={quote(following, safe='')}" if following else ""
        answer = yield Request(Phase.PROBE, "GET", f"/?list-type=2&prefix={quote(prefix, safe='')}{more}")
        document = expect(200, answer, _KINDS)
        keys = [(text(answer, each, "Key"), number(answer, each, "Size")) for each in document.iterfind("{*}Contents")]
        truncated = text(answer, document, "IsTruncated") == "true"
        return Page(
            tuple(Listed(key, key, size_bytes) for key, size_bytes in keys),
            text(answer, document, "NextContinuationToken") if truncated else "",
        )

    def download(self, receipt: Receipt) -> Request:
        """`GET` of the object."""
        return Request(Phase.PROBE, "GET", f"/{quote(receipt.file_id, safe='')}")


def _upload(session: Session) -> str:
    return f"uploadId={quote(session.upload_id, safe='')}"


def _promise(digest: ChunkDigest | None) -> dict[str, str]:
    if digest is None:
        return {}
    if digest.algorithm == "sha-256":
        return {"x-amz-content-sha256": digest.value.hex()}
    return {f"x-amz-checksum-{digest.algorithm}": base64.b64encode(digest.value).decode()}


def _listed(answer: Response, document: Element, grid: Grid) -> dict[int, str]:
    """The tags of one page; a part of another length than the grid's is somebody else's, and is sent anew."""
    tags = {}
    for element in document.iterfind("{*}Part"):
        part = number(answer, element, "PartNumber")
        if not 1 <= part <= grid.count:
            raise fault(answer, f"expected parts from 1 to {grid.count}, found {part}", Failure.BROKEN)
        if number(answer, element, "Size") == grid.chunk(part - 1).length:
            tags[part] = text(answer, element, "ETag")
    return tags


def _next(answer: Response, document: Element, marker: int) -> int:
    """Behind which part the next page begins, or 0 where there is none."""
    if text(answer, document, "IsTruncated") != "true":
        return 0
    following = number(answer, document, "NextPartNumberMarker")
    if following <= marker:
        raise fault(answer, f"expected a page behind part {marker}, found {following}", Failure.BROKEN)
    return following


def _is_it(head: Response, session: Session) -> bool:
    """Whether the object that stands there is of this upload: a list that was sent again finds no upload any more."""
    size, tag = head.headers.get("content-length"), head.headers.get("etag", "").strip('"')
    return head.status == 200 and size == str(session.grid.size_bytes) and tag.endswith(f"-{session.grid.count}")
