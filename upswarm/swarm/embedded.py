"""The reference server for one run alone: a process of its own on a free port, gone with its files afterwards."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from upswarm.errors import TargetError

_STOP_S = 10
_PREFIX = "upswarm-embedded-"


class EmbeddedServer:
    """Starts when made; `url` is where it listens. Raises `TargetError` when it does not come up.

    `settings` are variables for its environment, over those of ours.
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        _remove_orphans()
        self._data = Path(tempfile.mkdtemp(prefix=_PREFIX))
        command = [sys.executable, "-m", "upswarm_server.serve", "--port", "0", "--data-dir", str(self._data)]
        self._process = subprocess.Popen(
            [*command, "--exit-with-parent"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **settings},
            start_new_session=True,  # Ctrl-C is for the run, which still needs its server to end in order
        )
        assert self._process.stdout is not None
        try:
            ready = self._process.stdout.readline()
        except BaseException:  # the run is cut off before it has begun: nothing is there that could be lost
            os.killpg(self._process.pid, signal.SIGKILL)
            self.stop()
            raise
        if " listening on " not in ready:
            self.stop()
            raise TargetError("the embedded server did not start", hint="its own words stand above")
        self.url = ready.split(" listening on ")[1].split()[0]

    def stop(self) -> None:
        """Stop the server and remove what was uploaded."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        shutil.rmtree(self._data, ignore_errors=True)


def _remove_orphans() -> None:
    """Remove what runs have left that were killed outright; a server that lives holds its directory's lock."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError), (folder / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
