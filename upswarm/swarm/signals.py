"""Signals end a run in order."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import gevent

from upswarm.pid_one import by_default

_ONE_BREATH_S = 1.0
"""Signals that come so soon after the first are the same one: shells, `make` and CI systems pass them on besides."""


def end_on(end: Callable[[], None], *numbers: signal.Signals) -> None:
    """Call `end` on the first of these signals.

    SIGTERM changes nothing after that, for the report is being written; who can't wait has SIGKILL. Ctrl-C does what
    it does by default, a breath later.

    Left to Python, Ctrl-C is an exception in whichever user happens to run. And Locust listens to SIGTERM only when a
    headless run's shape has ended; on workers it always does.
    """
    begun = False

    def heard() -> None:
        nonlocal begun
        if not begun:
            begun = True
            gevent.spawn_later(_ONE_BREATH_S, give_back)
            end()

    def give_back() -> None:
        if signal.SIGINT in handlers:
            handlers[signal.SIGINT].cancel()
            by_default(signal.SIGINT)

    handlers = {number: gevent.signal_handler(number, heard) for number in numbers}


def leave_on_ctrl_z(leave: Callable[[], None]) -> Callable[[], None]:
    """Call `leave` each time before Ctrl-Z stops this process; what is returned puts an end to that.

    Nothing is changed where Ctrl-Z is ignored, as shells without job control want it.
    """
    if signal.getsignal(signal.SIGTSTP) is signal.SIG_IGN:
        return lambda: None

    handlers: list[Any] = []

    def watch() -> None:
        handlers.append(gevent.signal_handler(signal.SIGTSTP, heard))

    def forget() -> None:
        handlers.pop().cancel()

    def heard() -> None:
        leave()
        forget()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTSTP)  # here this process stands still, until somebody lets it go on
        watch()

    watch()
    return forget


def ignore_ctrl_c() -> None:
    """For a process whose parent hears it too, and knows what to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
