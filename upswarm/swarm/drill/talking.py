"""Which processes have somebody at the other end of a connection, as far as the system tells: Linux does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from upswarm.tcp_table import ESTABLISHED, tcp_sockets


def talking(pids: Iterable[int]) -> list[int]:
    """Those of them, in their order; in whatever network namespace each of them is."""
    return [pid for pid in pids if _sockets_of(pid) & {*_established_near(pid)}]


def _sockets_of(pid: int) -> set[str]:
    """The inodes of the sockets that it has open."""
    found = set()
    with suppress(OSError):  # it has ended, is somebody else's, or this is no Linux
        for each in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):  # closed since
                found.add(str(each.readlink()).removeprefix("socket:[").removesuffix("]"))
    return found


def _established_near(pid: int) -> Iterator[str]:
    """The inodes of all TCP connections in its network namespace."""
    return (each.inode for each in tcp_sockets(Path(f"/proc/{pid}/net")) if each.state == ESTABLISHED)
