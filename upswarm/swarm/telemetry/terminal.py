"""Draws a run on the terminal while it goes on: looks once a second, and moves the clock twice as often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TextIO

import gevent

from upswarm.reports.live.live import Live
from upswarm.reports.terminal_screen import Screen
from upswarm.reports.terminal_view import body, head
from upswarm.swarm.signals import leave_on_ctrl_z
from upswarm.swarm.steering import Steering
from upswarm.workload.moments import moment

FRAME_S = 0.5
_LOOK_S = 1.0


class TerminalView:
    """A follower of runs: draws each of them, and leaves the terminal as it was."""

    def __init__(self, steering: Steering, look: Callable[[], Live], out: TextIO) -> None:
        self._steering = steering
        self._look = look
        self._screen = Screen(out)
        self._drawing: gevent.Greenlet | None = None
        self._forget_ctrl_z: Callable[[], None] = lambda: None
        self._live = Live()
        self._looked_s = 0.0
        self._body = body(Live(), 0, 0)

    @property
    def drawing(self) -> bool:
        """Whether a run is drawn now."""
        return self._drawing is not None

    def begin(self) -> None:
        """Open the screen, and draw on it from now on."""
        self._screen.open()
        self._forget_ctrl_z = leave_on_ctrl_z(self._screen.close)
        self._looked_s = -_LOOK_S
        self._drawing = gevent.spawn(self._draw)

    def end(self) -> None:
        """Take it away."""
        drawing, self._drawing = self._drawing, None
        if drawing is not None:
            drawing.kill()
            self._forget_ctrl_z()
        self._screen.close()

    def _draw(self) -> None:
        while self._steering.running:
            if self._screen.is_in_front:  # again, where Ctrl-Z had stopped this process
                self._screen.open()
            self._frame()
            gevent.sleep(FRAME_S)

    def _frame(self) -> None:
        elapsed_s, (width, height) = self._steering.elapsed_s, self._screen.size
        if elapsed_s - self._looked_s >= _LOOK_S:
            self._live, self._looked_s = self._look(), elapsed_s
            self._body = body(self._live, width, height - len(head(self._live, width)))
        stage = moment(self._steering.plan.workload, elapsed_s)
        now = replace(self._live, elapsed_s=elapsed_s, stage=stage)
        self._screen.draw([*head(now, width), *self._body])
