"""Who is killed should have somebody to miss him."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from upswarm.swarm.drill.talking import talking

LISTEN = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
for line in sys.stdin:
    accepted = listener.accept()[0] if line == "accept\\n" else accepted.close()
    print(flush=True)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not tell")
def test_only_who_has_an_open_connection_talks() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LISTEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        silent = talking([process.pid])
        found = []
        with socket.create_connection(("127.0.0.1", port)):
            for word in ("accept", "close"):
                print(word, file=process.stdin, flush=True)
                process.stdout.readline()
                found.append(talking([1 << 30, process.pid]))
        process.stdin.close()
    assert (silent, found) == ([], [[process.pid], []])
