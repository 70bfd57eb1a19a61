"""A bound for the sum of all retries, so that clients of a server that is down do not become its load."""

from __future__ import annotations

RESERVE = 10.0
"""How many retries a budget holds at most, and at the beginning: few requests may fail before any has been made."""


class RetryBudget:
    """A bucket of tokens for all requests of one process: each brings a share of one, each retry takes a whole one.

    So retries are at most `ratio` of the requests, and `RESERVE` more. The rule is Finagle's `RetryBudget`; that a
    bucket is small, and a quiet hour does not pay for a storm, is gRPC's retry throttling (gRFC A6).
    """

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio
        self._tokens = RESERVE

    def earn(self) -> None:
        """A request is made for the first time."""
        self._tokens = min(RESERVE, self._tokens + self._ratio)

    def spend(self) -> bool:
        """Whether there is a retry left, which then is taken."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
