"""What failed, as rows of text: how often, what it means, and the first examples of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from upswarm import units
from upswarm.results.examples import Example
from upswarm.results.run_file import Run
from upswarm.transfer.failures import Failure


@dataclass(frozen=True, slots=True)
class ExampleRow:
    """One failed attempt: when and where, what was asked, what is known of it, and what the server said."""

    where: str
    asked: str
    message: str
    said: str


@dataclass(frozen=True, slots=True)
class FailureRow:
    """How often one phase, or `upload`, failed in one way, what that means, and at most three examples."""

    name: str
    kind: str
    count: int
    meaning: str
    examples: tuple[ExampleRow, ...] = ()


def failure_rows(run: Run) -> list[FailureRow]:
    """Phase by phase, then `upload`: the most frequent first."""
    return [*_of_attempts(run), *_of_uploads(run)]


def _of_attempts(run: Run) -> Iterator[FailureRow]:
    measured = run.measurements
    for phase, tally in measured.phases.items():
        for kind, count in most_first(tally.failures):
            examples = tuple(_example(run, each) for each in measured.examples.of(phase, kind))
            yield FailureRow(phase.value, kind, count, meaning(kind), examples)


def _of_uploads(run: Run) -> Iterator[FailureRow]:
    for kind, count in most_first(run.measurements.uploads.failures):
        yield FailureRow("upload", kind, count, meaning(kind))


def most_first(failures: dict[str, int]) -> list[tuple[str, int]]:
    """Kinds with their counts, the most frequent first."""
    return sorted(failures.items(), key=lambda item: (-item[1], item[0]))


def meaning(kind: str) -> str:
    """A kind is written with its HTTP status behind it; another version of upswarm may have kinds of its own."""
    word = kind.partition(" ")[0]
    return Failure(word).meaning if word in set(Failure) else "a kind that this upswarm does not know"


def _example(run: Run, example: Example) -> ExampleRow:
    place = [f"at {units.format_duration(example.at_s)}"]
    if len(run.workers) > 1:
        place.append(example.worker)
    if example.file_name:
        place.append(f"file {example.file_name.removeprefix(f'{run.run_id}-')}")
    if example.chunk >= 0:
        place.append(f"chunk {example.chunk}")
    if example.number > 1:
        place.append(f"try {example.number}")
    return ExampleRow(", ".join(place), f"{example.method} {example.path}".strip(), example.message, example.said)
