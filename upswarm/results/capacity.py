"""A capacity: the loads that were tried, what became of each, and what they say together. Kept in `capacity.json`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from upswarm.errors import EXIT_GENERATOR, EXIT_OK, EXIT_THRESHOLD, UsageError
from upswarm.files import write_whole
from upswarm.results.objectives import Finding
from upswarm.results.steps import By, Step, Verdict, shown_time
from upswarm.results.thresholds import Threshold

SCHEMA_VERSION = 1
CAPACITY_FILE = "capacity.json"
_NOT_THE_TARGET = (Verdict.GENERATOR, Verdict.FAILED)


class End(StrEnum):
    """Why a search ended."""

    FOUND = "found"
    MOST = "most"
    LEAST = "least"
    BUDGET = "budget"
    CUT_OFF = "cut off"


@dataclass(frozen=True, slots=True)
class Capacity:
    """A search and what it found. `steps` are in the order in which they ran, one for each load."""

    name: str
    target: str
    by: By
    objectives: tuple[str, ...]
    precision_ratio: float
    started_at: str
    elapsed_s: float
    end: End
    steps: tuple[Step, ...]

    @property
    def held(self) -> Step | None:
        """The highest load that held."""
        return max((each for each in self.steps if each.verdict is Verdict.HELD), key=_load, default=None)

    @property
    def gave_in(self) -> Step | None:
        """The lowest load that did not hold."""
        return min((each for each in self.steps if each.verdict is not Verdict.HELD), key=_load, default=None)

    @property
    def is_lower_bound(self) -> bool:
        """Whether the target may hold more: nothing gave in, or only the generator did."""
        return self.held is not None and (self.gave_in is None or self.gave_in.verdict in _NOT_THE_TARGET)

    @property
    def exit_code(self) -> int:
        """0 found, 3 nothing is known to hold, 5 the generator failed or the search was cut off."""
        if self.end is End.CUT_OFF:
            return EXIT_GENERATOR
        if self.held is not None:
            return EXIT_OK
        not_the_target = self.gave_in is None or self.gave_in.verdict in _NOT_THE_TARGET
        return EXIT_GENERATOR if not_the_target else EXIT_THRESHOLD

    @property
    def shown_time(self) -> str:
        """The name of the times of the steps."""
        return shown_time(tuple(map(Threshold.parse, self.objectives)))

    def sentence(self) -> str:
        """What the search comes to, in one or two sentences."""
        return " ".join(filter(None, (self._what_holds(), self._what_gave_in(), self._why_it_ended())))

    def save(self, folder: Path) -> Path:
        """Write `capacity.json` into the folder, whole or not at all."""
        path = folder / CAPACITY_FILE
        write_whole(path, json.dumps(self._document(), indent=1) + "\n")
        return path

    @classmethod
    def load(cls, path: Path) -> Capacity:
        """Read a capacity's file, or the one in a folder; raises `UsageError` where that can't be done."""
        path = path / CAPACITY_FILE if path.is_dir() else path
        try:
            return cls._of_document(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"expected a capacity file, found {path} which can't be read as one: {error!r}",
                             hint="give a folder that upswarm capacity has written") from error  # fmt: skip

    def _what_holds(self) -> str:
        held, gave_in = self.held, self.gave_in
        if held is None:
            return "No load is known to hold."
        figures = _figures(held)
        least = "at least " if self.is_lower_bound else ""
        between = ""
        if gave_in is not None and not self.is_lower_bound:
            between = f" (and gives in between {held.load:,.4g} and {gave_in.load:,.4g})"
        return f"Holds {least}{self.by.amount(held.load)}{between}{': ' if figures else ''}{figures}."

    def _what_gave_in(self) -> str:
        step = self.gave_in
        if step is None:
            return ""
        at = f"At {self.by.amount(step.load)}"
        if step.verdict in _NOT_THE_TARGET:
            what = "the generator gave in first" if step.verdict is Verdict.GENERATOR else "nothing was measured"
            return f"{at} {what}: {'; '.join(step.strain).rstrip('.')}."
        told = "; ".join(f"{each.objective}, with {_seen(each)}" for each in step.gave_in)
        if step.verdict is Verdict.BROKEN:
            return f"{at} this gave in first: {told}."
        what = "it was not clear" if step.settled else "nothing settled"
        return f"{at} {what}, which counts as not held: {told}."

    def _why_it_ended(self) -> str:
        return {
            End.FOUND: "",
            End.MOST: "That was the largest load to try (--max).",
            End.LEAST: "That was the smallest load to try (--min).",
            End.BUDGET: "The time ran out before the search was over (--budget).",
            End.CUT_OFF: "The search was cut off.",
        }[self.end]

    def _document(self) -> dict[str, Any]:
        return {
            "schema_version": SCHEMA_VERSION,
            "exit_code": self.exit_code,
            "sentence": self.sentence(),
            "holds": None if self.held is None else self.held.load,
            "gave_in": None if self.gave_in is None else self.gave_in.load,
            "is_lower_bound": self.is_lower_bound,
            **asdict(self),
        }

    @classmethod
    def _of_document(cls, document: dict[str, Any]) -> Capacity:
        if document["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {document['schema_version']}, expected {SCHEMA_VERSION}")
        capacity = cls(**{name: document[name] for name in cls.__slots__})
        return replace(
            capacity,
            by=By(capacity.by),
            end=End(capacity.end),
            objectives=tuple(capacity.objectives),
            steps=tuple(map(Step.of_document, document["steps"])),
        )


def _load(step: Step) -> float:
    return step.load


def _figures(step: Step) -> str:
    return ", ".join(_figure(each) for each in step.findings if each.value is not None)


def _figure(finding: Finding) -> str:
    """`chunk.response_time p99 387 ms (371 ms to 403 ms)`."""
    threshold = Threshold.parse(finding.objective)
    return f"{threshold.metric.name} {threshold.aggregate} {_seen(finding)}"


def _seen(finding: Finding) -> str:
    return f"{finding.observed} ({finding.range})" if finding.range else finding.observed
