"""Does something on the way keep bodies back until they are whole? What was seen, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What is known of the way to the server."""

    NOTHING_BUFFERS = "nothing buffers"
    SOMETHING_BUFFERS = "something buffers whole bodies"
    UNTOLD = "can't be told"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that can be refused from its head alone, of whose body only the first bytes were sent.

    `what` it was for people; `early` whether it was refused then, or, false, only when the body was whole. None is
    neither, and `note` says why. `after_s` is from the first `sent_bytes` to the answer.
    """

    what: str = ""
    early: bool | None = None
    status: int | None = None
    sent_bytes: int = 0
    promised_bytes: int = 0
    after_s: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Midway:
    """A chunk whose sender paused in the middle, and what was held of it then. None is not known; `note` says why."""

    held_bytes: int | None = None
    sent_bytes: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Buffering:
    """All that was seen. `kept` of the `cuts` whose aftermath is known left bytes of the chunk on the server."""

    refusal: Refusal
    midway: Midway
    kept: int = 0
    cuts: int = 0

    @property
    def verdict(self) -> Verdict:
        """Bytes that got through prove that nothing waits; only a refusal that waited proves that something does.

        A server may hold bytes and not show them, so that nothing was held proves neither.
        """
        if self.refusal.early or self.midway.held_bytes or self.kept:
            return Verdict.NOTHING_BUFFERS
        return Verdict.UNTOLD if self.refusal.early is None else Verdict.SOMETHING_BUFFERS
