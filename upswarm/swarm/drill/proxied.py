"""The proxy's process, and what it is told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from urllib.parse import urlsplit

from upswarm.errors import TargetError
from upswarm.workload.drill import Slowness


class ProxyProcess:
    """Ends when this process does; `url` is how the server is reached through it.

    It listens at `host`, and `enter` stands before its command, for a place of its own.
    """

    def __init__(self, server_url: str, host: str = "127.0.0.1", enter: Sequence[str] = ()) -> None:
        server = urlsplit(server_url)
        command = [sys.executable, "-m", "upswarm.swarm.drill.proxy", str(server.hostname), str(server.port), host]
        self._process = subprocess.Popen(
            [*enter, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the run, which still needs its network to end in order
        )
        port = self._answer()
        if not port:
            self.stop()
            raise TargetError("the drill's network did not start", hint="its own words stand above")
        self.url = f"{server.scheme}://{host}:{port}"

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        self._tell("cut")

    def slow(self, slowness: Slowness) -> None:
        """Delay what is sent, or let only so much through."""
        self._tell(f"slow {json.dumps(asdict(slowness))}")

    def mend(self) -> None:
        """Be a good network again."""
        self._tell("mend")

    def stop(self) -> None:
        """Break every connection for good."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        self._process.stdin.close()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        while (answer := self._answer()) != line.partition(" ")[0]:  # another one is to somebody who did not wait
            if not answer:
                raise TargetError("the drill's network does not answer any more")

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()
