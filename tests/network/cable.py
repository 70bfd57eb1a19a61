"""A slow and lossy cable: a process that hands frames from one end to the other as late, and as rarely, as a bad line.

`cable NEAR FAR LINE` makes two network devices (TAP) of these names, says `ready`, and carries frames between them
until its stdin is closed; then both are gone. Linux has netem for this, but not every kernel has netem.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import select
import struct
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass

_TUN = "/dev/net/tun"
_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
_FRAME_BYTES = 65_536
_AT_ONCE = 64
_STDIN = 0


@dataclass(frozen=True, slots=True)
class Line:
    """What a line does to frames, in each direction: they come `delay_s` later, give or take `jitter_s`, and in order.

    What finds more than `queue_s` of work waiting for the rate is lost, as in a router's buffer.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss_ratio: float = 0.0
    rate_bits_per_s: float = 1e9
    queue_s: float = 0.3

    def to_json(self) -> str:
        """For the command line of the process."""
        return json.dumps(asdict(self))


class Direction:
    """One of the two; frames are numbered by nobody, they only wait. `dice` gives numbers from 0 to 1."""

    def __init__(self, line: Line, dice: Callable[[], float] = random.random) -> None:
        self._line = line
        self._dice = dice
        self._sent_s = self._there_s = 0.0
        self._waiting: deque[tuple[float, bytes]] = deque()

    @property
    def due_s(self) -> float | None:
        """When the next frame is there; None where none is under way."""
        return self._waiting[0][0] if self._waiting else None

    def enter(self, frame: bytes, now_s: float) -> None:
        """A frame sets out, or is lost."""
        line, begins_s = self._line, max(now_s, self._sent_s)
        if begins_s - now_s > line.queue_s or self._dice() < line.loss_ratio:
            return
        self._sent_s = begins_s + len(frame) * 8 / line.rate_bits_per_s
        late_s = line.delay_s + line.jitter_s * (2 * self._dice() - 1)
        self._there_s = max(self._there_s, self._sent_s + late_s)
        self._waiting.append((self._there_s, frame))

    def arrived(self, now_s: float) -> bytes | None:
        """The next frame that is there by now."""
        return self._waiting.popleft()[1] if self._waiting and self._waiting[0][0] <= now_s else None


def carry(ends: tuple[int, int], line: Line) -> None:
    """Carry frames between two devices, until whoever started this process closes its stdin."""
    near, far = ends
    ways = {near: (Direction(line), far), far: (Direction(line), near)}
    readable: list[int] = []
    while _STDIN not in readable:
        dues = [way.due_s for way, _ in ways.values() if way.due_s is not None]
        pause_s = max(0.0, min(dues) - time.monotonic()) if dues else None
        readable, _, _ = select.select([*ends, _STDIN], [], [], pause_s)
        for end in ways.keys() & readable:
            _take_in(end, ways[end][0])
        for way, other in ways.values():
            _hand_out(way, other)


def _take_in(end: int, way: Direction) -> None:
    for _ in range(_AT_ONCE):
        try:
            way.enter(os.read(end, _FRAME_BYTES), time.monotonic())
        except OSError:  # nothing more, or the device is down
            return


def _hand_out(way: Direction, end: int) -> None:
    while (frame := way.arrived(time.monotonic())) is not None:
        try:
            os.write(end, frame)
        except OSError:  # as with a cable that nobody listens to
            return


def _device(name: str) -> int:
    device = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", name.encode(), _IFF_TAP | _IFF_NO_PI))
    return device


if __name__ == "__main__":
    made = (_device(sys.argv[1]), _device(sys.argv[2]))
    print("ready", flush=True)
    carry(made, Line(**json.loads(sys.argv[3])))
