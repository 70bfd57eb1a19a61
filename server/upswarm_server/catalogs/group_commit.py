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
from upswarm_server.offload import Offload
from upswarm_server.problems import Problem

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

    def __init__(self, connect: Callable[[], sqlite3.Connection], offload: Offload) -> None:
        self._connect = connect
        self._offload = offload
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
            self._offload(lambda: self._transact(jobs))
            self._commits += 1
            self._records += len(jobs)
        except BaseException as error:
            # Even when the one that commits is stopped: the others must not take their changes for written.
            for job in jobs:
                job.error = _as_problem(error)
            if not isinstance(error, Exception):
                raise
        finally:
            for job in jobs:
                job.done = True

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


def _as_problem(error: BaseException) -> Exception:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Problem("busy", "another process is writing the catalog and did not finish in time")
    if name == "SQLITE_FULL":
        return Problem("storage_full", "expected space for a record, found the catalog's disk full")
    return RuntimeError(f"the catalog could not commit: {error!r}")
