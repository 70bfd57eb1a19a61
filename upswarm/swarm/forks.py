"""Workers that Locust forks (`--processes`) end with the process that forked them, however it ends.

Locust itself forgets those that have not connected yet, which then try for minutes, and the others take a minute to
notice.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import gevent
import psutil

_PR_SET_PDEATHSIG = 1
_LOOK_S = 0.5


def end_forks() -> Callable[[], None]:
    """Let a process that is forked off this one get a SIGTERM when this one ends, until it calls what is returned.

    What it forks itself is none of our affair. On Linux only: elsewhere nothing happens.
    """
    home, forking, active = os.getpid(), 0, True

    def before() -> None:
        nonlocal forking
        forking = os.getpid()

    def in_child() -> None:
        if active and forking == home:
            _at_parents_end(signal.SIGTERM)
            if os.getppid() != home:  # it was quicker
                os.kill(os.getpid(), signal.SIGTERM)

    def let_go() -> None:
        nonlocal active
        if active and forking == home != os.getpid():
            _at_parents_end(0)
        active = False

    os.register_at_fork(before=before, after_in_child=in_child)
    return let_go


def pass_on_sigterm() -> None:
    """Let a SIGTERM for this process be one for all that it has forked; whoever forks then waits for them.

    In a container the kernel kills all others with the first process, so they would have no time for a last report.
    """
    home = os.getpid()

    def heard(number: int, frame: FrameType | None) -> None:
        forked = psutil.Process().children() if os.getpid() == home else []
        if not forked:  # one of them, before it has a handler of its own, or nobody yet
            os._exit(128 + number)
        for each in forked:
            with suppress(psutil.NoSuchProcess):
                each.terminate()

    signal.signal(signal.SIGTERM, heard)


def end_with_parent(end: Callable[[], None]) -> None:
    """Call `end` when the process that forked this one is gone."""
    parent = os.getppid()

    def look() -> None:
        while os.getppid() == parent:
            gevent.sleep(_LOOK_S)
        end()

    gevent.spawn(look)


def _at_parents_end(number: int) -> None:
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, number)
