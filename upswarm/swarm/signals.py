"""Signals end a run in order."""

from __future__ import annotations

import signal
from collections.abc import Callable

import gevent


def end_on(end: Callable[[], None], *numbers: signal.Signals) -> None:
    """Call `end` on the first of these signals; after that they do what they do by default.

    Left to Python, Ctrl-C is an exception in whichever user happens to run. And Locust listens to SIGTERM only when a
    headless run's shape has ended; on workers it always does.
    """

    def heard() -> None:
        for number, handler in zip(numbers, handlers, strict=True):
            handler.cancel()
            signal.signal(number, signal.SIG_DFL)
        gevent.spawn(end)  # a cancelled handler can't pass on that `end` exits

    handlers = [gevent.signal_handler(number, heard) for number in numbers]


def ignore_ctrl_c() -> None:
    """For a process whose parent hears it too, and knows what to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
