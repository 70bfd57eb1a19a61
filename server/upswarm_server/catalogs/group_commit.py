"""Many changes, one commit: whoever comes while a commit is under way is in the next one, together.

There is no thread of its own and nothing to stop: the first who gets its turn commits everything that waits, the
others find theirs done. Nobody goes on before its own change is on disk.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar, cast

from upswarm_server.catalogs.base import Commits
from upswarm_server.meter import SILENT, Meter, timed
from upswarm_server.offload import Offload
from upswarm_server.problems import Problem

_FAILING = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR")
T = TypeVar("T")
Step = Callable[[sqlite3.Connection], Any]


class _Job:
    def __init__(self, step: Step, *, durable: bool) -> None:
        self.step = step
        self.durable = durable
        self.done = False
        self.result: Any = None
        self.error: Exception | None = None


class GroupCommit:
    """Runs steps on the one writing connection of this process."""

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        offload: Offload,
        meter: Meter = SILENT,
        close_all: Callable[[], None] | None = None,
    ) -> None:
        self._connect = connect
        self._close_all = close_all or self.close
        self._offload = offload
        self._meter = meter
        self._connection: sqlite3.Connection | None = None
        self._waiting: deque[_Job] = deque()
        # Looked up when called: gunicorn's gevent worker replaces it before the application is made.
        self._turn = threading.Lock()
        self._commits = 0
        self._records = 0

    def run(self, step: Callable[[sqlite3.Connection], T], *, durable: bool) -> T:
        """The step's result, after it was committed; what it raises undoes this step and no other.

        `durable` steps survive the machine's death, others the process's. Raises `busy` or `storage_full`.
        """
        job = _Job(step, durable=durable)
        self._waiting.append(job)
        self._meter.waiting(len(self._waiting))
        with self._turn:
            if not job.done:
                self._commit_all()
        if job.error is not None:
            raise job.error
        return cast(T, job.result)

    def commits(self) -> Commits:
        """What was written so far."""
        return Commits(self._commits, self._records, len(self._waiting))

    def close(self) -> None:
        """Close the writing connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _commit_all(self) -> None:
        jobs = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            seconds = self._offload(lambda: timed(lambda: self._write(jobs)))
            self._commits += 1
            self._records += len(jobs)
            self._meter.commit(len(jobs), seconds)
        except BaseException as error:
            # Even when the one that commits is stopped: the others must not take their changes for written.
            for job in jobs:
                job.error = as_problem(error)
            if not isinstance(error, Exception):
                raise
        finally:
            for job in jobs:
                job.done = True
            self._meter.waiting(len(self._waiting))

    def _write(self, jobs: list[_Job]) -> None:
        try:
            self._transact(jobs)
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")):
                raise
            # Nothing was written. Who opened the file while its disk was read-only sees it so for ever, and so do
            # all connections of this process, for they share what SQLite keeps in memory.
            self._close_all()
            self._transact(jobs)

    def _transact(self, jobs: list[_Job]) -> None:
        if self._connection is None:
            self._connection = self._connect()
        connection = self._connection
        # In WAL mode NORMAL leaves a commit to the kernel, FULL waits for the disk.
        connection.execute(f"PRAGMA synchronous = {'FULL' if any(job.durable for job in jobs) else 'NORMAL'}")
        connection.execute("BEGIN IMMEDIATE")
        try:
            for job in jobs:
                _run_step(connection, job)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _run_step(connection: sqlite3.Connection, job: _Job) -> None:
    connection.execute("SAVEPOINT step")
    try:
        job.result = job.step(connection)
    except Exception as error:  # given to the one whose step it is
        connection.execute("ROLLBACK TO step")
        job.error = error
    connection.execute("RELEASE step")


def as_problem(error: BaseException) -> Exception:
    """What an error of SQLite's is to a client: `busy`, `storage_full`, an `OSError`, or a bug."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Problem("busy", "another process is writing the catalog and did not finish in time")
    if name == "SQLITE_FULL":
        return Problem("storage_full", "expected space for a record, found the catalog's disk full")
    if name.startswith(_FAILING):
        return OSError(None, f"the catalog's disk does not work: {error}")
    return RuntimeError(f"the catalog failed: {error!r}")
