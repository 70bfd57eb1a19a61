"""Records in one SQLite file, in WAL mode: readers never wait, writers of all processes take turns.

Columns hold what is searched for, `record` holds the rest as JSON.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

from upswarm_server.catalogs.base import Bounds, Commits, Page, Query
from upswarm_server.catalogs.group_commit import GroupCommit
from upswarm_server.model import File, Upload
from upswarm_server.offload import Offload, direct
from upswarm_server.settings import Settings

SCHEMA_VERSION = 1
_BUSY_TIMEOUT_S = 10.0
_SCHEMA = """
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
"""


class SqliteCatalog:
    """Keeps records in `path`; many processes may share it, each with a catalog of its own made after the fork."""

    def __init__(self, path: Path, *, offload: Offload = direct) -> None:
        self._path = path
        self._writer = GroupCommit(self._connect, offload)
        self._reader: sqlite3.Connection | None = None
        # Looked up when called: gunicorn's gevent worker replaces it before the application is made.
        self._reading = threading.Lock()

    @classmethod
    def from_settings(cls, settings: Settings, offload: Offload) -> SqliteCatalog:
        """The catalog beside the files of these settings."""
        return cls(settings.data_dir / "catalog.sqlite3", offload=offload)

    def prepare(self) -> None:
        """Make the tables, or check that they are ours; raises `OSError`."""
        connection = self._connect()
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise OSError(f"{self._path} can't be used as a catalog: {error}") from error
        finally:
            connection.close()
        if version not in (0, SCHEMA_VERSION):
            raise OSError(f"{self._path}: expected schema version {SCHEMA_VERSION}, found {version}")

    def begin(self, upload: Upload, bounds: Bounds) -> None:
        """Check the bounds and insert, in one step."""
        self._writer.run(lambda connection: _begin(connection, upload, bounds), durable=False)

    def upload(self, upload_id: str) -> Upload | None:
        """By primary key."""
        rows = self._read("SELECT record FROM uploads WHERE upload_id = ?", (upload_id,))
        return Upload(**json.loads(rows[0][0])) if rows else None

    def finalize(self, upload: Upload, file: File) -> File | None:
        """Update and insert, in one step that waits for the disk."""
        return self._writer.run(lambda connection: _finalize(connection, upload, file), durable=True)

    def abort(self, upload_id: str) -> bool:
        """Delete the upload, if it is open."""
        statement = "DELETE FROM uploads WHERE upload_id = ? AND file_id IS NULL"
        return self._writer.run(
            lambda connection: connection.execute(statement, (upload_id,)).rowcount > 0, durable=False
        )

    def file(self, file_id: str) -> File | None:
        """By its unique index."""
        rows = self._read("SELECT record FROM files WHERE file_id = ?", (file_id,))
        return _file(rows[0][0]) if rows else None

    def delete_file(self, file_id: str) -> bool:
        """Delete both records, in one step that waits for the disk: a deleted file must not come back."""
        return self._writer.run(lambda connection: _delete_file(connection, file_id), durable=True)

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

    def commits(self) -> Commits:
        """What this process has written."""
        return self._writer.commits()

    def close(self) -> None:
        """Close both connections."""
        self._writer.close()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _read(self, statement: str, values: tuple[Any, ...] | dict[str, Any]) -> list[Any]:
        # By primary key and in WAL mode: microseconds, so it is not worth a trip to another thread.
        with self._reading:
            if self._reader is None:
                self._reader = self._connect()
            return self._reader.execute(statement, values).fetchall()

    def _connect(self) -> sqlite3.Connection:
        # Each connection has one user at a time, but under gevent not always the same thread.
        return sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)


_COUNT_OPEN = "SELECT count(*) FROM uploads WHERE file_id IS NULL AND expires_at_s > ?"
_SUM_OPEN = "SELECT coalesce(sum(size_bytes), 0) FROM uploads WHERE file_id IS NULL AND expires_at_s > ?"
_SUM_FILES = "SELECT coalesce(sum(size_bytes), 0) FROM files"


def _begin(connection: sqlite3.Connection, upload: Upload, bounds: Bounds) -> None:
    now = (upload.created_at_s,)
    open_uploads = connection.execute(_COUNT_OPEN, now).fetchone()[0]
    bounds.check_open(open_uploads)
    if bounds.quota_bytes:
        used_bytes = connection.execute(_SUM_OPEN, now).fetchone()[0] + connection.execute(_SUM_FILES).fetchone()[0]
        bounds.check_quota(upload, used_bytes)
    connection.execute(
        "INSERT INTO uploads VALUES (?, ?, ?, ?, ?)",
        (upload.upload_id, upload.size_bytes, upload.expires_at_s, upload.file_id, _record(upload)),
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
