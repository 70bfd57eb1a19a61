"""Everything that can go wrong with one request, in one table: its kind, and what it means."""

from __future__ import annotations

import errno
from enum import StrEnum
from typing import Self

from upswarm.errors import UpswarmError
from upswarm.transfer.messages import Timings


class Failure(StrEnum):
    """The kinds of failed attempts: what the generator lacked, what the transport saw, what the server said."""

    OUT_OF_FILES = "out_of_files"
    OUT_OF_PORTS = "out_of_ports"
    OUT_OF_MEMORY = "out_of_memory"

    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNTRUSTED = "untrusted"
    RESET = "reset"
    TORN = "torn"
    GARBLED = "garbled"
    CONNECT_TIMEOUT = "connect_timeout"
    IDLE_TIMEOUT = "idle_timeout"
    TOTAL_TIMEOUT = "total_timeout"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"

    THROTTLED = "throttled"
    BUSY = "busy"
    SERVER_ERROR = "server_error"
    FULL = "full"
    SYNC = "sync"
    INCOMPLETE = "incomplete"
    CORRUPT = "corrupt"
    GONE = "gone"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    DENIED = "denied"
    REJECTED = "rejected"
    BROKEN = "broken"

    @property
    def meaning(self) -> str:
        """One sentence for people."""
        return _MEANINGS[self]


_MEANINGS = {
    Failure.OUT_OF_FILES: "the load generator may not open another connection: all of its open files are taken",
    Failure.OUT_OF_PORTS: "the load generator's machine has no port, or no address, left to connect from",
    Failure.OUT_OF_MEMORY: "the load generator's machine has no memory left for a connection",
    Failure.REFUSED: "nothing listens there: the connection was refused",
    Failure.UNREACHABLE: "no connection could be made: no such name, no way there, or no agreement on TLS",
    Failure.UNTRUSTED: "the certificate does not prove that this is the server; nothing was sent to it",
    Failure.RESET: "the other end threw the connection away in the middle of the request (RST)",
    Failure.TORN: "the connection ended before the whole answer was there",
    Failure.GARBLED: "what came back is no HTTP, or more than an answer should be",
    Failure.CONNECT_TIMEOUT: "no connection within the scenario's `timeout.connect`",
    Failure.IDLE_TIMEOUT: "not a byte there or back for the scenario's `timeout.idle`",
    Failure.TOTAL_TIMEOUT: "no whole answer within the scenario's `timeout.total`",
    Failure.STOPPED: "the run ended while the request was under way",
    Failure.INTERRUPTED: "the scenario's client cut the connection on purpose",
    Failure.THROTTLED: "the server asks to come back later (429, or 503 with Retry-After)",
    Failure.BUSY: "somebody else is at this very upload (423)",
    Failure.SERVER_ERROR: "the server failed, and does not say for how long (5xx)",
    Failure.FULL: "the server has no space left for this, on its disk or in the client's quota (507)",
    Failure.SYNC: "client and server disagree about what the server holds",
    Failure.INCOMPLETE: "finalize came, but bytes are missing",
    Failure.CORRUPT: "the bytes that arrived do not have the digest that was promised",
    Failure.GONE: "the server does not know this upload, or no longer",
    Failure.TOO_SMALL: "a chunk is smaller than the server takes",
    Failure.TOO_LARGE: "a chunk or the file is larger than the server takes",
    Failure.DENIED: "the credentials are missing or do not suffice (401, 403)",
    Failure.REJECTED: "the server rejects this request for another reason (4xx)",
    Failure.BROKEN: "the answer is outside the protocol",
}

_OF_ERRNO = {
    errno.EMFILE: Failure.OUT_OF_FILES,
    errno.ENFILE: Failure.OUT_OF_FILES,
    errno.EADDRNOTAVAIL: Failure.OUT_OF_PORTS,
    errno.ENOBUFS: Failure.OUT_OF_MEMORY,
    errno.ENOMEM: Failure.OUT_OF_MEMORY,
}
SHORTAGES = frozenset(_OF_ERRNO.values())
"""The load generator could not, and the server heard nothing of it: where there is one, a run is no measurement."""


def shortage(error: BaseException) -> Failure | None:
    """What this machine lacked, if that is what the system says."""
    return _OF_ERRNO.get(error.errno or 0) if isinstance(error, OSError) else None


UNANSWERED = SHORTAGES | frozenset(
    {
        Failure.REFUSED, Failure.UNREACHABLE, Failure.RESET, Failure.TORN, Failure.GARBLED,
        Failure.CONNECT_TIMEOUT, Failure.IDLE_TIMEOUT, Failure.TOTAL_TIMEOUT,
    }
)  # fmt: skip
"""There is no answer, and nobody knows how much of the request the server took."""

RESUMABLE = UNANSWERED | {Failure.SYNC, Failure.INCOMPLETE, Failure.CORRUPT}
"""After these, a probe tells what the server holds, and the upload goes on from there."""

NO_FAILURE = frozenset({Failure.STOPPED, Failure.INTERRUPTED})
"""The attempt was ended from this side: it is neither good nor failed, and its time means nothing."""

MAY_PASS = frozenset({Failure.THROTTLED, Failure.BUSY, Failure.SERVER_ERROR})
"""The server can't now, and nothing is wrong with the request: the same one may succeed later."""

_BY_STATUS = {
    401: Failure.DENIED,
    403: Failure.DENIED,
    404: Failure.GONE,
    410: Failure.GONE,
    413: Failure.TOO_LARGE,
    416: Failure.SYNC,
    423: Failure.BUSY,
    429: Failure.THROTTLED,
    501: Failure.REJECTED,
    507: Failure.FULL,
}


def kind_of_status(status: int, *, names_a_time: bool = False) -> Failure:
    """What a status means that was not expected, and of which nothing more is known.

    `names_a_time`: the answer has a `Retry-After`, so a 503 is no accident.
    """
    if status == 503 and names_a_time:
        return Failure.THROTTLED
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status < 400:
        return Failure.BROKEN
    return Failure.REJECTED if status < 500 else Failure.SERVER_ERROR


class TransferError(UpswarmError):
    """An attempt that failed, with its kind; `status` is the HTTP status where there was an answer.

    `unretried`: it would have been tried again, but the retry budget was spent.
    """

    def __init__(self, kind: Failure, message: str = "", *, status: int | None = None) -> None:
        super().__init__(message or kind.meaning)
        self.kind = kind
        self.status = status
        self.unretried = False


class Interrupted(TransferError):
    """Raised by a transport: there is no answer, and what the server took of the request is unknown.

    `timings` are how far it came, where the transport knows.
    """

    timings: Timings | None = None

    def at(self, timings: Timings) -> Self:
        """The same, having come so far."""
        self.timings = timings
        return self


class Fault(TransferError):
    """Raised by a dialect: the server's answer says that the step failed."""
