"""Everything that can go wrong with one request, in one table: its kind, and what it means."""

from __future__ import annotations

from enum import StrEnum

from upswarm.errors import UpswarmError


class Failure(StrEnum):
    """The kinds of failed attempts. The first group is seen by the transport, the second said by the server."""

    UNREACHABLE = "unreachable"
    CUT = "cut"
    TIMED_OUT = "timed_out"
    STOPPED = "stopped"

    BUSY = "busy"
    FULL = "full"
    SYNC = "sync"
    INCOMPLETE = "incomplete"
    CORRUPT = "corrupt"
    GONE = "gone"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    DENIED = "denied"
    REFUSED = "refused"
    BROKEN = "broken"

    @property
    def meaning(self) -> str:
        """One sentence for people."""
        return _MEANINGS[self]


_MEANINGS = {
    Failure.UNREACHABLE: "no connection could be made",
    Failure.CUT: "the connection ended before the whole answer was there",
    Failure.TIMED_OUT: "connecting took, or the connection was silent for, longer than the scenario allows",
    Failure.STOPPED: "the run ended while the request was under way",
    Failure.BUSY: "the server can't serve this now, and says that it may later (429, 5xx)",
    Failure.FULL: "the server has no space left for this, on its disk or in the client's quota (507)",
    Failure.SYNC: "client and server disagree about what the server holds",
    Failure.INCOMPLETE: "finalize came, but bytes are missing",
    Failure.CORRUPT: "the bytes that arrived do not have the digest that was promised",
    Failure.GONE: "the server does not know this upload, or no longer",
    Failure.TOO_SMALL: "a chunk is smaller than the server takes",
    Failure.TOO_LARGE: "a chunk or the file is larger than the server takes",
    Failure.DENIED: "the credentials are missing or do not suffice (401, 403)",
    Failure.REFUSED: "the server refuses this request for another reason (4xx)",
    Failure.BROKEN: "the answer is outside the protocol",
}

RESUMABLE = frozenset(
    {Failure.UNREACHABLE, Failure.CUT, Failure.TIMED_OUT, Failure.SYNC, Failure.INCOMPLETE, Failure.CORRUPT}
)
"""After these, a probe tells what the server holds, and the upload goes on from there."""


class TransferError(UpswarmError):
    """An attempt that failed, with its kind; `status` is the HTTP status where there was an answer."""

    def __init__(self, kind: Failure, message: str = "", *, status: int | None = None) -> None:
        super().__init__(message or kind.meaning)
        self.kind = kind
        self.status = status


class Interrupted(TransferError):
    """Raised by a transport: there is no answer, and what the server took of the request is unknown."""


class Fault(TransferError):
    """Raised by a dialect: the server's answer says that the step failed."""
