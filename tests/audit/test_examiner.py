"""Answers that leave a doubt: what may be called lost, and what may not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.protocols.chunked_server import reply
from upswarm.audit.auditor import Auditor, Books
from upswarm.audit.ledger import Entry
from upswarm.audit.originals import remade
from upswarm.content.base import File
from upswarm.protocols.chunked import Chunked
from upswarm.protocols.oci import Oci
from upswarm.protocols.rufh import Rufh
from upswarm.results.audit_record import AuditRecord, Fate
from upswarm.results.audit_terms import AuditTerms
from upswarm.testing.transport import ScriptedTransport
from upswarm.transfer.access import Access
from upswarm.transfer.auth import unsigned
from upswarm.transfer.clock import SystemClock
from upswarm.transfer.dialect import UploadProtocol
from upswarm.transfer.failures import Failure, Interrupted
from upswarm.transfer.messages import Request, Response
from upswarm.workload.mix import ContentSpec, FileClass, Mix
from upswarm.workload.sizes import Fixed

SIZE_BYTES = 1000
MIX = Mix((FileClass(Fixed(SIZE_BYTES), ContentSpec("random")),), seed=3)
ORIGINAL = remade(lambda: MIX)
Server = Callable[[Request], Response]


class HurriedClock(SystemClock):
    """Rests are twenty times as short as they should be."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / 20)


def entry(number: int) -> Entry:
    return Entry(f"f{number}", f"run-{number:06d}", SIZE_BYTES, number)


def content(number: int) -> bytes:
    with closing(ORIGINAL(entry(number))) as file:
        return b"".join(file.views(0, SIZE_BYTES))


def audit(
    server: Server,
    *entries: Entry,
    protocol: UploadProtocol | None = None,
    original: Callable[[Entry], File] = ORIGINAL,
) -> AuditRecord:
    protocol = protocol or Chunked("client-1")
    way = Access(
        url="http://h",
        protocol_name=type(protocol).__name__.lower(),
        protocol=protocol,
        sign=unsigned,
        clock=HurriedClock(),
        open_transport=lambda: ScriptedTransport(server),
    )
    books = Books(entries=lambda: iter(entries), original=original, prefix="run-")
    return Auditor(books, way, AuditTerms(connections=1, limit_s=1000)).run()


def chunked(read: Callable[[int], Response], listed: Response | None = None) -> Server:
    """A server that has a record of each file, and gives its bytes so."""

    def answer(request: Request) -> Response:
        if request.path.startswith("/v1/files?"):
            return listed or reply(200, {"files": []})
        if request.path.endswith("/content"):
            return read(int(request.path.split("/")[3][1:]))
        return reply(200, {"size_bytes": SIZE_BYTES})

    return answer


def whole(number: int) -> Response:
    return Response(200, {}, content(number))


def test_a_server_that_fails_at_one_file_twice_has_lost_it() -> None:
    record = audit(chunked(lambda number: reply(500) if number == 1 else whole(number)), *map(entry, range(3)))
    assert [(problem.fate, problem.file_id) for problem in record.problems] == [(Fate.MISSING, "f1")]
    assert "GET was answered 500, twice, although other files can be read" in record.problems[0].detail


def test_a_server_that_fails_at_every_file_has_lost_none() -> None:
    record = audit(chunked(lambda _: reply(500)), *map(entry, range(3)))
    assert record.counts == {Fate.UNVERIFIABLE: 3}
    assert record.holds


def test_a_server_that_fails_once_is_asked_again() -> None:
    asked: list[int] = []

    def read(number: int) -> Response:
        asked.append(number)
        return reply(500) if number == 1 and asked.count(1) <= 3 else whole(number)

    assert audit(chunked(read), *map(entry, range(3))).counts == {Fate.INTACT: 3}


@pytest.mark.parametrize("kind", [Failure.REFUSED, Failure.RESET, Failure.IDLE_TIMEOUT, 502, 503, 504])
def test_a_server_that_is_away_is_waited_for(kind: Failure | int) -> None:
    left = 20

    def read(number: int) -> Response:
        nonlocal left
        left -= 1
        if left > 0:
            if isinstance(kind, Failure):
                raise Interrupted(kind)
            return reply(kind)
        return whole(number)

    assert audit(chunked(read), entry(0)).counts == {Fate.INTACT: 1}


@pytest.mark.parametrize("status", [401, 403, 405, 418])
def test_what_may_not_be_read_is_not_called_lost(status: int) -> None:
    record = audit(chunked(lambda _: reply(status)), entry(0), entry(1))
    assert record.counts == {Fate.UNVERIFIABLE: 2}
    assert f"2 files: reading back: GET was answered {status}" in record.notes


def test_an_answer_that_breaks_off_is_a_file_that_is_shorter() -> None:
    def torn(_: int) -> Response:
        raise Interrupted(Failure.TORN)

    assert audit(chunked(torn), entry(0)).counts == {Fate.TRUNCATED: 1}


def test_a_server_without_ranges_and_with_a_large_file_is_not_accused() -> None:
    def too_much(_: int) -> Response:
        raise Interrupted(Failure.GARBLED, "more than an answer should be")

    assert audit(chunked(too_much), entry(0)).counts == {Fate.UNVERIFIABLE: 1}


def test_orphans_that_can_not_be_looked_for_are_not_denied() -> None:
    record = audit(chunked(whole, reply(403)), entry(0))
    assert record.counts == {Fate.INTACT: 1}
    assert any("orphans are not known: 403" in note for note in record.notes)


def test_where_nothing_can_be_read_the_servers_digest_has_to_do() -> None:
    def registry(request: Request) -> Response:
        return Response(200, {"content-length": str(SIZE_BYTES)}) if request.method == "HEAD" else reply(401)

    with closing(ORIGINAL(entry(0))) as file:
        right = Entry(f"sha256:{file.digest('sha-256', 0, SIZE_BYTES).hex()}", "run-000000", SIZE_BYTES, 0)
    wrong = Entry(f"sha256:{'0' * 64}", "run-000001", SIZE_BYTES, 1)
    record = audit(registry, right, wrong, protocol=Oci("client-1"))
    assert record.counts == {Fate.INTACT: 1, Fate.CORRUPT: 1}
    assert "1 file: the bytes are known by the server's own sha-256, not read back" in record.notes


def test_a_protocol_that_reads_nothing_back_says_so_once() -> None:
    held = Response(204, {"upload-offset": str(SIZE_BYTES)})
    record = audit(lambda _: held, entry(0), entry(1), protocol=Rufh("client-1"))
    assert record.counts == {Fate.UNVERIFIABLE: 2}
    assert any(note.startswith("2 files: rufh has no way to read files back") for note in record.notes)


def test_a_corpus_that_is_not_here_makes_bytes_unverifiable(tmp_path: Path) -> None:
    missing = Mix((FileClass(Fixed(1), ContentSpec("corpus", {"path": str(tmp_path / "none")})),))
    record = audit(chunked(whole), entry(0), original=remade(lambda: missing))
    assert record.counts == {Fate.UNVERIFIABLE: 1}
    assert "can't be made again here" in record.notes[0]


def test_a_dialect_that_stumbles_is_no_finding() -> None:
    class Stumbling(Chunked):
        def inspect(self, receipt: object) -> Iterator[Request]:  # type: ignore[override]
            yield Request.__new__(Request)

    with pytest.raises(AttributeError):
        audit(chunked(whole), entry(0), protocol=Stumbling("client-1"))
