"""The first examples of each failure: a count says how often, an example what it was.

Few are kept, and the earliest: adding the examples of two workers, or of two parts of a run, gives the earliest of
both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from upswarm.results import redaction
from upswarm.transfer.messages import Phase
from upswarm.transfer.records import Attempt

MOST = 3
"""Examples of one kind of failure in one phase, over all workers."""
MOST_KINDS = 60
"""Kinds and phases of which there are examples: a server may answer with five hundred statuses."""

Document = dict[str, Any]
Key = tuple[Phase, str]


@dataclass(frozen=True, slots=True, order=True)
class Example:
    """One failed attempt: `at_s` after the start of the run it ended, on this worker, the `number`-th try.

    `chunk` is the chunk's index in its file, -1 where it was none. `said` is what the answer's body begins with. No
    text holds a secret, and none is longer than `redaction.MOST_LETTERS`.
    """

    at_s: float
    worker: str
    file_name: str
    chunk: int
    number: int
    method: str
    path: str
    message: str
    said: str

    @classmethod
    def of(cls, attempt: Attempt, at_s: float) -> Example:
        """What is worth keeping of an attempt."""
        asked, answer = attempt.asked, attempt.answer
        body = asked.body if asked else None
        return cls(
            at_s=round(at_s, 3),
            worker="",
            file_name=redaction.said(attempt.file_name, None),
            chunk=-1 if body is None or body.chunk is None else body.chunk,
            number=attempt.number,
            method=asked.method if asked else "",
            path=redaction.place(asked) if asked else "",
            message=redaction.said(attempt.message, asked),
            said=redaction.said(answer.body, asked) if answer else "",
        )


class Examples:
    """The earliest examples by phase and kind, in their order."""

    def __init__(self) -> None:
        self._kept: dict[Key, list[Example]] = {}

    def of(self, phase: Phase, kind: str) -> list[Example]:
        """The examples of one kind, as `PhaseTally.failures` names it; the earliest first."""
        return list(self._kept.get((phase, kind), ()))

    def record(self, kind: str, attempt: Attempt, at_s: float) -> None:
        """Keep it, if it is among the first; what comes later costs nothing."""
        key = attempt.phase, kind
        kept = self._kept.get(key, [])
        if len(kept) < MOST or round(at_s, 3) <= kept[-1].at_s:
            self._keep(key, [Example.of(attempt, at_s)])

    def add(self, other: Examples) -> None:
        """Keep the earliest of both."""
        for key, examples in other._kept.items():
            self._keep(key, examples)

    def seen_by(self, worker: str) -> None:
        """All of these are this worker's."""
        self._kept = {key: [replace(each, worker=worker) for each in kept] for key, kept in self._kept.items()}

    def to_document(self) -> list[Document]:
        """As JSON (and msgpack) can carry it."""
        return [{"phase": phase.value, "kind": kind, **asdict(each)} for (phase, kind), each in self._all()]

    @classmethod
    def from_document(cls, document: Iterable[Mapping[str, Any]]) -> Examples:
        """What `to_document` wrote."""
        examples = cls()
        for each in document:
            fields = dict(each)
            examples._keep((Phase(fields.pop("phase")), fields.pop("kind")), [Example(**fields)])
        return examples

    def _all(self) -> Iterator[tuple[Key, Example]]:
        for key in sorted(self._kept):
            yield from ((key, each) for each in self._kept[key])

    def _keep(self, key: Key, more: list[Example]) -> None:
        self._kept[key] = sorted([*self._kept.get(key, ()), *more])[:MOST]
        if len(self._kept) > MOST_KINDS:
            del self._kept[max(self._kept, key=lambda each: (self._kept[each][0], each))]
