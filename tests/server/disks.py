"""A small disk of a test's own, which can fill up and become read-only, and is gone when the test is."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_AS_ROOT, _AS_USER = ("--mount",), ("--mount", "--user", "--map-root-user")
_BLOCK = bytes(64 * 1024)


class SmallDisk:
    """A tmpfs in a mount namespace of its own, at `path` for who is inside and at `seen` for everybody else."""

    def __init__(self, holder: subprocess.Popen[str], path: Path, *, as_user: bool) -> None:
        self._holder = holder
        self.path = path
        self.seen = Path(f"/proc/{holder.pid}/root") / path.relative_to("/")
        self.enter = ["nsenter", f"--target={holder.pid}", "--mount"]
        if as_user:
            self.enter += ["--user", "--preserve-credentials"]

    @property
    def free_bytes(self) -> int:
        return shutil.disk_usage(self.seen).free

    def fill(self, leave_bytes: int = 0) -> Path:
        """Take all space but so much; deleting the file gives it back."""
        ballast = self.seen / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while (room_bytes := self.free_bytes - leave_bytes) > 0:
                    file.write(_BLOCK[:room_bytes])
            except OSError:
                pass  # full to the last block
        return ballast

    @contextmanager
    def read_only(self, directory: Path) -> Iterator[None]:
        """Whoever opens something to write below this directory hears that the file system is read-only."""
        self.run(f"mount --bind {directory} {directory} && mount -o remount,bind,ro {directory}")
        yield
        self.run(f"mount -o remount,bind,rw {directory}")

    def run(self, command: str) -> None:
        """A command in the namespace."""
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        self._holder.stdin.write(f"{command}; echo $?\n")
        self._holder.stdin.flush()
        code = self._holder.stdout.readline().strip()
        assert code == "0", f"{command}: expected exit code 0, found {code!r}"


@contextmanager
def small_disk(directory: Path, size: str = "8m") -> Iterator[SmallDisk]:
    """A disk of this size; needs to be root, or a system that lets users have namespaces, and fails without either."""
    directory.mkdir()
    as_user = not (os.geteuid() == 0 and _may_unshare(_AS_ROOT))
    kind = _AS_USER if as_user else _AS_ROOT
    assert _may_unshare(kind), "expected to be root or to be allowed `unshare --user --mount`: a full disk needs a disk"
    with subprocess.Popen(["unshare", *kind, "sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        disk = SmallDisk(holder, directory, as_user=as_user)
        disk.run(f"mount -t tmpfs -o size={size},mode=700 small {directory}")
        yield disk
        # Closing its input ends the shell, and with it the namespace and the mount.


def _may_unshare(kind: Sequence[str]) -> bool:
    return subprocess.run(["unshare", *kind, "true"], capture_output=True, check=False).returncode == 0
