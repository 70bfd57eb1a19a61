"""Where a request's time goes: a stopwatch that a transport presses."""

from __future__ import annotations

import time

from upswarm.transfer.messages import Timings


class Stopwatch:
    """Runs from when it is made. What is never pressed did not happen."""

    __slots__ = ("_began_s", "_heard_s", "_reused", "_sent_s", "_stood_s")

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._stood_s: float | None = None
        self._sent_s: float | None = None
        self._heard_s: float | None = None
        self._reused = False

    def stands(self, *, reused: bool) -> None:
        """There is a connection, and the request may go out; once it does, pressing again changes nothing."""
        if self._stood_s is None:
            self._stood_s, self._reused = time.monotonic(), reused

    def sent(self) -> None:
        """The system has the last byte of the request."""
        self._sent_s = time.monotonic()

    def heard(self) -> None:
        """The first byte of an answer is there, or a later one."""
        if self._heard_s is None:
            self._heard_s = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return time.monotonic() - self._began_s

    @property
    def timings(self) -> Timings:
        """As far as it came."""
        stood_s = self._stood_s
        if stood_s is None:
            return Timings()
        connect_s = 0.0 if self._reused else stood_s - self._began_s
        send_s = None if self._sent_s is None else self._sent_s - stood_s
        first_byte_s = None if self._heard_s is None else self._heard_s - stood_s
        return Timings(connect_s, send_s, first_byte_s, self._reused)
