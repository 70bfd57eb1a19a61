"""Connections that are spread evenly over a server's processes.

Workers that share a listening socket take connections by chance: with two connections and two workers, both are often
on one, and the figure is then that of half a server. Here each worker gets its share, and chance is out of the figures.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from benchmarks.client import Connection
from benchmarks.servers import Target

TRIES_PER_CONNECTION = 50
_PATIENCE_S = 5.0


@contextmanager
def connections(target: Target, count: int, workers: int) -> Iterator[list[Connection]]:
    """Connections of which no process has more than its share; says so on stderr when that can't be had."""
    wanted: list[Connection] = []
    declined: list[Connection] = []
    try:
        _gather(target, count, workers, wanted, declined)
        _close(declined)
        yield wanted
    finally:
        _close([*wanted, *declined])


def _gather(target: Target, count: int, workers: int, wanted: list[Connection], declined: list[Connection]) -> None:
    share = -(-count // workers)
    taken: Counter[int] = Counter()
    while len(wanted) < count:
        connection = Connection(target.port)
        owner = _owner(target, connection)
        if taken[owner] < share or len(declined) >= count * TRIES_PER_CONNECTION:
            taken[owner] += 1
            wanted.append(connection)
        else:
            declined.append(connection)
    if max(taken.values()) > share:
        print(f"connections are not spread evenly over the workers: {sorted(taken.values())}", file=sys.stderr)


def _owner(target: Target, connection: Connection) -> int:
    """The process that has accepted it; 0 when nobody has."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        for process in target.processes():
            with suppress(psutil.NoSuchProcess):
                if any(found.raddr and found.raddr.port == connection.port for found in _tcp(process)):
                    return process.pid
        time.sleep(0.002)
    return 0


def _tcp(process: psutil.Process) -> list[psutil.pconn]:
    return process.net_connections("tcp4")


def _close(opened: list[Connection]) -> None:
    for connection in opened:
        connection.close()
