"""The part of a terminal on which a run is drawn while it goes on; when it is closed, nothing of it is left.

What others print meanwhile, or log, goes above it.
"""

from __future__ import annotations

import atexit
import logging
import os
import select
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live as Frame
from rich.text import Text

from upswarm.reports.terminal_view import LOWEST, NARROWEST


def can_draw(out: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody sees it: a terminal that is large enough and can move its cursor, and no build server."""
    if not out.isatty() or environ.get("TERM", "dumb") in {"dumb", "unknown"} or environ.get("CI"):
        return False
    console = Console(file=out, _environ=environ)
    return console.encoding.startswith("utf") and console.width >= NARROWEST and console.height >= LOWEST


class Screen:
    """Draws on a terminal, between `open` and `close`. A terminal that takes nothing now misses a frame."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._console = Console(file=out, highlight=False)
        self._frame: Frame | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Columns, and the rows that may be used."""
        return self._console.width, self._console.height - 1

    @property
    def is_in_front(self) -> bool:
        """Whether this process may draw now: a shell that has taken the terminal back has not."""
        try:
            return os.tcgetpgrp(self._out.fileno()) == os.getpgrp()
        except OSError:  # a terminal that controls nobody
            return True

    def open(self) -> None:
        """Hide the cursor, and take what others print; a second time nothing happens."""
        if self._frame is not None:
            return
        self._frame = Frame(
            console=self._console, auto_refresh=False, transient=True,
            redirect_stdout=sys.stdout.isatty(), redirect_stderr=sys.stderr.isatty(),
        )  # fmt: skip
        streams = sys.stdout, sys.stderr
        atexit.register(self.close)
        self._frame.start()
        _turn_logs(dict(zip(map(id, streams), (sys.stdout, sys.stderr), strict=True)))

    def draw(self, lines: Sequence[Text]) -> None:
        """Show these lines in place of those before."""
        if self._frame is not None and select.select([], [self._out], [], 0)[1]:
            self._frame.update(Group(*lines[: self.size[1]]), refresh=True)

    def close(self) -> None:
        """Take it away, and show the cursor; a second time nothing happens."""
        frame, self._frame = self._frame, None
        if frame is None:
            return
        atexit.unregister(self.close)
        streams = sys.stdout, sys.stderr
        frame.stop()
        _turn_logs(dict(zip(map(id, streams), (sys.stdout, sys.stderr), strict=True)))


def _turn_logs(streams: Mapping[int, TextIO]) -> None:
    """Log handlers keep the stream that they were given: let those of these ids write to others."""
    for handler in _handlers():
        stream = streams.get(id(handler.stream))
        if stream is not None and stream is not handler.stream:
            handler.setStream(stream)


def _handlers() -> Iterator[logging.StreamHandler[TextIO]]:
    named = (each for each in logging.Logger.manager.loggerDict.values() if isinstance(each, logging.Logger))
    for logger in (logging.getLogger(), *named):
        yield from (each for each in logger.handlers if isinstance(each, logging.StreamHandler))
