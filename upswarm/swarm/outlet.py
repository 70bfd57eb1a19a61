"""Standard output that may lose its reader: a run that is piped into `head` goes on, and its report is written."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, TextIO, cast


def outlast_readers() -> None:
    """From now on this process's output goes nowhere where its reader has gone, instead of being an error."""
    sys.stdout = cast(TextIO, _Outlet(sys.stdout))
    sys.stderr = cast(TextIO, _Outlet(sys.stderr))


class _Outlet:
    """A text stream, but for what its reader's going would break."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """How many letters are written, or would be."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._write_nowhere()
            return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """One by one."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Also where nobody reads."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._write_nowhere()

    def _write_nowhere(self) -> None:
        # The same number, for what is still in the stream's buffer will be written at the very end.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
        with suppress(BrokenPipeError):
            self._stream.flush()
