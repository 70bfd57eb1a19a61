"""What became of one upload that was cut."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from upswarm.probing.cuts import Cut
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.ranges import Ranges


class Kept(StrEnum):
    """What a server holds after a cut, from the best to the worst."""

    BYTES = "bytes of the cut chunk"
    CHUNKS = "whole chunks"
    LESS = "less than it had acknowledged"
    MORE = "more than was sent"


class Check(StrEnum):
    """What is known of a finished file's bytes."""

    RIGHT = "right"
    WRONG = "wrong"
    UNREAD = "not read back"


@dataclass(frozen=True, slots=True)
class Aftermath:
    """A cut chunk: how much of its body was sent, what was held of it, and whether the upload came to its end.

    `kept` is None where the server has not told what it holds, `finished` where nobody has tried; `resumes` counts the
    answers to probes that it took. `asked_s` is from the cut to the answer that `kept` and `held_bytes` are from.
    """

    cut: Cut
    sent_bytes: int
    kept: Kept | None = None
    held_bytes: int = 0
    asked_s: float = 0.0
    finished: bool | None = None
    resumes: int = 0
    check: Check = Check.UNREAD
    notes: tuple[str, ...] = ()

    @property
    def lost_bytes(self) -> int:
        """Of what was sent of the chunk."""
        return max(0, self.sent_bytes - self.held_bytes)


def kept_of(acknowledged: Ranges, chunk: Chunk, sent_bytes: int, held: Ranges) -> Kept:
    """What a server has kept that had `acknowledged` some bytes, was sent some of a chunk, and says what is `held`."""
    if not all(held.covers(start, end) for start, end in acknowledged):
        return Kept.LESS
    if held.total_bytes > acknowledged.total_bytes + sent_bytes:
        return Kept.MORE
    return Kept.BYTES if held.within(chunk.offset, chunk.end).total_bytes else Kept.CHUNKS
