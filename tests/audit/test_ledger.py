"""The ledger: what is a promise, what is left of a worker that was killed, and what is no ledger at all."""

from __future__ import annotations

import resource
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm.audit.disk import Shelf
from upswarm.audit.ledger import LEDGER_FILE, Entry, LedgerFile, ledgers_of, read, worker_file
from upswarm.audit.words import fit, problem
from upswarm.errors import UsageError
from upswarm.results.audit_record import Fate
from upswarm.transfer.records import End, Outcome, Receipt

ENTRY = Entry("f1", "run-000001", 7, 1, "small", "local", 0.5)
FINISHED = Outcome(End.FINISHED, "run-000001", 7, 1.0, 2.5, receipt=Receipt("f1", 7), number=1, file_class="small")


def written(path: Path, *entries: Entry) -> Path:
    with closing(LedgerFile(path)) as ledger:
        ledger.append(entry.to_document() for entry in entries)
    return path


def test_a_receipt_is_a_promise_and_nothing_else_is() -> None:
    assert Entry.of_outcome(FINISHED, "local", 2.0) == ENTRY
    assert Entry.of_outcome(replace(FINISHED, receipt=None), "local", 2.0) is None
    for end in (End.FAILED, End.ABORTED, End.STOPPED, End.MOVED):
        assert Entry.of_outcome(replace(FINISHED, end=end), "local", 2.0) is None


texts = st.text(max_size=20)


numbers, seconds = st.integers(0), st.floats(0, 1e6)
entry = st.builds(Entry, texts, texts, numbers, st.none() | numbers, texts, texts, seconds)


@given(st.lists(entry, max_size=5))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, entries: list[Entry]) -> None:
    path = written(tmp_path_factory.mktemp("ledger") / LEDGER_FILE, *entries)
    assert list(read([path] if entries else [])) == entries
    assert [Entry(*list(entry)) for entry in entries] == entries


def test_a_receipt_in_two_ledgers_is_one(tmp_path: Path) -> None:
    other = ENTRY._replace(file_id="f2")
    written(tmp_path / LEDGER_FILE, ENTRY)
    own = written(worker_file(tmp_path, "../host_1.2"), ENTRY, other)
    assert own == tmp_path / "ledger.___host_1_2.jsonl"
    assert ledgers_of(tmp_path) == [own, tmp_path / LEDGER_FILE]
    assert {entry.file_id for entry in read(ledgers_of(tmp_path))} == {"f1", "f2"}
    assert len(list(read(ledgers_of(tmp_path)))) == 2


def test_a_line_that_was_not_finished_was_told_to_nobody(tmp_path: Path) -> None:
    path = written(tmp_path / LEDGER_FILE, ENTRY)
    with path.open("a") as file:
        file.write('{"file_id": "f2", "fil')
    assert list(read([path])) == [ENTRY]


@pytest.mark.parametrize("line", ["no json", "{}", "[]", '{"file_id": 1, "file_name": "a", "size_bytes": 2}',
                                  '{"file_id": "1", "file_name": "a", "size_bytes": "2"}'])  # fmt: skip
def test_what_is_no_ledger_is_said_with_its_line(tmp_path: Path, line: str) -> None:
    path = written(tmp_path / LEDGER_FILE, ENTRY)
    with path.open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(UsageError, match=r"ledger\.jsonl:2: expected an entry of a ledger"):
        list(read([path]))


def test_a_disk_that_takes_half_a_line_leaves_none_of_it_and_goes_on_when_it_has_room(tmp_path: Path) -> None:
    length = written(tmp_path / "measure", ENTRY).stat().st_size
    other, third = ENTRY._replace(file_id="f2"), ENTRY._replace(file_id="f3")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with closing(LedgerFile(tmp_path / LEDGER_FILE)) as ledger:
        ledger.append([ENTRY.to_document()])
        resource.setrlimit(resource.RLIMIT_FSIZE, (length * 3 // 2, limits[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                ledger.append([other.to_document()])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        ledger.append([third.to_document()])
    assert list(read([tmp_path / LEDGER_FILE])) == [ENTRY, third]


def test_a_ledger_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a ledger at"):
        list(read([tmp_path / "none"]))


def test_files_are_found_by_their_ids_wherever_these_lead() -> None:
    shelf = Shelf("/data/{file_id:.2}/{file_id}")
    assert shelf.path_of(ENTRY._replace(file_id="http://h/tus/abcd")) == Path("/data/ab/abcd")
    assert shelf.path_of(ENTRY._replace(file_id="../../etc/passwd")) == Path("/data/pa/passwd")
    assert Shelf("/dav/{file_name}").path_of(ENTRY) == Path("/dav/run-000001")


@pytest.mark.parametrize("template", ["/data", "/data/{id}", "/data/{}", "/data/{file_id", "/data/{file_id:d}"])
def test_a_template_that_leads_nowhere_is_refused(template: str) -> None:
    with pytest.raises(UsageError, match="--file-path: expected a template"):
        Shelf(template)


def test_what_a_server_says_is_made_fit_to_be_shown() -> None:
    found = problem(Fate.ORPHANED, "\x1b[2Ja", "http://h/f?sig=secret", "x" * 1000)
    assert (found.file_name, found.file_id, len(found.detail)) == ("\ufffd[2Ja", "http://h/f", 200)
    assert problem(Fate.ORPHANED, "a", "f?sig=secret", "").file_id == "f"
    assert fit("as it is") == "as it is"
