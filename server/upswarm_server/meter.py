"""What the server measures of itself. Whoever is given a `Meter` says what happened; who listens is not its business.

Everything is told by the greenlet or thread that asked for the work, never by a thread of the offload's pool.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from upswarm_server.catalogs.base import Commits


class Meter(Protocol):
    """Takes note; every call is cheap and none raises."""

    def request(self, route: str, method: str, status: int, received_bytes: int, seconds: float) -> None:
        """A request was answered; `route` is a template such as `/v1/files/{file_id}`, never a path."""

    def fault(self, phase: str, kind: str) -> None:
        """A fault was injected on purpose."""

    def commit(self, records: int, seconds: float) -> None:
        """The catalog wrote `records` changes together."""

    def waiting(self, records: int) -> None:
        """So many changes of this process wait for a commit now."""

    def sync(self, seconds: float) -> None:
        """A file's bytes were synced."""

    def expired(self, uploads: int, freed_bytes: int) -> None:
        """Uploads were given up because their time was over."""

    def commits(self) -> Commits | None:
        """What all workers have written together, and what waits in them; None when nobody counts."""

    def text(self, now: Mapping[str, float]) -> bytes | None:
        """Everything in Prometheus' text format, with the gauges `now` by name; None when nobody counts."""


class Silent:
    """A meter that takes note of nothing."""

    def request(self, route: str, method: str, status: int, received_bytes: int, seconds: float) -> None:
        """Nothing."""

    def fault(self, phase: str, kind: str) -> None:
        """Nothing."""

    def commit(self, records: int, seconds: float) -> None:
        """Nothing."""

    def waiting(self, records: int) -> None:
        """Nothing."""

    def sync(self, seconds: float) -> None:
        """Nothing."""

    def expired(self, uploads: int, freed_bytes: int) -> None:
        """Nothing."""

    def commits(self) -> Commits | None:
        """Nobody counts."""
        return None

    def text(self, now: Mapping[str, float]) -> bytes | None:
        """Nobody counts."""
        return None


SILENT: Meter = Silent()


def timed(work: Callable[[], object]) -> float:
    """Do it, and return how many seconds it took."""
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s
