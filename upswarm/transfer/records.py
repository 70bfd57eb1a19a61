"""What is written down: an Attempt for each request, an Outcome for each upload, and who is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase, Timings


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request, whatever became of it. Times are seconds on the run's clock.

    `due_s` is when it should have been sent, `sent_s` when it was; `number` counts the tries of the same request
    from 1, so everything above 1 is a retry. `failure` is None when the dialect took the answer for a success.
    `timings` are the transport's, where it knows them and there was an answer.
    """

    phase: Phase
    number: int
    due_s: float
    sent_s: float
    ended_s: float
    bytes_sent: int
    status: int | None = None
    failure: Failure | None = None
    message: str = ""
    timings: Timings | None = None

    @property
    def response_time_s(self) -> float:
        """From when it was due."""
        return self.ended_s - self.due_s

    @property
    def service_time_s(self) -> float:
        """From when it was sent."""
        return self.ended_s - self.sent_s


class End(StrEnum):
    """How an upload ended: its file is on the server, it was given up, or the run ended first."""

    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The server's word that it has a file, under the id by which it can be asked for later."""

    file_id: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """One upload's end. `failure` and `message` say what ended it, unless it finished."""

    end: End
    file_name: str
    size_bytes: int
    due_s: float
    ended_s: float
    resumes: int = 0
    failure: Failure | None = None
    message: str = ""
    receipt: Receipt | None = None

    @property
    def response_time_s(self) -> float:
        """From when the upload was due to its end, pauses and resumes included."""
        return self.ended_s - self.due_s


class Observer(Protocol):
    """Is told of everything that happens, at once and in order."""

    def attempted(self, attempt: Attempt) -> None:
        """A request has ended."""

    def ended(self, outcome: Outcome) -> None:
        """An upload has ended."""
