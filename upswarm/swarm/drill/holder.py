"""A shell in namespaces of its own, which lives as long as they are needed and does there what it is told.

However this process ends, the shell reads the end of its input, and the namespaces go with the last process in them.
"""

from __future__ import annotations

import subprocess
from contextlib import suppress


class Holder:
    """Started when made, with these options of `unshare`; raises `OSError` where there is no `unshare`."""

    def __init__(self, *namespaces: str) -> None:
        self._told = 0
        self._shell = subprocess.Popen(
            ["unshare", *namespaces, "sh"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the run, which still needs this to end in order
        )
        self.pid = self._shell.pid

    def does(self, command: str) -> bool:
        """Whether the shell could do it. What was asked before, by somebody who did not wait, is done before."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._told += 1
        try:
            self._shell.stdin.write(f"{command}; echo $? {self._told}\n")
            self._shell.stdin.flush()
        except BrokenPipeError:  # it is not there any more
            return False
        while line := self._shell.stdout.readline():
            code, _, number = line.strip().rpartition(" ")
            if number == str(self._told):
                return code == "0"
        return False

    def stop(self) -> None:
        """Let go of the namespaces: they are gone with the last process that uses them."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        with suppress(BrokenPipeError):  # it ended before
            self._shell.stdin.close()
        self._shell.wait()
        self._shell.stdout.close()
