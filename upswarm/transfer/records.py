"""What is written down: an Attempt for each request, an Outcome for each upload, and who is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase, Request, Response, Timings


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request, whatever became of it. Times are seconds on the run's clock.

    `due_s` is when it should have been sent, `sent_s` when it was; `number` counts the tries of the same request
    from 1, so everything above 1 is a retry. `failure` is None when the dialect took the answer for a success.
    `timings` are the transport's, where it knows them, as far as the request came. `unretried`: it failed and
    would have been tried again, but the retry budget was spent. `file_class` is the scenario's name for files of
    this sort, "" where it has only one that needs none.

    `asked` is the request as it was signed, with the secrets in it, and `answer` what came, if anything: for whoever
    looks at them now. They are not to be kept.
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
    unretried: bool = False
    file_name: str = ""
    file_class: str = ""
    asked: Request | None = field(default=None, compare=False, repr=False)
    answer: Response | None = field(default=None, compare=False, repr=False)

    @property
    def response_time_s(self) -> float:
        """From when it was due."""
        return self.ended_s - self.due_s

    @property
    def service_time_s(self) -> float:
        """From when it was sent."""
        return self.ended_s - self.sent_s


class End(StrEnum):
    """How an upload ended: its file is on the server, it failed, its user gave it up, or the run ended first.

    One that has moved has not ended: another worker goes on with it and tells its end, so observers do not hear of it.
    """

    FINISHED = "finished"
    FAILED = "failed"
    ABORTED = "aborted"
    STOPPED = "stopped"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The server's word that it has a file, under the id by which it can be asked for later."""

    file_id: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """One upload's end. `failure` and `message` say what made it fail.

    It was interrupted on purpose so many times, and for `away_s` in all; it asked the server what it holds and went on
    (`resumes`), or began anew, for the server had forgotten it (`restarts`). `resent_bytes` of its file went out more
    than once, if it finished. `number` is the file's in the run, and None outside of one.
    """

    end: End
    file_name: str
    size_bytes: int
    due_s: float
    ended_s: float
    resumes: int = 0
    failure: Failure | None = None
    message: str = ""
    receipt: Receipt | None = None
    interruptions: int = 0
    restarts: int = 0
    resent_bytes: int = 0
    away_s: float = 0.0
    number: int | None = None
    file_class: str = ""

    @property
    def response_time_s(self) -> float:
        """From when the upload was due to its end, pauses and resumes included, but not the time away on purpose."""
        return self.ended_s - self.due_s - self.away_s


class Observer(Protocol):
    """Is told of everything that happens, at once and in order."""

    def attempted(self, attempt: Attempt) -> None:
        """A request has ended."""

    def ended(self, outcome: Outcome) -> None:
        """An upload has ended."""
