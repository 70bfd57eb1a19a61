"""Records in one SQLite file, in WAL mode: readers never wait, writers of all processes take turns.

Under gevent everything that touches the file is offloaded, reading too: what is not in the kernel's cache comes from a
disk. Columns hold what is searched for, `record` holds the rest as JSON.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from upswarm_server.catalogs.base import Bounds, Commits, Page, Query, Stock
from upswarm_server.catalogs.group_commit import GroupCommit, as_problem
from upswarm_server.meter import SILENT, Meter
from upswarm_server.model import File, Upload
from upswarm_server.offload import Offload, direct
from upswarm_server.settings import Settings

_BUSY_TIMEOUT_S = 10.0
# Each version is what brings the one before it up to date; a new catalog goes through all of them.
_VERSIONS = (
    """
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
    """,
    """
    ALTER TABLE uploads ADD COLUMN client_id TEXT;
    ALTER TABLE uploads ADD COLUMN freed INTEGER NOT NULL DEFAULT 0;
    UPDATE uploads SET client_id = json_extract(record, '$.client_id');
    CREATE INDEX uploads_by_client ON uploads (client_id, expires_at_s) WHERE file_id IS NULL;
    CREATE INDEX uploads_to_free ON uploads (freed, expires_at_s) WHERE file_id IS NULL;
    """,
)


class _Connection(sqlite3.Connection):
    """Closes with the last who holds it: a WSGI application has no end, at which it could be closed."""

    def __del__(self) -> None:
        with suppress(sqlite3.Error):  # of one that could not be opened
            self.close()


class SqliteCatalog:
    """Keeps records in `path`; many processes may share it, each with a catalog of its own made after the fork."""

    def __init__(self, path: Path, *, commit: str = "sync", offload: Offload = direct, meter: Meter = SILENT) -> None:
        self.path = path
        self._waits_for_disk = commit == "sync"
        self._offload = offload
        self._writer = GroupCommit(self._connect, offload, meter, self.close)
        self._readers: list[sqlite3.Connection] = []

    @classmethod
    def from_settings(cls, settings: Settings, offload: Offload, meter: Meter) -> SqliteCatalog:
        """The catalog beside the files of these settings."""
        path = settings.data_dir / "catalog.sqlite3"
        return cls(path, commit=settings.catalog_commit, offload=offload, meter=meter)

    def prepare(self) -> None:
        """Make the tables, or bring those of an earlier version up to date; raises `OSError`."""
        try:
            with closing(self._connect()) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("BEGIN IMMEDIATE")
                self._bring_up_to_date(connection)
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise OSError(f"{self.path} can't be used as a catalog: {error}") from error

    def _bring_up_to_date(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(_VERSIONS):
            raise OSError(f"{self.path}: expected schema version {len(_VERSIONS)} or earlier, found {version}")
        for statement in ";".join(_VERSIONS[version:]).split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(_VERSIONS)}")

    def begin(self, upload: Upload, bounds: Bounds) -> None:
        """Check the bounds and insert, in one step."""
        self._writer.run(lambda connection: _begin(connection, upload, bounds), durable=False)

    def upload(self, upload_id: str) -> Upload | None:
        """By primary key."""
        rows = self._read("SELECT record FROM uploads WHERE upload_id = ?", (upload_id,))
        return Upload(**json.loads(rows[0][0])) if rows else None

    def finalize(self, upload: Upload, file: File) -> File | None:
        """Update and insert, in one step that waits for the disk."""
        return self._writer.run(lambda connection: _finalize(connection, upload, file), durable=self._waits_for_disk)

    def abort(self, upload_id: str) -> bool:
        """Delete the upload, if it is open."""
        return self._change("DELETE FROM uploads WHERE upload_id = ? AND file_id IS NULL", (upload_id,)) > 0

    def file(self, file_id: str) -> File | None:
        """By its unique index."""
        rows = self._read("SELECT record FROM files WHERE file_id = ?", (file_id,))
        return _file(rows[0][0]) if rows else None

    def delete_file(self, file_id: str) -> bool:
        """Delete both records, in one step that waits for the disk: a deleted file must not come back."""
        return self._writer.run(lambda connection: _delete_file(connection, file_id), durable=self._waits_for_disk)

    def list_files(self, query: Query) -> Page:
        """One page, and one file more to know whether another page follows."""
        rows = self._read(
            "SELECT number, record FROM files WHERE number > :after"
            " AND (:client_id IS NULL OR client_id = :client_id)"
            " AND substr(filename, 1, length(:prefix)) = :prefix ORDER BY number LIMIT :limit + 1",
            dataclasses.asdict(query),
        )
        shown = rows[: query.limit]
        return Page(tuple(_file(row[1]) for row in shown), shown[-1][0] if len(rows) > len(shown) else None)

    def count_open(self, now_s: float) -> int:
        """From the index of open uploads."""
        return int(self._read(_COUNT_OPEN, (now_s,))[0][0])

    def stock(self) -> Stock:
        """From the index of sizes, all of it."""
        return Stock(*self._read("SELECT count(*), coalesce(sum(size_bytes), 0) FROM files", ())[0])

    def open_uploads(self) -> list[str]:
        """From the index of open uploads."""
        return [row[0] for row in self._read("SELECT upload_id FROM uploads WHERE file_id IS NULL AND NOT freed", ())]

    def expired(self, now_s: float, limit: int) -> list[str]:
        """From the same index."""
        statement = (
            "SELECT upload_id FROM uploads WHERE file_id IS NULL AND NOT freed AND expires_at_s <= ?"
            " ORDER BY expires_at_s LIMIT ?"
        )
        return [row[0] for row in self._read(statement, (now_s, limit))]

    def freed(self, upload_id: str) -> bool:
        """Mark the upload, if it is open."""
        statement = "UPDATE uploads SET freed = 1 WHERE upload_id = ? AND file_id IS NULL"
        return self._change(statement, (upload_id,)) > 0

    def forget_expired(self, before_s: float) -> int:
        """Delete them all."""
        statement = "DELETE FROM uploads WHERE file_id IS NULL AND freed AND expires_at_s < ?"
        return self._change(statement, (before_s,))

    def commits(self) -> Commits:
        """What this process has written."""
        return self._writer.commits()

    def close(self) -> None:
        """Close all connections."""
        self._writer.close()
        while self._readers:
            self._readers.pop().close()

    def _change(self, statement: str, values: tuple[Any, ...]) -> int:
        return self._writer.run(lambda connection: connection.execute(statement, values).rowcount, durable=False)

    def _read(self, statement: str, values: tuple[Any, ...] | dict[str, Any]) -> list[Any]:
        try:
            reader = self._readers.pop()
        except IndexError:  # all of them are in use
            reader = self._connect()
        try:
            return self._offload(lambda: reader.execute(statement, values).fetchall())
        except sqlite3.Error as error:
            raise as_problem(error) from error
        finally:
            self._readers.append(reader)

    def _connect(self) -> sqlite3.Connection:
        # Each connection has one user at a time, but under gevent not always the same thread.
        return sqlite3.connect(
            self.path,
            timeout=_BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
            factory=_Connection,
        )


_COUNT_OPEN = "SELECT count(*) FROM uploads WHERE file_id IS NULL AND expires_at_s > ?"
_COUNT_CLIENT = f"{_COUNT_OPEN} AND client_id IS ?"
_SUM_OPEN = "SELECT coalesce(sum(size_bytes), 0) FROM uploads WHERE file_id IS NULL AND expires_at_s > ?"
_SUM_FILES = "SELECT coalesce(sum(size_bytes), 0) FROM files"


def _begin(connection: sqlite3.Connection, upload: Upload, bounds: Bounds) -> None:
    now = (upload.created_at_s,)
    bounds.check_open(connection.execute(_COUNT_OPEN, now).fetchone()[0])
    if bounds.max_open_per_client:
        bounds.check_client(upload, connection.execute(_COUNT_CLIENT, (*now, upload.client_id)).fetchone()[0])
    if bounds.quota_bytes:
        used_bytes = connection.execute(_SUM_OPEN, now).fetchone()[0] + connection.execute(_SUM_FILES).fetchone()[0]
        bounds.check_quota(upload, used_bytes)
    connection.execute(
        "INSERT INTO uploads (upload_id, size_bytes, expires_at_s, client_id, record) VALUES (?, ?, ?, ?, ?)",
        (upload.upload_id, upload.size_bytes, upload.expires_at_s, upload.client_id, _record(upload)),
    )


def _finalize(connection: sqlite3.Connection, upload: Upload, file: File) -> File | None:
    updated = connection.execute(
        "UPDATE uploads SET file_id = ?, record = ? WHERE upload_id = ? AND file_id IS NULL",
        (file.file_id, _record(upload), upload.upload_id),
    )
    if not updated.rowcount:
        rows = connection.execute("SELECT record FROM files WHERE upload_id = ?", (upload.upload_id,)).fetchall()
        return _file(rows[0][0]) if rows else None
    connection.execute(
        "INSERT INTO files (file_id, upload_id, client_id, filename, size_bytes, record) VALUES (?, ?, ?, ?, ?, ?)",
        (file.file_id, file.upload_id, file.client_id, file.filename, file.size_bytes, _record(file)),
    )
    return file


def _delete_file(connection: sqlite3.Connection, file_id: str) -> bool:
    connection.execute(
        "DELETE FROM uploads WHERE upload_id = (SELECT upload_id FROM files WHERE file_id = ?)", (file_id,)
    )
    return connection.execute("DELETE FROM files WHERE file_id = ?", (file_id,)).rowcount > 0


def _record(record: Upload | File) -> str:
    return json.dumps(dataclasses.asdict(record), separators=(",", ":"))


def _file(text: str) -> File:
    return File(**json.loads(text))
