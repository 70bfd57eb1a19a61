"""What an audit is to look at, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Ask(StrEnum):
    """What can be asked of a file: is it there, is it as long as it was, are its bytes those that were sent?"""

    PRESENT = "present"
    SIZE = "size"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class AuditTerms:
    """Of all files a share of `sample_ratio` is looked at, over so many connections, for `limit_s` at most."""

    checks: tuple[Ask, ...] = tuple(Ask)
    sample_ratio: float = 1.0
    limit_s: float = 300.0
    connections: int = 4
