"""A server without sockets that can be restarted: two workers over one disk and one catalog, and the time."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from falcon.testing import Result, TestClient

from tests.server.conftest import Clock
from tests.server.histories_model import Answer, Upload
from upswarm import digests
from upswarm_server.app import create_app, create_service
from upswarm_server.reaper import reap, recover
from upswarm_server.service import Service
from upswarm_server.settings import Settings

LIFETIME_S = 100.0
MAX_OPEN = 4
OWN_CHUNK_BYTES = 16
WORKERS = 2
_SERVERS_OWN = {"catalog.sqlite3", "catalog.sqlite3-wal", "catalog.sqlite3-shm", "boot"}


class World:
    """What the histories happen to."""

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="upswarm-history-", dir=_in_memory()))
        self.clock = Clock()
        self._settings = Settings(
            data_dir=self._directory / "data",
            min_chunk_size_bytes=1,
            auto_chunk_floor_bytes=OWN_CHUNK_BYTES,
            max_open_uploads=MAX_OPEN,
            upload_lifetime_s=LIFETIME_S,
            lock_wait_s=0.01,
        )
        self._services: list[Service] = []
        self.workers: list[TestClient] = []
        self.restart()

    def restart(self) -> None:
        """As a server starts: one process prepares, then there are workers, which know nothing of each other."""
        self._close()
        first = self._service()
        first.store.prepare()
        first.catalog.prepare()
        recover(first)
        first.catalog.close()
        self._services = [self._service() for _ in range(WORKERS)]
        self.workers = [
            TestClient(create_app(self._settings, store=each.store, catalog=each.catalog, clock=self.clock))
            for each in self._services
        ]

    def reap(self, worker: int) -> None:
        """What a worker does every now and then."""
        reap(self._services[worker])

    def files(self) -> dict[str, int]:
        """The sizes of all files on the disk by their paths, but for what the server itself needs."""
        root = self._directory / "data"
        found = {Path(folder, name) for folder, _, names in os.walk(root) for name in names if name not in _SERVERS_OWN}
        return {str(path.relative_to(root)): path.stat().st_size for path in found}

    def end(self) -> None:
        """Leave nothing."""
        self._close()
        shutil.rmtree(self._directory)

    def _service(self) -> Service:
        return create_service(self._settings, clock=self.clock)

    def _close(self) -> None:
        for service in self._services:
            service.catalog.close()


def _in_memory() -> str | None:
    # No machine dies in these histories, so waiting for a disk would prove nothing.
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def told(answer: Result) -> tuple[str, int, set[int], set[int]]:
    """What a probe says: state, received bytes, and the indices of received and of missing chunks."""
    assert answer.status_code == 200, answer.text
    about = answer.json
    return about["state"], about["received_bytes"], spread(about["received_chunks"]), spread(about["missing_chunks"])


def meant(upload: Upload) -> tuple[str, int, set[int], set[int]]:
    state = "finalized" if upload.finalized else "open"
    return state, upload.received_bytes, set(upload.received), set(upload.missing)


def spread(ranges: list[list[int]]) -> set[int]:
    return {index for first, last in ranges for index in range(first, last + 1)}


def expect(answer: Result, expected: Answer) -> None:
    code = "" if answer.status_code < 300 else answer.json["code"]
    assert (answer.status_code, code) == expected, f"expected {expected}, found {answer.status_code} {answer.text}"


def sha256(data: bytes) -> str:
    return digests.format_header("sha-256", hashlib.sha256(data).digest())
