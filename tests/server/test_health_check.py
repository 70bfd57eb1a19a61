"""The health check of a container: a real server, asked by a process beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.server.test_defence import Certificate, certificate
from tests.servers import RunningServer

__all__ = ["certificate"]
ServerOf = Callable[..., RunningServer]


def check(port: int, **settings: object) -> subprocess.CompletedProcess[str]:
    variables = {f"UPSWARM_{name.upper()}": str(value) for name, value in {"port": port, **settings}.items()}
    command = [sys.executable, "-m", "upswarm_server.health_check"]
    return subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)


def test_it_says_what_the_server_says(server_of: ServerOf, certificate: Certificate) -> None:
    cert, key = (str(path) for path in certificate[:2])
    ready = server_of(tls_cert=cert, tls_key=key, host="0.0.0.0", tokens="top-secret", workers=1)
    done = check(ready.port, tls_cert=cert, tls_key=key, host="0.0.0.0", tokens="top-secret")
    assert (done.returncode, done.stderr) == (0, "")
    full = server_of(min_free="8000TiB", workers=1)
    done = check(full.port)
    assert (done.returncode, done.stderr) == (1, "")
    assert "of free space" in done.stdout
    full.stop()
    done = check(full.port)
    assert (done.returncode, done.stdout) == (1, "no answer: [Errno 111] Connection refused\n")


def test_a_server_that_can_not_be_asked(tmp_path: Path) -> None:
    done = check(8000, host="0.0.0.0")
    assert done.returncode == 1
    assert "UPSWARM_ALLOW_ANONYMOUS" in done.stdout
