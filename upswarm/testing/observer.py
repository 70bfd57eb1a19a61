"""An observer that only remembers."""

from __future__ import annotations

from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase
from upswarm.transfer.records import Attempt, Outcome


class Notebook:
    """An `Observer` that keeps every attempt and every outcome, in the order in which they were told."""

    def __init__(self) -> None:
        self.attempts: list[Attempt] = []
        self.outcomes: list[Outcome] = []

    @property
    def story(self) -> list[tuple[Phase, int, Failure | None]]:
        """Phase, number and failure of each attempt: what happened, without the times."""
        return [(attempt.phase, attempt.number, attempt.failure) for attempt in self.attempts]

    def attempted(self, attempt: Attempt) -> None:
        """Keep it."""
        self.attempts.append(attempt)

    def ended(self, outcome: Outcome) -> None:
        """Keep it."""
        self.outcomes.append(outcome)
