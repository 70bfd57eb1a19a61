"""A command at a real terminal: a process whose standard streams are the other end of a pseudo-terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE_S = 20
COMMAND = """
import fcntl, runpy, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C reaches it
runpy.run_module("upswarm.cli", run_name="__main__", alter_sys=True)
"""


SHELL = """
import os, signal, sys, termios, fcntl
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
child = os.fork()
if not child:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.executable, [sys.executable, "-m", "upswarm.cli", *sys.argv[1:]])
while os.WIFSTOPPED(status := os.waitpid(child, os.WUNTRACED)[1]):
    os.tcsetpgrp(0, os.getpgrp())
    print("[stopped]", flush=True)
    assert input() == "fg"
    os.tcsetpgrp(0, child)
    os.killpg(child, signal.SIGCONT)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""What a shell does for a command in front of it, as far as Ctrl-Z and `fg` go."""


class Terminal:
    """What a user sees and types."""

    def __init__(self, process: subprocess.Popen[bytes], fd: int) -> None:
        self._process = process
        self._fd = fd
        self._unread = ""
        self.seen = ""

    def answer(self, question: str, *texts: str) -> None:
        """Wait for the question, once for each text, and type it."""
        for text in texts:
            self.await_text(question)
            self.type(f"{text}\n")

    def type(self, text: str) -> None:
        """Type, without waiting."""
        os.write(self._fd, text.encode())

    def insist(self, key: str, text: str) -> None:
        """Press a key until the text has been said; Python may miss Ctrl-C in the moment before it begins to read."""
        for _ in range(PATIENCE_S):
            self.type(key)
            while select.select([self._fd], [], [], 1)[0] and self._read():
                if text in self.seen:
                    return
        raise AssertionError(f"{text!r} was not said:\n{self.seen}")

    def await_text(self, text: str) -> None:
        """Wait until this has been said, after what was waited for before; fails when the command ends first."""
        while text not in self._unread:
            said = self._read()
            assert said, f"the command ended without saying {text!r}:\n{self.seen}"
            self._unread += said
        self._unread = self._unread.partition(text)[2]

    def end(self) -> int:
        """Wait for the end; the exit code."""
        while self._read():
            pass
        return self._process.wait(PATIENCE_S)

    def _read(self) -> str:
        ready, _, _ = select.select([self._fd], [], [], PATIENCE_S)
        assert ready, f"nothing was said for {PATIENCE_S} s:\n{self.seen}"
        said = ""
        with suppress(OSError):  # how Linux says that nobody is at the other end any more
            said = os.read(self._fd, 4096).decode(errors="replace")
        self.seen += said
        return said


@contextmanager
def upswarm(folder: Path, *arguments: str, shell: bool = False) -> Iterator[Terminal]:
    """`upswarm …` at a terminal, perhaps in a shell there; gone afterwards."""
    fd, other_end = pty.openpty()
    code = SHELL if shell else COMMAND
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=folder, start_new_session=True,
                               stdin=other_end, stdout=other_end, stderr=other_end)  # fmt: skip
    os.close(other_end)
    try:
        yield Terminal(process, fd)
    finally:
        process.kill()
        process.wait()
        os.close(fd)
