"""One file after the other is asked for, over one connection, and its fate is found out."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

from upswarm.audit.disk import Shelf
from upswarm.audit.ledger import Entry
from upswarm.content.base import File
from upswarm.results.audit_record import Fate
from upswarm.results.audit_terms import Ask
from upswarm.transfer.access import Access
from upswarm.transfer.failures import UNANSWERED, Failure, Fault, Interrupted, TransferError
from upswarm.transfer.reading import Comparison, Likeness, compared
from upswarm.transfer.retry import RetryPolicy
from upswarm.transfer.stored import Inspectable, Readable, Stored

RETRY = RetryPolicy(attempts=3, base_s=0.1, cap_s=1.0, honour_retry_after=False)
_NOT_READY = frozenset({502, 503, 504})
_GONE = frozenset({404, 410})
_FAILS = 500
_FATES = {
    Likeness.SAME: Fate.INTACT,
    Likeness.OTHER: Fate.CORRUPT,
    Likeness.SHORTER: Fate.TRUNCATED,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one file. `reason` is why it could not be verified, the same for all files of which it is true.

    A `suspect` could not be read, for the server fails at it: if it goes on to, and can be read otherwise, it is lost.
    """

    fate: Fate
    detail: str = ""
    reason: str = ""
    suspect: bool = False


INTACT = Finding(Fate.INTACT)


class Absent(Exception):
    """Nobody answers, or somebody who says that the server does not at the moment; `sentence` says what came."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Examiner:
    """Has a connection of its own until `close`. What is read is told, in bytes; whoever is told may raise to stop it.

    `original` makes a file as it was sent; it raises an `Unmade` where that can't be done here.
    """

    def __init__(
        self,
        access: Access,
        checks: Collection[Ask],
        original: Callable[[Entry], File],
        shelf: Shelf | None,
        tell: Callable[[int], None],
    ) -> None:
        self._protocol = access.protocol
        self._protocol_name = access.protocol_name
        self._exchange = access.exchange(RETRY)
        self._asks_server = bool({Ask.PRESENT, Ask.SIZE} & set(checks))
        self._checks = checks
        self._original = original
        self._shelf = shelf
        self._tell = tell

    def close(self) -> None:
        """Hang up."""
        self._exchange.hang_up()

    def examine(self, entry: Entry) -> Finding:
        """The fate of one file; raises `Absent` where it should be asked for again later."""
        stored = Stored()
        if self._asks_server:
            protocol = self._protocol
            if not isinstance(protocol, Inspectable):
                return _unverifiable(f"{self._protocol_name} has no way to ask for a finished file")
            try:
                stored = self._exchange.perform(partial(protocol.inspect, entry.receipt))
            except TransferError as error:
                return _unasked(error)
            wrong = self._size(entry, stored.size_bytes, "the server says")
            if wrong is not None:
                return wrong
        return self._bytes(entry, stored) if Ask.DIGEST in self._checks else _sized(stored, self._checks)

    def _size(self, entry: Entry, found_bytes: int | None, who: str) -> Finding | None:
        if found_bytes in {None, entry.size_bytes} or Ask.SIZE not in self._checks:
            return None
        assert found_bytes is not None
        fate = Fate.TRUNCATED if found_bytes < entry.size_bytes else Fate.CORRUPT
        return Finding(fate, f"expected {entry.size_bytes} bytes, {who} {found_bytes}")

    def _bytes(self, entry: Entry, stored: Stored) -> Finding:
        try:
            original = self._original(entry)
        except Unmade as error:
            return _unverifiable(error.sentence)
        with closing(original):
            if self._shelf is not None:
                return self._on_disk(entry, original, self._shelf)
            if isinstance(self._protocol, Readable):
                found = self._read_back(entry, original, self._protocol)
                if found.fate is not Fate.UNVERIFIABLE or stored.digest is None:
                    return found
            return self._by_digest(original, stored)

    def _on_disk(self, entry: Entry, original: File, shelf: Shelf) -> Finding:
        try:
            size_bytes = shelf.size_bytes(entry)
            if size_bytes is None:
                return Finding(Fate.MISSING, f"there is no file at {shelf.path_of(entry)}")
            if size_bytes != entry.size_bytes:
                fate = Fate.TRUNCATED if size_bytes < entry.size_bytes else Fate.CORRUPT
                return Finding(fate, f"expected {entry.size_bytes} bytes, on the disk are {size_bytes}")
            found = shelf.compared(entry, original)
        except OSError as error:
            return _unverifiable(f"files on the disk could not be read: {error.strerror}")
        self._tell(size_bytes)
        return Finding(_FATES[found.likeness], found.detail)

    def _read_back(self, entry: Entry, original: File, protocol: Readable) -> Finding:
        try:
            found: Comparison = self._exchange.drive(compared(protocol.download(entry.receipt), original, self._tell))
        except Interrupted as error:
            if error.kind is Failure.TORN and self._answers(entry):
                return Finding(Fate.TRUNCATED, f"each of {RETRY.attempts} answers broke off: {error.message}")
            return _unasked(error)
        except Fault as error:
            return _unasked(error)
        if found.likeness is not Likeness.UNREAD:
            return Finding(_FATES[found.likeness], found.detail)
        if found.status in _GONE:
            return Finding(Fate.MISSING, found.detail)
        if found.status in _NOT_READY:
            raise Absent(found.detail)
        return replace(_unverifiable(found.detail), suspect=found.status >= _FAILS)

    def _answers(self, entry: Entry) -> bool:
        """Whether the server is there, and it is this file that it can't give."""
        if not isinstance(self._protocol, Inspectable):
            return False
        try:
            self._exchange.drive(self._protocol.inspect(entry.receipt))
        except TransferError:
            return False
        return True

    def _by_digest(self, original: File, stored: Stored) -> Finding:
        if stored.digest is None:
            return _unverifiable(f"{self._protocol_name} has no way to read files back, and the server tells no digest")
        algorithm, value = stored.digest.algorithm, stored.digest.value
        if original.digest(algorithm, 0, original.size_bytes) == value:
            return Finding(Fate.INTACT, reason=f"the bytes are known by the server's own {algorithm}, not read back")
        return Finding(Fate.CORRUPT, f"the server's {algorithm} is not that of the bytes that were sent")


class Unmade(Exception):
    """The file that was sent can't be made here; `sentence` says why, the same for all of which it is true."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def _sized(stored: Stored, checks: Collection[Ask]) -> Finding:
    if Ask.SIZE in checks and stored.size_bytes is None:
        return _unverifiable("the server does not tell the size of files")
    return INTACT


def _unverifiable(reason: str) -> Finding:
    return Finding(Fate.UNVERIFIABLE, reason, reason)


def _unasked(error: TransferError) -> Finding:
    """What an answer that is none means; raises `Absent` where the server may be about to come back."""
    if error.kind is Failure.GONE:
        return Finding(Fate.MISSING, error.message)
    if error.kind in UNANSWERED - {Failure.GARBLED} or error.status in _NOT_READY:
        raise Absent(error.message) from error
    return _unverifiable(error.message)
