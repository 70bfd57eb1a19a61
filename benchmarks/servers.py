"""Start a target in processes of its own, with a directory of its own; all of it is gone afterwards."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks import installs, leash

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 15
_ROOT = Path(__file__).parents[1]
_LISTENS = re.compile(r"http://127\.0\.0\.1:(\d+)")


class Target(NamedTuple):
    """A server that runs: where it listens, where it keeps its files, and the parent of its processes."""

    port: int
    directory: Path
    process: psutil.Process

    def processes(self) -> list[psutil.Process]:
        """The server's processes, the first one being the parent of all."""
        return [self.process, *self.process.children(recursive=True)]

    def cpu_s(self) -> float:
        """User and system time of all its processes that live."""
        times = [process.cpu_times() for process in self.processes()]
        return sum(time.user + time.system for time in times)


class NotStartedError(Exception):
    """A server did not come up; the message has what it said."""


def _announced(said: str) -> int | None:
    found = _LISTENS.search(said)
    return int(found[1]) if found else None


@contextmanager
def upswarm(parent: Path, workers: int, **settings: object) -> Iterator[Target]:
    """The reference server; settings are keywords named as in `UPSWARM_*`, in lower case."""
    with _directory(parent) as directory:
        wanted = {"port": 0, "data_dir": directory / "data", "workers": workers, "exit_with_parent": "yes"} | settings
        environ = {f"UPSWARM_{name.upper()}": str(value) for name, value in wanted.items()}
        with _running([sys.executable, "-m", "upswarm_server.serve"], directory, environ) as target:
            yield target


@contextmanager
def first_generation(parent: Path, workers: int, cache: Path) -> Iterator[Target]:
    """`first_generation.py` under uvicorn."""
    with _directory(parent) as directory, socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        # On sockets that it binds itself uvicorn leaves Nagle's algorithm on, and every answer takes 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        uvicorn = [str(installs.python_peers(cache)), "-m", "uvicorn", "--app-dir", str(Path(__file__).parent)]
        options = ["--workers", str(workers), "--fd", str(listener.fileno()), "--no-access-log"]
        # Forms that are larger than a megabyte are spooled into TMPDIR: the same file system for all.
        environ = {"FIRST_GENERATION_DIR": str(directory), "TMPDIR": str(directory)}
        port = listener.getsockname()[1]
        with _running(
            [*uvicorn, *options, "first_generation:app"],
            directory,
            environ,
            port_of=lambda said: port if said.count("startup complete") == workers else None,
            inherited_fds=[listener.fileno()],
        ) as target:
            yield target


@contextmanager
def tus_server(parent: Path, workers: int, cache: Path) -> Iterator[Target]:
    """`tus-server/server.mjs` on Node."""
    with _directory(parent) as directory:
        (directory / "files").mkdir()
        script = installs.node_peers(cache) / "server.mjs"
        command = [*installs.node(), str(script), str(directory / "files"), str(workers)]
        with _running(command, directory) as target:
            yield target


@contextmanager
def sink(parent: Path, kind: str, *more: str) -> Iterator[Target]:
    """`sink.py`, which keeps nothing."""
    with (
        _directory(parent) as directory,
        _running([sys.executable, "-m", "benchmarks.sink", kind, *more], directory) as target,
    ):
        yield target


@contextmanager
def nginx(parent: Path, workers: int) -> Iterator[Target]:
    """nginx with its DAV module; with its default buffer of 16 KiB it would need a third more of CPU time."""
    with _directory(parent) as directory:
        port = free_port()
        configuration = directory / "nginx.conf"
        configuration.write_text(_nginx_conf(directory, workers, port))
        command = [installs.tool("nginx"), "-e", "stderr", "-p", str(directory), "-c", str(configuration)]
        with _running(command, directory, port_of=lambda _: port if _accepts(port) else None) as target:
            yield target


@contextmanager
def iperf3(parent: Path) -> Iterator[Target]:
    """`iperf3 --server`."""
    with _directory(parent) as directory:
        port = free_port()
        command = [installs.tool("iperf3"), "--server", "--bind", "127.0.0.1", "--port", str(port), "--forceflush"]
        with _running(command, directory, port_of=lambda said: port if "listening" in said else None) as target:
            yield target


def free_port() -> int:
    """A port for a server that can't ask for one itself."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@contextmanager
def _directory(parent: Path) -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="upswarm-benchmark-", dir=parent))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _running(
    command: Sequence[str],
    directory: Path,
    environ: Mapping[str, str] | None = None,
    *,
    port_of: Callable[[str], int | None] = _announced,
    inherited_fds: Sequence[int] = (),
) -> Iterator[Target]:
    """A process that is ready: `port_of` finds that, and the port, from what it has said."""
    log = directory / "log"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("UPSWARM_")}
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=_ROOT,
            env=inherited | dict(environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=inherited_fds,
            preexec_fn=leash.end_with_parent,  # noqa: PLW1509 - the harness has one thread
        )
    try:
        yield Target(_ready(process, log, port_of), directory, psutil.Process(process.pid))
    finally:
        _stop(process)


def _ready(process: subprocess.Popen[bytes], log: Path, port_of: Callable[[str], int | None]) -> int:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        if port := port_of(log.read_text()):
            return port
        time.sleep(0.02)
    raise NotStartedError(f"{process.args} did not start: {log.read_text()[-2000:]}")


def _accepts(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    family = _family(process.pid)
    process.terminate()
    _, alive = psutil.wait_procs(family, STOP_TIMEOUT_S)
    for left in alive:
        with suppress(psutil.NoSuchProcess):
            left.kill()
    process.wait()


def _family(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        return [*parent.children(recursive=True), parent]
    return []


def _nginx_conf(directory: Path, workers: int, port: int) -> str:
    user = "user root;" if os.geteuid() == 0 else ""
    (directory / "files").mkdir()
    return f"""
{user}
daemon off;
worker_processes {workers};
pid {directory}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_max_body_size 0;
    client_body_buffer_size 1m;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ root {directory}/files; dav_methods PUT DELETE; }}
    }}
}}
"""
