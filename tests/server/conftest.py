from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from falcon.testing import TestClient

from tests.servers import RunningServer
from upswarm_server.app import create_app
from upswarm_server.catalogs.memory import MemoryCatalog
from upswarm_server.settings import Settings
from upswarm_server.stores.memory import MemoryStore

NOW_S = 1_800_000_000.0


class Clock:
    """Tells the time that it was set to."""

    def __init__(self) -> None:
        self.now_s = NOW_S

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


ClientOf = Callable[..., TestClient]


@pytest.fixture
def client_of(clock: Clock) -> ClientOf:
    """Makes clients of an application in memory, with the settings that the test gives."""

    def make(**settings: object) -> TestClient:
        made = Settings(**{"min_chunk_size_bytes": 1, "lock_wait_s": 0.1} | settings)
        return TestClient(create_app(made, store=MemoryStore(lock_wait_s=0.1), catalog=MemoryCatalog(), clock=clock))

    return make


@pytest.fixture
def client(client_of: ClientOf) -> TestClient:
    return client_of()


@pytest.fixture
def server_of(tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    """Starts real servers in a directory of the test's own; all are gone afterwards."""
    servers: list[RunningServer] = []

    def start(**settings: object) -> RunningServer:
        directory = tmp_path / f"server-{len(servers)}"
        directory.mkdir()
        servers.append(RunningServer(directory, **settings))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.close()
