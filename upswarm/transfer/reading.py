"""Is a finished file what was sent? It is read back in pieces, and each is compared with what was sent there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from upswarm.content.base import File
from upswarm.transfer.dialect import Flow
from upswarm.transfer.messages import Request, Response

PIECE_BYTES = 4 << 20
_WHOLE, _PART, _BEYOND = 200, 206, 416


class Likeness(StrEnum):
    """What a file on the server is, beside the one that was sent."""

    SAME = "same"
    OTHER = "other"
    SHORTER = "shorter"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How alike they are, and in words what is different, or why that is not known.

    `status` is that of the last answer, 0 where nothing had to be asked.
    """

    likeness: Likeness
    detail: str = ""
    status: int = 0


def _nobody_counts(_read_bytes: int) -> None:
    pass


def compared(request: Request, file: File, tell: Callable[[int], None] = _nobody_counts) -> Flow[Comparison]:
    """Whether the file behind a request is this one. After each piece its length is told; one piece is in memory."""
    offset, size, status = 0, file.size_bytes, 0
    while offset < size:
        end = min(offset + PIECE_BYTES, size)
        answer = yield replace(request, headers={**request.headers, "Range": f"bytes={offset}-{end - 1}"})
        status = answer.status
        if status == _BEYOND:
            return Comparison(Likeness.SHORTER, f"there are no bytes from {offset} on, of {size}", status)
        if status not in {_WHOLE, _PART}:
            return Comparison(Likeness.UNREAD, f"reading back: {request.method} was answered {status}", status)
        if status == _WHOLE:  # a server that knows no ranges gives all of it
            offset, end = 0, size
        tell(len(answer.body))
        difference = _difference(answer.body, file, offset, end)
        if difference is not None:
            return replace(difference, status=status)
        if (total := _total(answer)) not in {None, size}:
            likeness = Likeness.SHORTER if total is not None and total < size else Likeness.OTHER
            return Comparison(likeness, f"the file has {total} bytes instead of {size}", status)
        offset = end
    return Comparison(Likeness.SAME, status=status)


def difference_at(offset: int, found: bytes, file: File) -> int | None:
    """The place of the first byte that differs from the file's, whose bytes from `offset` on were found."""
    at = offset
    view = memoryview(found)
    for sent in file.views(offset, len(found)):
        piece = view[at - offset : at - offset + len(sent)]
        if piece != sent:
            return at + next(index for index, (one, other) in enumerate(zip(piece, sent, strict=True)) if one != other)
        at += len(sent)
    return None


def _difference(found: bytes, file: File, offset: int, end: int) -> Comparison | None:
    place = difference_at(offset, found[: end - offset], file)
    if place is not None:
        text = f"the bytes from {offset} to {end} are not those that were sent, from byte {place} on"
        return Comparison(Likeness.OTHER, text)
    if len(found) < end - offset:
        return Comparison(Likeness.SHORTER, f"the bytes end at {offset + len(found)} instead of {file.size_bytes}")
    if len(found) > end - offset:
        return Comparison(Likeness.OTHER, f"there are {len(found)} bytes at {offset} instead of {end - offset}")
    return None


def _total(answer: Response) -> int | None:
    """How long the whole file is, where the answer to a range says so."""
    text = answer.headers.get("content-range", "").rpartition("/")[2]
    return int(text) if text.isascii() and text.isdecimal() else None
