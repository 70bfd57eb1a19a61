"""The reference server for one run alone: processes of its own on a free port, gone with its files afterwards.

A drill may kill it, stop it for a while, and start it again on the same port and the same files.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from upswarm.errors import TargetError
from upswarm.swarm.drill.cable import Cable
from upswarm.swarm.drill.disk import SmallDisk

_STOP_S = 10
_AGAIN_S = 10.0
_AGAIN_EVERY_S = 0.2
_PREFIX = "upswarm-embedded-"
_PAUSE = 'kill -s STOP -- "-$1" && echo stopped; read _; kill -s CONT -- "-$1"'


class EmbeddedServer:
    """Starts when made; `url` is where it listens. Raises `TargetError` when it does not come up.

    `settings` are variables for its environment, over those of ours. With `disk_bytes` its files lie on a disk of this
    size, which only it sees. It stands at the end of the `cable`, if there is one.
    """

    def __init__(self, settings: Mapping[str, str], disk_bytes: int | None = None, cable: Cable | None = None) -> None:
        _remove_orphans()
        self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._settings = settings
        self._cable = cable
        self._pause: subprocess.Popen[str] | None = None
        self._process: subprocess.Popen[str] | None = None
        self._lock: int | None = _locked(self._folder / "lock")  # a server that was killed has let go of its own
        self._data = self._folder / "data"
        self.disk: SmallDisk | None = None
        try:
            self.disk = SmallDisk(self._data, disk_bytes) if disk_bytes is not None else None
            self.url = self._start("0")
        except BaseException:  # also when the run is cut off before it has begun: nothing is there that could be lost
            self.kill()
            self.stop()
            raise

    def worker_pids(self) -> list[int]:
        """The processes that answer, in the order in which they came."""
        assert self._process is not None
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self._process.pid).children()
            return [child.pid for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
        return []

    def kill(self) -> None:
        """All of its processes at once, with SIGKILL."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def start_again(self) -> None:
        """After a kill, on the same port and files; raises `TargetError`."""
        deadline_s = time.monotonic() + _AGAIN_S
        while True:
            try:
                self._start(str(urlsplit(self.url).port))
            except TargetError:
                if time.monotonic() >= deadline_s:
                    raise
                time.sleep(_AGAIN_EVERY_S)  # somebody may have the port for a moment, as his end of a connection
            else:
                return

    def pause(self) -> None:
        """Stop all of its processes where they are. A shell does so, and lets them go on should this process end."""
        assert self._process is not None
        self._pause = subprocess.Popen(
            ["sh", "-c", _PAUSE, "sh", str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._pause.stdout is not None
        if not self._pause.stdout.readline():
            raise TargetError("the server could not be stopped")

    def resume(self) -> None:
        """Let them go on, if they were stopped."""
        pause, self._pause = self._pause, None
        if pause is not None:
            assert pause.stdin is not None
            assert pause.stdout is not None
            pause.stdin.close()
            pause.wait()
            pause.stdout.close()

    def stop(self) -> None:
        """Stop the server and remove what was uploaded."""
        self.resume()
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()
            self._close_output()
        if self.disk is not None:
            self.disk.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _start(self, port: str) -> str:
        """Start it, and return where it listens as soon as it does."""
        self._close_output()
        cabled = () if self._cable is None else self._cable.enter
        enter = (*cabled, *(() if self.disk is None else self.disk.enter))
        command = [*enter, sys.executable, "-m", "upswarm_server.serve", "--port", port, "--data-dir", str(self._data)]
        if self._cable is not None:
            command += ["--host", self._cable.address]
        # At the end of a cable only this machine gets answers, for there is no way to anywhere else.
        anonymous = {} if self._cable is None else {"UPSWARM_ALLOW_ANONYMOUS": "yes"}
        self._process = subprocess.Popen(
            [*command, "--exit-with-parent"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            env={**anonymous, **os.environ, **self._settings},
            start_new_session=True,  # Ctrl-C is for the run, which still needs its server to end in order
        )
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        if " listening on " not in ready:
            self.kill()
            raise TargetError("the embedded server did not start", hint="its own words stand above")
        return ready.split(" listening on ")[1].split()[0]

    def _close_output(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()


def _locked(path: Path) -> int:
    """Say that this belongs to somebody who lives; raises `BlockingIOError` where somebody else has said so."""
    lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise
    return lock


def _remove_orphans() -> None:
    """Remove what runs have left that were killed outright; a run that lives holds a lock, and so does a server."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        locks = [path for path in (folder / "lock", folder / "data" / "lock") if path.exists()]
        held: list[int] = []
        with suppress(OSError):
            for path in locks:
                held.append(_locked(path))
            if locks:  # otherwise somebody has made it just now
                shutil.rmtree(folder, ignore_errors=True)
        for lock in held:
            os.close(lock)
