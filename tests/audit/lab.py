"""Uploads by the real engine, their ledger, and an audit of it: all that a run does here, without Locust."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from tests.protocols.journeys.engine import engine
from upswarm.audit.auditor import Auditor, Books
from upswarm.audit.disk import Shelf
from upswarm.audit.ledger import LEDGER_FILE, Entry, LedgerFile, read
from upswarm.audit.originals import remade
from upswarm.results.audit_record import AuditRecord
from upswarm.results.audit_terms import AuditTerms
from upswarm.transfer.access import Access
from upswarm.transfer.auth import Sign, unsigned
from upswarm.transfer.clock import SystemClock
from upswarm.transfer.dialect import UploadProtocol
from upswarm.transfer.transport import Timeouts
from upswarm.transfer.transport_socket import SocketTransport
from upswarm.workload.mix import ContentSpec, FileClass, Mix
from upswarm.workload.sizes import Uniform

CHUNK_BYTES = 100_000
SPARSE_OR_RANDOM = (
    FileClass(Uniform(0, 300_000), ContentSpec("random")),
    FileClass(Uniform(200_000, 300_000), ContentSpec("sparse")),
)
PREFIX = "run-1-"
ALL = AuditTerms()


class Lab:
    """Files of a mix on a server; `ledger` has the receipts."""

    def __init__(
        self,
        folder: Path,
        protocol: UploadProtocol,
        url: str,
        sign: Sign = unsigned,
        *,
        classes: Sequence[FileClass] = SPARSE_OR_RANDOM,
        chunk_size_bytes: int = CHUNK_BYTES,
    ) -> None:
        self.mix = Mix(tuple(classes), seed=7)
        self.protocol = protocol
        self.url = url
        self.sign = sign
        self.chunk_size_bytes = chunk_size_bytes
        self.ledger = folder / LEDGER_FILE
        self.original = remade(lambda: self.mix)

    def upload(self, count: int) -> list[Entry]:
        """So many files, over one connection."""
        ledger, entries = LedgerFile(self.ledger), []
        with engine(self.protocol, self.url, self.chunk_size_bytes, self.sign) as uploading, closing(ledger):
            for number in range(count):
                entry = Entry("", f"{PREFIX}{number:06d}", self.mix.draw(number).size_bytes, number)
                with closing(self.original(entry)) as file:
                    outcome = uploading.uploader.upload(file, number=number)
                told = Entry.of_outcome(outcome, "local", 0.0)
                assert told is not None, outcome
                ledger.append([told.to_document()])
                entries.append(told)
        return entries

    def auditor(self, terms: AuditTerms = ALL, shelf: Shelf | None = None) -> Auditor:
        """An audit that has not begun."""
        return Auditor(self.books, self.access, terms, shelf=shelf)

    def audit(self, terms: AuditTerms = ALL, shelf: Shelf | None = None) -> AuditRecord:
        """Audit all of it."""
        return self.auditor(terms, shelf).run()

    @property
    def books(self) -> Books:
        return Books(entries=partial(read, [self.ledger]), original=self.original, prefix=PREFIX, seed=7)

    @property
    def access(self) -> Access:
        endpoint = self.protocol.caps.endpoint(self.url)
        return Access(
            url=endpoint,
            protocol_name=type(self.protocol).__name__.lower(),
            protocol=self.protocol,
            sign=self.sign,
            clock=SystemClock(),
            open_transport=lambda: SocketTransport(endpoint, Timeouts(connect_s=5, idle_s=10)),
        )


Damage = Callable[[bytes], bytes]


def shorter(data: bytes) -> bytes:
    """Half of it is gone."""
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    """One bit of the last byte is another."""
    return data[:-1] + bytes([data[-1] ^ 1])
