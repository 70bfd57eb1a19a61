"""A stop with notice: the server says in `/health/ready` that it is leaving, and serves until those who look know."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from upswarm_server import shared


def give_notice(arbiter: Any, drain_s: float) -> None:
    """Let gunicorn's arbiter go on for `drain_s` after the first SIGTERM; another one, or SIGINT, ends the wait."""
    if drain_s > 0:
        arbiter.handle_term = _Notice(drain_s, stop=arbiter.handle_term)


class _Notice:
    def __init__(self, drain_s: float, stop: Any) -> None:
        self._drain_s = drain_s
        self._stop = stop

    def __call__(self) -> None:
        if shared.draining():
            self._stop()
            return
        shared.start_draining()
        # The arbiter hears nothing but signals; it goes on replacing workers that die meanwhile.
        timer = threading.Timer(self._drain_s, os.kill, (os.getpid(), signal.SIGTERM))
        timer.daemon = True
        timer.start()
