"""An upload that waits for somebody to go on with it, as plain values that pass through JSON and msgpack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from upswarm.transfer.chunks import Grid
from upswarm.transfer.dialect import Caps, Session
from upswarm.transfer.ranges import Ranges

Document = dict[str, Any]


@dataclass(slots=True)
class Log:
    """What has become of an upload so far. `sent_bytes` of its file went out, some of them more than once.

    It was interrupted on purpose so often, and for `away_s` in all; resumed so often, and begun anew so often.
    """

    sent_bytes: int = 0
    most_held_bytes: int = 0
    interruptions: int = 0
    resumes: int = 0
    restarts: int = 0
    away_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Suspended:
    """Where an upload stands that another process may go on with; its file is the one with this `number`.

    Clocks of hosts differ, so `elapsed_s` says how long ago it was due.
    """

    number: int
    session: Document
    elapsed_s: float
    log: Log

    def to_document(self) -> Document:
        """Plain values."""
        return asdict(self)

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Suspended:
        """What `to_document` wrote."""
        return cls(document["number"], document["session"], document["elapsed_s"], Log(**document["log"]))


def session_document(session: Session, caps: Caps) -> Document:
    """A session as plain values, with a state of which only its dialect knows how to write it."""
    return {
        "upload_id": session.upload_id,
        "grid": asdict(session.grid),
        "held": [list(span) for span in session.held],
        "state": caps.state_to_plain(session.state),
    }


def session_of(document: Mapping[str, Any], caps: Caps) -> Session:
    """What `session_document` wrote."""
    held = Ranges.of((start, end) for start, end in document["held"])
    return Session(document["upload_id"], Grid(**document["grid"]), held, caps.state_of_plain(document["state"]))
