"""Containers of the load side's image on networks of Docker; nothing of them is left afterwards."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks import installs, servers
from benchmarks.client import UnsuccessfulError

_SINK = Path(__file__).with_name("sink.py")


class Container(NamedTuple):
    """One that runs; `address` is "" where it shares the machine's network."""

    name: str
    address: str

    @property
    def upswarm(self) -> list[str]:
        """What starts `upswarm` in it."""
        return [installs.tool("docker"), "exec", self.name, "upswarm"]

    @property
    def entering(self) -> list[str]:
        """What starts a program of the machine in its network."""
        return [installs.tool("nsenter"), "--target", _said("inspect", "-f", "{{.State.Pid}}", self.name), "--net"]

    def announced(self, pattern: re.Pattern[str]) -> str:
        """Wait until it has said this; the first group of it."""
        deadline = time.monotonic() + servers.START_TIMEOUT_S
        while time.monotonic() < deadline:
            if found := pattern.search(_said("logs", self.name)):
                return found[1]
            time.sleep(0.1)
        raise servers.NotStartedError(f"a container did not say {pattern.pattern}")


@contextmanager
def network() -> Iterator[str]:
    """The name of a network of one's own."""
    name = f"upswarm-benchmark-{os.getpid()}"
    _said("network", "create", name)
    try:
        yield name
    finally:
        _said("network", "rm", name)


@contextmanager
def container(image: str, on: str, *python: str, shared: Path) -> Iterator[Container]:
    """Python with these arguments in a container on this network; `/sink.py` is there, and the folder `shared`."""
    volumes = ["--volume", f"{shared}:{shared}", "--volume", f"{_SINK}:/sink.py:ro"]
    name = _said("run", "--detach", "--network", on, *volumes, "--entrypoint", "python", image, *python)
    try:
        yield Container(name, _said("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name))
    finally:
        _said("rm", "--force", name)


def _said(*arguments: str) -> str:
    done = subprocess.run([installs.tool("docker"), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnsuccessfulError(f"docker {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()
