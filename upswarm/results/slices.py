"""A slice of what was measured: tallies by phase and of uploads. A run is one; so is one class of its files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upswarm.results import tallies
from upswarm.results.tallies import PhaseTally, UploadTally
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase
from upswarm.transfer.records import Attempt, End, Outcome

Document = dict[str, Any]


class Slice:
    """The sum of some attempts and outcomes; adding two of them is exact."""

    def __init__(self) -> None:
        self.phases: dict[Phase, PhaseTally] = {phase: PhaseTally() for phase in Phase}
        self.uploads = UploadTally()

    @property
    def attempts(self) -> int:
        """How many requests were sent, in all phases."""
        return sum(tally.attempts for tally in self.phases.values())

    def count_attempt(self, attempt: Attempt) -> None:
        """Count one request."""
        tally = self.phases[attempt.phase]
        tally.attempts += 1
        tally.retries += attempt.number > 1
        tally.bytes_sent += attempt.bytes_sent
        tally.unretried += attempt.unretried
        if attempt.timings is not None:
            tallies.record_timings(tally, attempt.timings, good=attempt.failure is None)
        if attempt.failure is None:
            tally.response_time.record(attempt.response_time_s)
            tally.service_time.record(attempt.service_time_s)
        elif attempt.failure is Failure.STOPPED:
            tally.stopped += 1
        elif attempt.failure is Failure.INTERRUPTED:
            tally.interrupted += 1
        else:
            tally.failed += 1
            tally.failures[tallies.label(attempt.failure, attempt.status)] += 1
            tally.failed_response_time.record(attempt.response_time_s)

    def count_outcome(self, outcome: Outcome) -> None:
        """Count one upload."""
        tally = self.uploads
        tally.interruptions += outcome.interruptions
        tally.resumes += outcome.resumes
        tally.restarts += outcome.restarts
        tally.resent_bytes += outcome.resent_bytes
        if outcome.end is End.FINISHED:
            tally.finished += 1
            tally.finished_bytes += outcome.size_bytes
            tally.response_time.record(outcome.response_time_s)
        elif outcome.end is End.FAILED:
            tally.failed += 1
            tally.failures[outcome.failure or "unknown"] += 1
        elif outcome.end is End.ABORTED:
            tally.aborted += 1
        else:
            tally.stopped += 1

    def add_slice(self, other: Slice) -> None:
        """Add another slice's numbers."""
        for phase, tally in other.phases.items():
            if tally.attempts:
                tallies.add(self.phases[phase], tally)
        tallies.add(self.uploads, other.uploads)

    def slice_document(self, brief: bool = False) -> Document:
        """As JSON (and msgpack) can carry it; `brief` costs less, for what workers send."""
        phases = {phase.value: tallies.to_document(each, brief) for phase, each in self.phases.items() if each.attempts}
        return {"phases": phases, "uploads": tallies.to_document(self.uploads, brief)}

    def fill_slice(self, document: Mapping[str, Any]) -> None:
        """What `slice_document` wrote, into an empty slice."""
        for phase, tally in document["phases"].items():
            tallies.fill(self.phases[Phase(phase)], tally)
        tallies.fill(self.uploads, document["uploads"])
