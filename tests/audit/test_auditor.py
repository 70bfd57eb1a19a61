"""Damage that is planted on a real server is found, file by file; and nothing is found where there is none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.audit.lab import PREFIX, Lab, flipped, shorter
from tests.servers import RunningServer, running_server
from upswarm.audit.disk import Shelf
from upswarm.audit.ledger import Entry
from upswarm.protocols.chunked import Chunked
from upswarm.protocols.tus import Tus
from upswarm.results.audit_record import AuditRecord, Fate
from upswarm.results.audit_terms import Ask, AuditTerms

FILES = 12


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with running_server(tmp_path, workers=2) as server:
        yield server


@pytest.fixture
def lab(tmp_path: Path, server: RunningServer) -> Lab:
    return Lab(tmp_path, Chunked("client-1"), server.url)


def shelf_of(server: RunningServer) -> Shelf:
    return Shelf(str(server.data_dir / "data" / "{file_id:.2}" / "{file_id}"))


def fates(record: AuditRecord) -> dict[str, Fate]:
    return {problem.file_id: problem.fate for problem in record.problems}


def large(entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.size_bytes > 50_000]


@pytest.mark.parametrize("on_disk", [False, True], ids=["read back", "on the disk"])
def test_what_was_planted_is_found_and_nothing_else(lab: Lab, server: RunningServer, on_disk: bool) -> None:
    entries = lab.upload(FILES)
    shelf = shelf_of(server)
    untouched = lab.audit(shelf=shelf if on_disk else None)
    assert untouched.counts == {Fate.INTACT: FILES}
    assert (untouched.holds, untouched.problems, untouched.promised, untouched.asked) == (True, (), FILES, FILES)
    assert untouched.read_bytes == sum(entry.size_bytes for entry in entries)

    deleted, removed, short, empty, bent, one, other = large(entries)[:7]
    with urlopen(Request(f"{server.url}/v1/files/{deleted.file_id}", method="DELETE")):
        pass
    shelf.path_of(removed).unlink()
    for entry, damage in ((short, shorter), (empty, lambda _: b""), (bent, flipped)):
        path = shelf.path_of(entry)
        path.write_bytes(damage(path.read_bytes()))
    swap(shelf.path_of(one), shelf.path_of(other))
    query = f"filename={PREFIX}000099&client_id=somebody"
    with urlopen(Request(f"{server.url}/v1/files?{query}", data=b"not promised", method="POST")):
        pass

    record = lab.audit(shelf=shelf if on_disk else None)
    found = fates(record)
    orphans = [problem for problem in record.problems if problem.fate is Fate.ORPHANED]
    assert [problem.file_name for problem in orphans] == [f"{PREFIX}000099"]
    del found[orphans[0].file_id]
    # Of two files that were swapped one is shorter than it was, unless it is read back under its record's length.
    swapped = {found.pop(one.file_id), found.pop(other.file_id)}
    assert swapped <= {Fate.CORRUPT, Fate.TRUNCATED}
    assert Fate.CORRUPT in swapped
    emptied = found.pop(empty.file_id)
    assert emptied is (Fate.TRUNCATED if on_disk else Fate.MISSING)
    assert found == {
        deleted.file_id: Fate.MISSING,
        removed.file_id: Fate.MISSING,
        short.file_id: Fate.TRUNCATED,
        bent.file_id: Fate.CORRUPT,
    }
    assert not record.holds
    assert record.broken == 7
    assert record.counts[Fate.INTACT] == FILES - 7


def swap(one: Path, other: Path) -> None:
    between = one.with_suffix(".between")
    one.rename(between)
    other.rename(one)
    between.rename(other)


def test_what_is_not_asked_for_is_not_found(lab: Lab, server: RunningServer) -> None:
    entry = large(lab.upload(3))[0]
    path = shelf_of(server).path_of(entry)
    path.write_bytes(flipped(path.read_bytes()))
    record = lab.audit(AuditTerms(checks=(Ask.PRESENT, Ask.SIZE)))
    assert (record.counts, record.read_bytes) == ({Fate.INTACT: 3}, 0)


def test_a_sample_is_the_same_each_time(lab: Lab) -> None:
    lab.upload(20)
    terms = AuditTerms(sample_ratio=0.5)
    first, second = lab.audit(terms), lab.audit(terms)
    assert first.promised == 20
    assert 0 < first.asked < 20
    assert (first.asked, first.read_bytes) == (second.asked, second.read_bytes)
    assert f"a sample of {first.asked} of 20 files was to be looked at" in first.notes


def test_a_server_that_starts_anew_meanwhile_is_waited_for(lab: Lab, server: RunningServer, tmp_path: Path) -> None:
    lab.upload(3)
    port = server.port
    server.stop()
    again = RunningServer(tmp_path, port=port)
    starting = threading.Timer(0.5, again.start)
    starting.start()
    try:
        assert lab.audit().counts == {Fate.INTACT: 3}
    finally:
        starting.join()
        again.close()


def test_an_audit_without_time_says_what_it_left_out(lab: Lab) -> None:
    lab.upload(3)
    record = lab.audit(AuditTerms(limit_s=0.0))
    assert (record.promised, record.asked, record.counts) == (3, 0, {})
    assert "3 of 3 files were not looked at" in record.notes[0]
    assert record.holds


def test_an_audit_that_is_stopped_keeps_what_it_found(lab: Lab) -> None:
    lab.upload(3)
    auditor = lab.auditor()
    auditor.stop("somebody asked for its end")
    assert "somebody asked for its end; 3 of 3 files" in auditor.run().notes[0]


def test_who_is_still_being_asked_when_an_audit_is_over_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("upswarm.audit.auditor._LEAVE_S", 0.2)
    slow = '[{"phase": "inspect", "share": 1, "delay_s": 20}]'
    with running_server(tmp_path, faults=slow) as server:
        lab = Lab(tmp_path, Chunked("client-1"), server.url)
        lab.upload(2)
        record = lab.audit(AuditTerms(limit_s=0.2))
    assert (record.holds, record.asked, record.took_s < 20) == (True, 0, True)
    assert "its time of 0.2 s was up; 2 of 2 files were not looked at" in record.notes[0]


def test_a_server_that_is_gone_breaks_no_promise(
    lab: Lab, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.upload(2)
    server.kill()
    monkeypatch.setattr("upswarm.audit.auditor.PATIENCE_S", 0.2)
    record = lab.audit()
    assert (record.holds, record.asked) == (True, 0)
    assert "the server had not answered for 0.2 s" in record.notes[0]


def test_tus_has_no_way_to_read_back_at_our_server_but_the_disk_has(tmp_path: Path, server: RunningServer) -> None:
    lab = Lab(tmp_path, Tus("client-1"), server.url)
    entries = lab.upload(4)
    record = lab.audit()
    assert record.counts == {Fate.UNVERIFIABLE: 4 - empty_ones(entries)} | (
        {Fate.INTACT: empty_ones(entries)} if empty_ones(entries) else {}
    )
    assert record.holds
    assert any("GET was answered 405" in note for note in record.notes)
    assert any("tus has no list of files" in note for note in record.notes)
    path = shelf_of(server).path_of(large(entries)[0])
    path.write_bytes(flipped(path.read_bytes()))
    assert fates(lab.audit(shelf=shelf_of(server))) == {large(entries)[0].file_id: Fate.CORRUPT}


def empty_ones(entries: list[Entry]) -> int:
    return sum(entry.size_bytes == 0 for entry in entries)


def test_a_file_of_somebody_elses_is_there_but_nobody_knows_its_bytes(lab: Lab) -> None:
    (entry,) = lab.upload(1)
    document = entry.to_document() | {"number": None}
    lab.ledger.unlink()
    from upswarm.audit.ledger import LedgerFile  # noqa: PLC0415

    with closing(LedgerFile(lab.ledger)) as ledger:
        ledger.append([document])
    record = lab.audit()
    assert record.counts == {Fate.UNVERIFIABLE: 1}
    assert record.holds
