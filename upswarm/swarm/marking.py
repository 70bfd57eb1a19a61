"""The marks of a run that is over: those that were noted while it lasted, and those that its plan had in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter

from upswarm.results.marks import Mark, MarkKind
from upswarm.workload.kinds import Workload
from upswarm.workload.turns import turns

_SAME_S = 0.1
"""A change by hand is noted, and turns the load at the same moment; one mark is enough."""


def marks_of(workload: Workload, noted: Iterable[Mark], *, elapsed_s: float, warm_up_s: float = 0.0) -> list[Mark]:
    """All of them, in order. What was planned for later than the end of the run did not happen."""
    kept = list(noted)
    planned = [each for each in _planned(workload, warm_up_s) if each.at_s < elapsed_s and not _is_told(each, kept)]
    return sorted([*kept, *planned], key=attrgetter("at_s"))


def _planned(workload: Workload, warm_up_s: float) -> Iterator[Mark]:
    for at_s, sentence in turns(workload):
        yield Mark(at_s, MarkKind.STAGE, sentence)
    if warm_up_s > 0:
        yield Mark(warm_up_s, MarkKind.STAGE, "the warm-up is over")


def _is_told(planned: Mark, noted: list[Mark]) -> bool:
    return any(mark.kind is MarkKind.NOTE and abs(mark.at_s - planned.at_s) < _SAME_S for mark in noted)
