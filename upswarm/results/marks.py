"""Moments of a run that its charts mark: what was broken on purpose, stages of the load, workers that came or went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class MarkKind(StrEnum):
    """What sort of moment it is."""

    FAULT = "fault"
    STAGE = "stage"
    WORKER = "worker"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something happened `at_s` seconds after the start of the run, and lasted until `until_s` if that is known.

    `sentence` says what, for people who were not there: `the server was killed (SIGKILL)`.
    """

    at_s: float
    kind: MarkKind
    sentence: str
    until_s: float | None = None

    def to_document(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return asdict(self)

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Mark:
        """What `to_document` wrote."""
        return cls(**{**document, "kind": MarkKind(document["kind"])})
