"""What dialects have in common whose bytes come in order: an offset tells what the server holds."""

from __future__ import annotations

import re
from dataclasses import replace

from upswarm.protocols.answers import fault
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.dialect import Session
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Response
from upswarm.transfer.ranges import Ranges

NOT_THERE = {404: Failure.REJECTED, 410: Failure.REJECTED}
"""To a creation: there is no upload yet that could be gone, so it is the URL that is wrong."""
_OFFSET = re.compile(r"[0-9]{1,18}")


def held_by(session: Session, answer: Response) -> Session:
    """The session with what the answer's `Upload-Offset` says is held; one outside of the file is a fault."""
    text = answer.headers.get("upload-offset", "").strip()
    if not _OFFSET.fullmatch(text) or int(text) > session.grid.size_bytes:
        raise fault(answer, f"expected an Upload-Offset within {session.grid.size_bytes} bytes, found {text[:40]!r}",
                    Failure.BROKEN)  # fmt: skip
    return replace(session, held=Ranges.of([(0, int(text))]))


def held_after(session: Session, chunk: Chunk, answer: Response) -> Session:
    """As `held_by`, after a chunk: all of it is held, or a probe has to find out how much is."""
    after = held_by(session, answer)
    if after.held.total_bytes != chunk.end:
        raise fault(answer, f"expected {chunk.end} bytes to be held, found {after.held.total_bytes}", Failure.SYNC)
    return after


def size_of(answer: Response) -> int | None:
    """How many bytes of a finished upload the server holds; where it tells no offset, how long it says that it is."""
    for name in ("upload-offset", "upload-length"):
        text = answer.headers.get(name, "").strip()
        if _OFFSET.fullmatch(text):
            return int(text)
    return None
