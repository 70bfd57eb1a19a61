"""Start a real server in a process of its own: gunicorn, workers, a directory of its own, a port from the system."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

_READY = re.compile(r"upswarm-server listening on (https?://\S+) ")
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 15.0


class Access(NamedTuple):
    """One request as the server's access log tells it; `received_bytes` of its body really came."""

    time: str
    request_id: str | None
    method: str
    path: str
    route: str | None
    status: int
    received_bytes: int
    seconds: float
    upload_id: str | None
    client_id: str | None
    trace_id: str | None
    span_id: str | None
    server_id: str
    pid: int


class RunningServer:
    """A server that runs until `stop`, `kill` or the end of `running_server`.

    Settings are keywords named as in `UPSWARM_*`, in lower case: `workers=1, max_open_uploads=3`.
    """

    launcher: Sequence[str] = ()
    """A command that runs the server in other surroundings and becomes it, such as `nsenter`."""

    def __init__(self, directory: Path, **settings: object) -> None:
        self.directory = directory
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None
        self.url = ""
        self.ready_line = ""

    @property
    def data_dir(self) -> Path:
        return self.directory / "data"

    @property
    def errors(self) -> str:
        """What the server has said on stderr."""
        return (self.directory / "stderr").read_text()

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None, "the server was not started"
        return self._process

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def start(self) -> None:
        """Return when the server is ready; fail with what it said when it does not become so."""
        with (self.directory / "stderr").open("a") as errors:
            self._process = subprocess.Popen(
                [*self.launcher, sys.executable, "-m", "upswarm_server.serve", "--exit-with-parent"],
                env=self._environment(),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        self.ready_line = self._first_line()
        found = _READY.match(self.ready_line)
        assert found, f"the server did not start: {self.ready_line!r}\n{self.errors}"
        self.url = found[1]

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """The exit code of a server that is stopping."""
        code = self.process.wait(STOP_TIMEOUT_S)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def kill(self) -> None:
        """SIGKILL for all of the server's processes at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.wait()

    def restart(self) -> None:
        """Start again, on the same directory and another port."""
        if self.process.poll() is None:
            self.stop()
        self.start()

    @property
    def workers(self) -> set[int]:
        """The pids of the processes that answer."""
        return {child.pid for child in psutil.Process(self.process.pid).children()}

    @contextmanager
    def answered_by(self, pid: int) -> Iterator[None]:
        """Whoever connects meanwhile is answered by this worker, for the others stand still."""
        others = [psutil.Process(other) for other in self.workers - {pid}]
        for other in others:
            other.suspend()
        try:
            yield
        finally:
            for other in others:
                other.resume()

    def close(self) -> None:
        """Leave no process behind."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def access_log(self, at_least: int = 0) -> list[Access]:
        """All requests so far; waits for `at_least` lines, for a line is written after its answer was sent."""
        wait_for(lambda: len(self._access_lines()) >= at_least)
        return [Access(**json.loads(line)) for line in self._access_lines()]

    def _access_lines(self) -> list[str]:
        path = self.directory / "access.log"
        return path.read_text().splitlines() if path.exists() else []

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("UPSWARM_")}
        settings = {"port": 0, "data_dir": self.data_dir, "access_log": self.directory / "access.log"} | self._settings
        return inherited | {f"UPSWARM_{name.upper()}": str(value) for name, value in settings.items()}

    def _first_line(self) -> str:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], START_TIMEOUT_S)
        return self.process.stdout.readline().strip() if ready else ""


@contextmanager
def running_server(directory: Path, **settings: object) -> Iterator[RunningServer]:
    """A server that is ready, and gone afterwards."""
    server = RunningServer(directory, **settings)
    try:
        server.start()
        yield server
    finally:
        server.close()


def wait_for(happened: Callable[[], bool], timeout_s: float = 5.0) -> None:
    """Return as soon as it has happened, or after the time; the caller then finds out."""
    deadline = time.monotonic() + timeout_s
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.01)
