"""`python -m upswarm.health_check`: is a master listening, a worker connected? For containers, which have no `ss`.

    python -m upswarm.health_check listening 5557    # a master: somebody here listens at this port
    python -m upswarm.health_check connected 5557    # a worker: somebody here is connected to this port of another host

It reads the kernel's own tables (`proc_pid_net(5)`) and asks nobody, so it costs the process beside it nothing: a
check that takes CPU time from a load generator would be a part of what is measured.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from upswarm.errors import EXIT_OK, EXIT_USAGE

EXIT_UNHEALTHY = 1  # Docker knows no other code
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED, _LISTEN = "01", "0A"
_USAGE = "expected `listening PORT` or `connected PORT`, such as `connected 5557`"


def main(arguments: Sequence[str]) -> int:
    """0 when it is so, 1 when it is not, and 2 for a question that can't be read."""
    match arguments:
        case ["listening" | "connected" as question, port] if port.isdecimal():
            healthy = _is_so(question, int(port))
            print(f"{'' if healthy else 'not '}{question} {'at' if question == 'listening' else 'to'} port {port}")
            return EXIT_OK if healthy else EXIT_UNHEALTHY
        case _:
            print(f"{_USAGE}; found `{' '.join(arguments)}`", file=sys.stderr)
            return EXIT_USAGE


def _is_so(question: str, port: int) -> bool:
    if question == "listening":
        return any(state == _LISTEN and local == port for local, _, state in _sockets())
    return any(state == _ESTABLISHED and remote == port for _, remote, state in _sockets())


def _sockets() -> Iterator[tuple[int, int, str]]:
    """Of each TCP socket of this network namespace: its own port, the other side's, and its state."""
    for table in _TABLES:
        for line in table.read_text().splitlines()[1:] if table.exists() else []:
            _, local, remote, state, *_ = line.split()
            yield _port(local), _port(remote), state


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
