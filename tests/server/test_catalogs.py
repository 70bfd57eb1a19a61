"""The contract over every catalog, and what only SQLite can do."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.scratch import IN_MEMORY
from upswarm import plugins
from upswarm.testing.catalogs import CatalogContract
from upswarm.testing.records import WIDE, an_upload, finalize
from upswarm.testing.workers import SharedCatalogContract
from upswarm_server.catalogs.base import Bounds, Catalog, Query
from upswarm_server.catalogs.sqlite import SqliteCatalog
from upswarm_server.meter import SILENT
from upswarm_server.offload import direct
from upswarm_server.problems import Problem
from upswarm_server.settings import Settings

T = TypeVar("T")


def named(name: str, scratch: Path) -> Catalog:
    """A catalog as the server makes it: by its name, from settings."""
    catalog: Catalog = plugins.find("catalog", name).from_settings(Settings(data_dir=scratch), direct, SILENT)
    catalog.prepare()
    return catalog


class TestMemoryCatalog(CatalogContract):
    def catalog(self, scratch: Path) -> Catalog:
        return named("memory", scratch)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite3"


class TestSqliteCatalog(SharedCatalogContract):
    @pytest.fixture(autouse=True)
    def _in_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tempfile, "tempdir", IN_MEMORY)

    def catalog(self, scratch: Path) -> Catalog:
        return named("sqlite", scratch)

    def test_a_catalog_of_another_version_is_refused(self, path: Path) -> None:
        SqliteCatalog(path).prepare()
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
        with pytest.raises(OSError, match="expected schema version 2 or earlier, found 99"):
            SqliteCatalog(path).prepare()

    def test_a_directory_in_its_place_is_refused(self, path: Path) -> None:
        path.mkdir()
        with pytest.raises(OSError, match="can't be used as a catalog: unable to open database file"):
            SqliteCatalog(path).prepare()

    def test_a_catalog_of_the_first_version_is_brought_up_to_date(self, path: Path) -> None:
        """Its files, its open uploads, and the order of the files are kept."""
        connection = sqlite3.connect(path)
        connection.executescript(_FIRST_VERSION)
        connection.close()
        catalog = SqliteCatalog(path)
        for _ in range(2):
            catalog.prepare()
        upload = catalog.upload("11111111-1111-4111-8111-111111111111")
        assert upload is not None
        assert (upload.filename, upload.client_id, upload.state) == ("open.bin", "client-7", "open")
        assert [file.filename for file in catalog.list_files(Query(limit=10)).files] == ["done.bin"]
        with pytest.raises(Problem, match="at most 1 at a time with client_id 'client-7'"):
            catalog.begin(an_upload(client_id="client-7"), Bounds(max_open_uploads=9, max_open_per_client=1))
        assert finalize(catalog, upload)
        assert [file.filename for file in catalog.list_files(Query(limit=10)).files] == ["done.bin", "open.bin"]
        catalog.close()

    def test_a_file_that_is_no_catalog_is_refused(self, path: Path) -> None:
        path.write_bytes(b"something else entirely" * 100)
        with pytest.raises(OSError, match="can't be used as a catalog"):
            SqliteCatalog(path).prepare()


# Written by version 0.1.0 of the server: an open upload and a file.
_FIRST_VERSION = """
CREATE TABLE uploads (
    upload_id TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, expires_at_s REAL NOT NULL,
    file_id TEXT, record TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX uploads_open ON uploads (expires_at_s, size_bytes) WHERE file_id IS NULL;
CREATE TABLE files (
    number INTEGER PRIMARY KEY AUTOINCREMENT, file_id TEXT NOT NULL UNIQUE, upload_id TEXT NOT NULL UNIQUE,
    client_id TEXT, filename TEXT NOT NULL, size_bytes INTEGER NOT NULL, record TEXT NOT NULL
);
CREATE INDEX files_by_client ON files (client_id, number);
CREATE INDEX files_by_size ON files (size_bytes);
INSERT INTO uploads VALUES ('11111111-1111-4111-8111-111111111111', 10, 4000000000.0, NULL,
 '{"upload_id":"11111111-1111-4111-8111-111111111111","filename":"open.bin","size_bytes":10,"chunk_size_bytes":5,'
 || '"created_at_s":1795000000.0,"expires_at_s":4000000000.0,"content_type":"application/octet-stream","metadata":{},'
 || '"client_id":"client-7","client_timestamp":null,"digest":null,"file_id":null}');
INSERT INTO uploads VALUES ('22222222-2222-4222-8222-222222222222', 0, 4000000000.0,
 '22222222-2222-4222-8222-222222222222',
 '{"upload_id":"22222222-2222-4222-8222-222222222222","filename":"done.bin","size_bytes":0,"chunk_size_bytes":5,'
 || '"created_at_s":1795000000.0,"expires_at_s":4000000000.0,"content_type":"application/octet-stream","metadata":{},'
 || '"client_id":null,"client_timestamp":null,"digest":null,"file_id":"22222222-2222-4222-8222-222222222222"}');
INSERT INTO files (file_id, upload_id, client_id, filename, size_bytes, record) VALUES (
 '22222222-2222-4222-8222-222222222222', '22222222-2222-4222-8222-222222222222', NULL, 'done.bin', 0,
 '{"file_id":"22222222-2222-4222-8222-222222222222","upload_id":"22222222-2222-4222-8222-222222222222",'
 || '"filename":"done.bin","size_bytes":0,"content_type":"application/octet-stream","metadata":{},"client_id":null,'
 || '"client_timestamp":null,"digest":null,"created_at_s":1795000001.0,"stored_by":"host"}');
PRAGMA user_version = 1;
"""


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
    with closing(SqliteCatalog(catalog.path)) as other:
        assert other.upload(upload.upload_id) is None
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
    with pytest.raises(RuntimeError, match="the catalog failed"):
        catalog.begin(upload, WIDE)
    catalog.close()
    with closing(SqliteCatalog(path)) as other:
        assert other.upload(upload.upload_id) is None


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


@pytest.mark.parametrize(("commit", "level"), [("sync", "FULL"), ("behind", "NORMAL")])
def test_a_finalize_waits_for_the_disk_unless_it_is_told_not_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commit: str, level: str
) -> None:
    statements: list[str] = []
    connect = sqlite3.connect

    def traced(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*args, **options)
        connection.set_trace_callback(statements.append)
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced)
    settings = Settings(data_dir=tmp_path, catalog_commit=commit)
    catalog = SqliteCatalog.from_settings(settings, direct, SILENT)
    catalog.prepare()
    upload = an_upload()
    catalog.begin(upload, WIDE)
    statements.clear()
    finalize(catalog, upload)
    catalog.close()
    assert f"PRAGMA synchronous = {level}" in statements
