"""The kernel's own table of TCP sockets (`proc_pid_net(5)`): who listens, and who is connected."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ESTABLISHED, LISTEN = "01", "0A"


class TcpSocket(NamedTuple):
    """Its own port, the other side's, its state, and the inode by which processes have it open."""

    local_port: int
    remote_port: int
    state: str
    inode: str


def tcp_sockets(net: Path = Path("/proc/net")) -> Iterator[TcpSocket]:
    """All sockets of a network namespace, by its `net` folder; none where the system does not tell."""
    for name in ("tcp", "tcp6"):
        try:
            lines = (net / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for _, local, remote, state, _, _, _, _, _, inode, *_ in map(str.split, lines):
            yield TcpSocket(_port(local), _port(remote), state, inode)


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)
