"""Is a finished file what was sent? It is read back, where the dialect knows how and the server lets it."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, runtime_checkable

from upswarm.content.base import File
from upswarm.probing.aftermath import Check
from upswarm.probing.uploads import Upload
from upswarm.transfer.dialect import Flow
from upswarm.transfer.failures import TransferError
from upswarm.transfer.messages import Request
from upswarm.transfer.records import Receipt

_PIECE_BYTES = 4 << 20


@runtime_checkable
class Readable(Protocol):
    """What a dialect may have besides its steps."""

    def download(self, receipt: Receipt) -> Request:
        """The request that is answered with the file's bytes, or with a `Range` of them."""


def read_back(upload: Upload, receipt: Receipt, notes: list[str]) -> Check:
    """Compare all bytes; why they could not be read, or what was wrong with them, goes into the notes."""
    protocol = upload.target.protocol
    if not isinstance(protocol, Readable):
        return Check.UNREAD
    try:
        check, note = upload.drive(compared(protocol.download(receipt), upload.file))
    except TransferError as error:
        check, note = Check.UNREAD, f"reading back: {error.message}"
    if note:
        notes.append(note)
    return check


def compared(request: Request, file: File) -> Flow[tuple[Check, str]]:
    """Whether the file behind a request is this one, piece by piece, and why not or why that is not known."""
    offset = 0
    while offset < file.size_bytes:
        end = min(offset + _PIECE_BYTES, file.size_bytes)
        wish = {**request.headers, "Range": f"bytes={offset}-{end - 1}"}
        answer = yield replace(request, headers=wish)
        if answer.status not in {200, 206}:
            return Check.UNREAD, f"reading back: {request.method} was answered {answer.status}"
        if answer.status == 200:  # a server that knows no ranges gives all of it
            offset, end = 0, file.size_bytes
        if answer.body != b"".join(file.views(offset, end - offset)):
            return Check.WRONG, f"the bytes from {offset} to {end} are not those that were sent"
        offset = end
    size = answer.headers.get("content-range", f"/{end}").rpartition("/")[2]
    if size not in {"*", str(file.size_bytes)}:
        return Check.WRONG, f"the file has {size} bytes instead of {file.size_bytes}"
    return Check.RIGHT, ""
