"""When to try again, and after how long: exponential backoff with jitter, and the server's own wish."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum

_DELAY_SECONDS = re.compile(r"[0-9]{1,9}")


class Jitter(StrEnum):
    """How a pause is spread, so that clients that failed together do not come back together.

    The names are those of Marc Brooker's "Exponential Backoff and Jitter" (AWS Architecture Blog, 2015).
    """

    FULL = "full"
    EQUAL = "equal"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`attempts` counts the first one; the pause before the n-th retry is at most `base_s * 2**(n-1)`, and `cap_s`.

    `budget_ratio` bounds all retries of a process together (see `RetryBudget`); None does not.
    """

    attempts: int = 5
    base_s: float = 0.2
    cap_s: float = 10.0
    jitter: Jitter = Jitter.FULL
    statuses: frozenset[int] = frozenset({429, 500, 502, 503, 504})
    honour_retry_after: bool = True
    budget_ratio: float | None = None

    def pause_s(self, retry: int, dice: random.Random, retry_after_s: float | None = None) -> float:
        """Seconds to wait before the n-th retry (from 1); never less than the server asked for, if that is honoured."""
        ceiling = min(self.cap_s, self.base_s * 2.0 ** min(retry - 1, 1000))  # a float ends at 2**1023
        pause = {
            Jitter.FULL: lambda: dice.uniform(0, ceiling),
            Jitter.EQUAL: lambda: ceiling / 2 + dice.uniform(0, ceiling / 2),
            Jitter.NONE: lambda: ceiling,
        }[self.jitter]()
        wished = retry_after_s if self.honour_retry_after and retry_after_s is not None else 0.0
        return max(pause, wished)


def retry_after_s(headers: Mapping[str, str], wall: float) -> float | None:
    """Seconds that a `Retry-After` header asks for, in either form of RFC 9110 §10.2.3; None where there is none."""
    text = headers.get("retry-after", "").strip()
    if _DELAY_SECONDS.fullmatch(text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:  # the asctime form names no zone; it means GMT (RFC 9110 §5.6.7)
        date = date.replace(tzinfo=UTC)
    return max(0.0, date.timestamp() - wall)
