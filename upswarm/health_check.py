"""`python -m upswarm.health_check`: is a master listening, a worker connected? For containers, which have no `ss`.

    python -m upswarm.health_check listening 5557    # a master: somebody here listens at this port
    python -m upswarm.health_check connected 5557    # a worker: somebody here is connected to this port of another host

It reads the kernel's own table and asks nobody, so it costs the process beside it nothing: a
check that takes CPU time from a load generator would be a part of what is measured.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from upswarm.errors import EXIT_OK, EXIT_USAGE
from upswarm.tcp_table import ESTABLISHED, LISTEN, tcp_sockets

EXIT_UNHEALTHY = 1  # Docker knows no other code
_USAGE = "expected `listening PORT` or `connected PORT`, such as `connected 5557`"


def main(arguments: Sequence[str], net: Path = Path("/proc/net")) -> int:
    """0 when it is so, 1 when it is not, and 2 for a question that can't be read."""
    match arguments:
        case ["listening" | "connected" as question, port] if port.isdecimal():
            healthy = _is_so(question, int(port), net)
            print(f"{'' if healthy else 'not '}{question} {'at' if question == 'listening' else 'to'} port {port}")
            return EXIT_OK if healthy else EXIT_UNHEALTHY
        case _:
            print(f"{_USAGE}; found `{' '.join(arguments)}`", file=sys.stderr)
            return EXIT_USAGE


def _is_so(question: str, port: int, net: Path) -> bool:
    if question == "listening":
        return any(each.state == LISTEN and each.local_port == port for each in tcp_sockets(net))
    return any(each.state == ESTABLISHED and each.remote_port == port for each in tcp_sockets(net))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
