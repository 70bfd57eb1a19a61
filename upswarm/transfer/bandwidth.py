"""How fast bytes may go out: pure arithmetic on a clock, the same for one upload and for all of a worker.

A limit is a slow line, kept by virtual scheduling (GCRA, ITU-T I.371): it carries one piece after the other, and what
is handed to it is through when the pieces before it and its own bytes have been carried. So n bytes take n / rate, to
the first byte and to the last, and who comes late has not saved up time, but for a small allowance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from upswarm.transfer.clock import Clock
from upswarm.transfer.messages import Body

ALLOWANCE_S = 0.02
"""What an idle line may catch up on, so that a late wake-up or the pause between two chunks costs no bandwidth."""
PIECE_S = 0.02
"""A piece is what the narrowest line carries in this time: bytes flow, and those who share a line take turns."""
_LEAST_PIECE_BYTES, _MOST_PIECE_BYTES = 1 << 10, 256 << 10
_SLACK_S = 0.001
"""A shorter wait is left to the next piece: waking up would cost more."""
_FLUSH = memoryview(b"")


class Limit:
    """So many bytes per second for all who share it, in the order in which they come."""

    def __init__(self, bytes_per_s: float) -> None:
        """`bytes_per_s` is more than 0."""
        self.bytes_per_s = bytes_per_s
        self._free_s = -math.inf

    def carry(self, size_bytes: int, now_s: float) -> float:
        """When these bytes, handed over now, are through; not before now."""
        self._free_s = max(self._free_s, now_s - ALLOWANCE_S) + size_bytes / self.bytes_per_s
        return max(now_s, self._free_s)


class Pace:
    """The pace of one upload through the limits that hold for it; its parallel chunks share one of these."""

    def __init__(self, limits: Sequence[Limit], clock: Clock) -> None:
        """There is at least one limit."""
        self._limits = limits
        self._clock = clock
        piece_bytes = int(min(limit.bytes_per_s for limit in limits) * PIECE_S)
        self._piece_bytes = min(max(_LEAST_PIECE_BYTES, piece_bytes), _MOST_PIECE_BYTES)

    def paced(self, body: Body) -> Body:
        """The same body, whose pieces come when the limits let them.

        An empty view comes before each wait: whoever holds bytes back, to join them with the next, should let them go.
        """
        return replace(body, views=lambda: self._views(body.views()))

    def _views(self, views: Iterator[memoryview]) -> Iterator[memoryview]:
        for view in views:
            for start in range(0, len(view), self._piece_bytes):
                piece = view[start : start + self._piece_bytes]
                for limit in self._limits:
                    yield from self._wait_until(limit.carry(len(piece), self._clock.now()))
                yield piece

    def _wait_until(self, through_s: float) -> Iterator[memoryview]:
        wait_s = through_s - self._clock.now()
        if wait_s > _SLACK_S:
            yield _FLUSH
            self._clock.sleep(wait_s)
