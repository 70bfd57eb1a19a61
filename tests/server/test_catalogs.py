"""The contract over every catalog, and what only SQLite can do."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.server.contract_catalog import WIDE, CatalogContract, add_files, an_upload, finalize
from upswarm_server.catalogs.base import Catalog, Query
from upswarm_server.catalogs.memory import MemoryCatalog
from upswarm_server.catalogs.sqlite import SCHEMA_VERSION, SqliteCatalog
from upswarm_server.problems import Problem

T = TypeVar("T")


class TestMemoryCatalog(CatalogContract):
    @pytest.fixture
    def catalog(self) -> Catalog:
        return MemoryCatalog()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite3"


class TestSqliteCatalog(CatalogContract):
    @pytest.fixture
    def catalog(self, path: Path) -> Iterator[Catalog]:
        catalog = SqliteCatalog(path)
        catalog.prepare()
        yield catalog
        catalog.close()

    def test_another_process_sees_what_was_written(self, catalog: Catalog, path: Path) -> None:
        (file_id,) = add_files(catalog, "a")
        other = SqliteCatalog(path)
        other.prepare()
        assert other.file(file_id) == catalog.file(file_id)
        other.close()

    def test_a_catalog_of_another_version_is_refused(self, catalog: Catalog, path: Path) -> None:
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        connection.close()
        with pytest.raises(OSError, match=f"expected schema version {SCHEMA_VERSION}, found {SCHEMA_VERSION + 1}"):
            SqliteCatalog(path).prepare()

    def test_a_file_that_is_no_catalog_is_refused(self, path: Path) -> None:
        path.write_bytes(b"something else entirely" * 100)
        with pytest.raises(OSError, match="can't be used as a catalog"):
            SqliteCatalog(path).prepare()


class Gate:
    """Runs everything at once, but holds what comes first until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, function: Callable[[], T], /) -> T:
        self.reached.set()
        assert self.opened.wait(10)
        return function()


@pytest.fixture
def gated(path: Path) -> Iterator[tuple[SqliteCatalog, Gate]]:
    gate = Gate()
    catalog = SqliteCatalog(path, offload=gate)
    catalog.prepare()
    yield catalog, gate
    catalog.close()


def test_changes_that_come_during_a_commit_share_the_next_one(gated: tuple[SqliteCatalog, Gate]) -> None:
    catalog, gate = gated
    threads = [threading.Thread(target=catalog.begin, args=(an_upload(), WIDE)) for _ in range(10)]
    threads[0].start()
    assert gate.reached.wait(10)
    for thread in threads[1:]:
        thread.start()
    while catalog.commits().waiting < 9:
        pass
    gate.opened.set()
    for thread in threads:
        thread.join()
    assert catalog.commits().records == 10
    assert catalog.commits().commits == 2


def test_nobody_goes_on_before_its_change_is_written(gated: tuple[SqliteCatalog, Gate]) -> None:
    catalog, gate = gated
    upload = an_upload()
    thread = threading.Thread(target=catalog.begin, args=(upload, WIDE))
    thread.start()
    assert gate.reached.wait(10)
    assert thread.is_alive()
    assert catalog.upload(upload.upload_id) is None
    gate.opened.set()
    thread.join()
    assert catalog.upload(upload.upload_id) == upload


def test_a_refused_change_does_not_undo_its_neighbours(gated: tuple[SqliteCatalog, Gate]) -> None:
    catalog, gate = gated
    upload, refused = an_upload(), an_upload()
    found: list[Problem] = []

    def begin_refused() -> None:
        try:
            catalog.begin(refused, WIDE.__class__(max_open_uploads=0))
        except Problem as problem:
            found.append(problem)

    threads = [
        threading.Thread(target=catalog.begin, args=(an_upload(), WIDE)),
        threading.Thread(target=begin_refused),
        threading.Thread(target=catalog.begin, args=(upload, WIDE)),
    ]
    threads[0].start()
    assert gate.reached.wait(10)
    for thread in threads[1:]:
        thread.start()
    while catalog.commits().waiting < 2:
        pass
    gate.opened.set()
    for thread in threads:
        thread.join()
    assert [problem.code for problem in found] == ["open_uploads_exceeded"]
    assert catalog.upload(upload.upload_id) == upload
    assert catalog.upload(refused.upload_id) is None


def test_a_failed_commit_is_an_error_and_not_a_success(path: Path) -> None:
    def fails(function: Callable[[], T], /) -> T:
        raise sqlite3.OperationalError("disk I/O error")

    catalog = SqliteCatalog(path, offload=fails)
    catalog.prepare()
    upload = an_upload()
    with pytest.raises(RuntimeError, match="the catalog could not commit"):
        catalog.begin(upload, WIDE)
    assert catalog.upload(upload.upload_id) is None
    catalog.close()


def test_a_step_that_fails_is_undone_alone(path: Path) -> None:
    catalog = SqliteCatalog(path)
    catalog.prepare()
    upload = an_upload()
    catalog.begin(upload, WIDE)
    with pytest.raises(sqlite3.IntegrityError):
        catalog.begin(upload, WIDE)
    assert finalize(catalog, upload) is not None
    assert len(catalog.list_files(Query(limit=10)).files) == 1
    catalog.close()


def test_a_catalog_that_another_process_keeps_locked_is_busy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upswarm_server.catalogs.sqlite._BUSY_TIMEOUT_S", 0.05)
    catalog = SqliteCatalog(path)
    catalog.prepare()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Problem, match="busy"):
        catalog.begin(an_upload(), WIDE)
    other.execute("ROLLBACK")
    other.close()
    catalog.begin(an_upload(), WIDE)
    catalog.close()
