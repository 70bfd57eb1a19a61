"""One upload after the other: each is a journey, and its end is told."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from upswarm.content.base import File
from upswarm.transfer.clock import Clock
from upswarm.transfer.dialect import UploadProtocol
from upswarm.transfer.exchange import Exchange
from upswarm.transfer.failures import TransferError
from upswarm.transfer.habits import UNDISTURBED, Habits
from upswarm.transfer.journey import Errand, Journey
from upswarm.transfer.lanes import Together, in_turn
from upswarm.transfer.records import End, Observer, Outcome
from upswarm.transfer.retry import RetryPolicy
from upswarm.transfer.suspended import Suspended


@dataclass(frozen=True, slots=True)
class UploadSettings:
    """How files travel. `chunk_size_bytes` None takes the server's; `digest` is an algorithm name, or None."""

    retry: RetryPolicy
    chunk_size_bytes: int | None = None
    digest: str | None = None
    habits: Habits = UNDISTURBED


Awaited = Callable[[], object]
"""Returns when an upload that has moved has ended there."""
Elsewhere = Callable[[Suspended], Awaited | None]
"""Offers an upload to others; None where nobody takes it."""


def nowhere(suspended: Suspended) -> None:
    """There is nobody else who could go on with an upload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploader:
    """Uploads files, one after the other. A failed upload is an outcome, not an exception.

    Chunks travel through `exchange`, and at the same time through `more_lanes` where the protocol lets them.
    Interrupted uploads whose users come back at another place are offered `elsewhere`; their ends are told there.
    """

    protocol: UploadProtocol
    exchange: Exchange
    observer: Observer
    settings: UploadSettings
    clock: Clock
    dice: random.Random
    more_lanes: Sequence[Exchange] = ()
    together: Together = in_turn
    elsewhere: Elsewhere = nowhere

    @property
    def exchanges(self) -> Sequence[Exchange]:
        """One for each lane."""
        return (self.exchange, *self.more_lanes)

    def upload(
        self, file: File, due_s: float | None = None, number: int | None = None, file_class: str = ""
    ) -> Outcome:
        """Bring the file to the server; the outcome is also told to the observer.

        `due_s` is when the upload was due on the run's clock, if that is not now: whoever begins late, for want of a
        free user, has made the file wait, and the response times of the upload and its first request say so.
        `number` is the file's in the run; without it nobody interrupts this upload on purpose. `file_class` is the
        scenario's name for files of this sort.

        When the run ends in the middle (any exception that is not a `TransferError`), the server is asked to
        forget the upload, the outcome is told as stopped, and the exception goes on its way.
        """
        due_s = self.clock.now() if due_s is None else due_s
        return self._travelled(Journey(self, Errand(file, due_s, number, file_class)))

    def resume(self, file: File, suspended: Suspended, file_class: str = "") -> Outcome:
        """Go on with an upload that was begun elsewhere; `file` is the one with its number."""
        errand = Errand(file, self.clock.now() - suspended.elapsed_s, suspended.number, file_class)
        return self._travelled(Journey(self, errand, suspended))

    def _travelled(self, journey: Journey) -> Outcome:
        try:
            outcome = journey.outcome(*journey.travel())
        except TransferError as error:
            outcome = journey.outcome(End.FAILED, error=error)
        except BaseException:
            if not journey.moved:
                self.observer.ended(journey.outcome(End.STOPPED))
                journey.abort()
            raise
        if outcome.end is not End.MOVED:
            self.observer.ended(outcome)
        if outcome.end is End.ABORTED:
            journey.abort()
        return outcome
