"""What an audit found: how many of the files that the server acknowledged are there, and which are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Fate(StrEnum):
    """What became of a file."""

    INTACT = "intact"
    MISSING = "missing"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    ORPHANED = "orphaned"
    UNVERIFIABLE = "unverifiable"

    @property
    def meaning(self) -> str:
        """For readers of the report."""
        return _MEANINGS[self]


_MEANINGS = {
    Fate.INTACT: "there, and as it was sent in every respect that was checked",
    Fate.MISSING: "acknowledged, but the server does not have it",
    Fate.TRUNCATED: "there, but shorter than it was sent",
    Fate.CORRUPT: "there, but its bytes are not those that were sent",
    Fate.ORPHANED: "on the server, but in nobody's ledger: no client was told that it had arrived",
    Fate.UNVERIFIABLE: "there as far as the server says; whether its bytes are right could not be found out",
}

BROKEN_PROMISES = frozenset({Fate.MISSING, Fate.TRUNCATED, Fate.CORRUPT})
"""What fails an audit; an orphan costs space but nobody counts on it."""
MOST_PROBLEMS = 100
"""So many problems are kept one by one; the others are counted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One file that is not intact; `detail` says what was expected and what was found."""

    fate: Fate
    file_name: str
    file_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An audit of `promised` receipts, of which `asked` were checked, for the given `checks`.

    `counts` are files by fate. `problems` are the first of them that are not intact. `notes` are sentences on what
    could not be looked at, and why. `audited_at` is ISO 8601 in UTC; it took `took_s`, and `read_bytes` were read back.
    """

    promised: int
    asked: int
    checks: tuple[str, ...]
    counts: Mapping[Fate, int]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = field(default=())
    audited_at: str = ""
    took_s: float = 0.0
    read_bytes: int = 0

    @property
    def holds(self) -> bool:
        """Whether no promise was found broken."""
        return not any(self.counts.get(fate) for fate in BROKEN_PROMISES)

    @property
    def broken(self) -> int:
        """How many acknowledged files are missing or wrong."""
        return sum(self.counts.get(fate, 0) for fate in BROKEN_PROMISES)

    def to_document(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return asdict(self)

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> AuditRecord:
        """What `to_document` wrote, after it went through JSON."""
        return cls(
            **{
                **document,
                "checks": tuple(document["checks"]),
                "counts": {Fate(fate): count for fate, count in document["counts"].items()},
                "problems": tuple(Problem(**{**each, "fate": Fate(each["fate"])}) for each in document["problems"]),
                "notes": tuple(document["notes"]),
            }
        )
