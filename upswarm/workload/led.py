"""A closed load whose users come and go as somebody else says: a shape of one's own, or Locust's options."""

from __future__ import annotations

from dataclasses import dataclass

from upswarm.workload.kinds import ClosedLoad


@dataclass(frozen=True, slots=True)
class LedLoad(ClosedLoad):
    """The scenario's files and think time, without its stages: `leader` says how many users there are, and until when.

    `limit_s` is when the run ends; None where that is the leader's matter too.
    """

    leader: str = ""
    limit_s: float | None = None

    @property
    def planned_s(self) -> float | None:
        """How long the run lasts; None where nobody here knows."""
        return self.limit_s

    @property
    def ends_s(self) -> float | None:
        """When it ends, at the latest."""
        return self.limit_s

    @property
    def peak_users(self) -> int:
        """Nobody here knows."""
        return 0

    def users_at(self, elapsed_s: float, workers: int) -> None:
        """The leader is asked, and not this load."""

    def __str__(self) -> str:
        return f"users by {self.leader}"
