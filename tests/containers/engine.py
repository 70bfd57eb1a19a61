"""The Docker engine as its own command line reaches it, whichever it is: of this machine, or of another one."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

LONGEST_S = 300


def missing() -> str:
    """What keeps these tests from running, in one sentence; "" where nothing does."""
    if shutil.which("docker") is None:
        return "the command docker is not installed"
    for command in (("version", "--format", "{{.Server.Version}}"), ("compose", "version")):
        asked = subprocess.run(["docker", *command], capture_output=True, text=True, check=False, timeout=LONGEST_S)
        if asked.returncode:
            return f"`docker {' '.join(command)}` says: {(asked.stderr or asked.stdout).strip()}"
    return ""


def docker(*arguments: str, environ: Mapping[str, str] | None = None) -> str:
    """What a command says on standard output; fails with all that it has said where it does not succeed."""
    ended = attempt(*arguments, environ=environ)
    assert ended.returncode == 0, f"docker {' '.join(arguments)}: exit code {ended.returncode}\n{said(ended)}"
    return ended.stdout


def attempt(*arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A command that may fail."""
    return subprocess.run(
        ["docker", *arguments], env=environ, capture_output=True, text=True, check=False, timeout=LONGEST_S
    )


def said(ended: subprocess.CompletedProcess[str]) -> str:
    """Both streams of a command that has ended."""
    return f"{ended.stdout}{ended.stderr}"


def inspected(*names: str) -> list[dict[str, Any]]:
    """What the engine knows of containers or images."""
    documents: list[dict[str, Any]] = json.loads(docker("inspect", *names))
    return documents
