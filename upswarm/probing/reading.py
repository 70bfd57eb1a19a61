"""Is a finished file what was sent? It is read back, where the dialect knows how and the server lets it."""

from __future__ import annotations

from upswarm.probing.aftermath import Check
from upswarm.probing.uploads import Upload
from upswarm.transfer.failures import TransferError
from upswarm.transfer.reading import Likeness, compared
from upswarm.transfer.records import Receipt
from upswarm.transfer.stored import Readable

_CHECKS = {
    Likeness.SAME: Check.RIGHT,
    Likeness.OTHER: Check.WRONG,
    Likeness.SHORTER: Check.WRONG,
    Likeness.UNREAD: Check.UNREAD,
}


def read_back(upload: Upload, receipt: Receipt, notes: list[str]) -> Check:
    """Compare all bytes; why they could not be read, or what was wrong with them, goes into the notes."""
    protocol = upload.target.protocol
    if not isinstance(protocol, Readable):
        return Check.UNREAD
    try:
        found = upload.drive(compared(protocol.download(receipt), upload.file))
    except TransferError as error:
        notes.append(f"reading back: {error.message}")
        return Check.UNREAD
    if found.detail:
        notes.append(found.detail)
    return _CHECKS[found.likeness]
