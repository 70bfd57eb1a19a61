"""A clock that only moves when it is told to, so that an hour of backoff is tested in no time."""

from __future__ import annotations


class FakeClock:
    """A `Clock`. `sleep` returns at once, moves both readings on and is written down in `slept_s`."""

    def __init__(self, now_s: float = 0.0, wall_s: float = 1_700_000_000.0) -> None:
        self._now_s = now_s
        self._wall_s = wall_s
        self.slept_s: list[float] = []

    def now(self) -> float:
        """Seconds on the clock that never jumps."""
        return self._now_s

    def wall(self) -> float:
        """Seconds since 1970."""
        return self._wall_s

    def sleep(self, seconds: float) -> None:
        """Let the time pass and remember for how long; a negative time is refused, as `time.sleep` does."""
        self.advance(seconds)
        self.slept_s.append(seconds)

    def advance(self, seconds: float) -> None:
        """Let the time pass without anybody having slept: a slow server, a busy machine."""
        if seconds < 0:
            raise ValueError(f"expected seconds to pass, found {seconds}")
        self._now_s += seconds
        self._wall_s += seconds
