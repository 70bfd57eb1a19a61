"""Where, how and how long before the next question uploads are cut."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_FEW_BYTES = 1000


class Point(StrEnum):
    """Where in a chunk the connection ends."""

    FEW = "few bytes"
    HALF = "half"
    ALL_BUT_ONE = "all but one"

    def sent_bytes(self, length: int) -> int:
        """How much of a body of this length goes out."""
        return {Point.FEW: min(_FEW_BYTES, length // 4), Point.HALF: length // 2, Point.ALL_BUT_ONE: length - 1}[self]


class Ending(StrEnum):
    """How it ends: in order, as when a program is closed, or by a reset, as when a machine or a network is gone."""

    FIN = "FIN"
    RST = "RST"


@dataclass(frozen=True, slots=True)
class Cut:
    """One interruption; `pause_s` is how long the client waits before it asks what the server holds."""

    point: Point
    ending: Ending
    pause_s: float


PLAN = (
    Cut(Point.HALF, Ending.FIN, 0.5),
    Cut(Point.HALF, Ending.RST, 0.5),
    Cut(Point.ALL_BUT_ONE, Ending.FIN, 0.5),
    Cut(Point.FEW, Ending.RST, 0.5),
    Cut(Point.HALF, Ending.FIN, 0.0),
    Cut(Point.HALF, Ending.RST, 2.0),
    Cut(Point.ALL_BUT_ONE, Ending.RST, 0.5),
    Cut(Point.FEW, Ending.FIN, 0.5),
    Cut(Point.HALF, Ending.RST, 0.0),
    Cut(Point.HALF, Ending.FIN, 2.0),
)
"""The most telling first: where time is short, the last ones are left out."""
