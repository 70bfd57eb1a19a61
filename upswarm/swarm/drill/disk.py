"""A small disk for a server of ours: a tmpfs that can be filled, and is gone when nobody needs it any more.

It is mounted in a mount namespace of its own, which a shell holds (`holder`); nothing is ever mounted for the rest of
the machine.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from upswarm.errors import TargetError, UsageError
from upswarm.swarm.drill.holder import Holder

_AS_ROOT, _AS_USER = ("--mount",), ("--mount", "--user", "--map-root-user")
_TRIES = 50


class SmallDisk:
    """A disk of so many bytes at `path`, for those whose command begins with `enter`. Raises `UpswarmError`."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        kind = _namespace()
        self.path = path
        self._size_bytes = size_bytes
        self._holder = Holder(*kind)
        self.enter: tuple[str, ...] = ("nsenter", f"--target={self._holder.pid}", "--mount")
        if kind is _AS_USER:
            self.enter += ("--user", "--preserve-credentials")
        path.mkdir()
        if not self._holder.does(f"mount -t tmpfs -o size={size_bytes},mode=700 small {path}"):
            self.stop()
            raise TargetError(f"a disk of {size_bytes} bytes could not be mounted", hint="the reason stands above")

    def fill(self) -> None:
        """From now on nobody finds space for anything: the disk is as small as what is on it."""
        there = Path(f"/proc/{self._holder.pid}/root") / self.path.relative_to("/")
        for _ in range(_TRIES):
            stat = os.statvfs(there)
            used_bytes = (stat.f_blocks - stat.f_bfree) * stat.f_frsize
            if self._holder.does(f"mount -o remount,size={max(used_bytes, stat.f_frsize)} {self.path} 2>/dev/null"):
                return  # and otherwise somebody has written meanwhile
        raise TargetError("the disk could not be filled, for the server writes too fast")

    def empty(self) -> None:
        """There is as much space as before."""
        if not self._holder.does(f"mount -o remount,size={self._size_bytes} {self.path}"):
            raise TargetError("the disk could not be given its space back")

    def stop(self) -> None:
        """Let go of it: it is gone with the last process that uses it."""
        self._holder.stop()


def _namespace() -> Sequence[str]:
    kind = _AS_ROOT if os.geteuid() == 0 else _AS_USER
    if _may(kind):
        return kind
    raise UsageError(
        "expected to be root, or to be allowed `unshare --user --mount`, for fill_disk needs a small disk to fill",
        hint="take fill_disk out of a copy of the scenario",
    )


def _may(kind: Sequence[str]) -> bool:
    try:
        return subprocess.run(["unshare", *kind, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
