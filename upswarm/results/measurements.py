"""What was measured: tallies by phase, the uploads, and series by second and interval. Adding two of them is exact.

A worker's measurements between two reports are measurements too: the master adds them up, and a local run is simply
the sum of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upswarm.results import tallies
from upswarm.results.examples import Examples
from upswarm.results.generator import GeneratorTally
from upswarm.results.intervals import Intervals
from upswarm.results.tallies import ArrivalsTally, FilesTally, PhaseTally, SecondTally, UploadTally
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase
from upswarm.transfer.records import Attempt, End, Outcome
from upswarm.workload.pacing import Arrival

Document = dict[str, Any]


class Measurements:
    """The sum of everything recorded."""

    def __init__(self) -> None:
        self.phases: dict[Phase, PhaseTally] = {phase: PhaseTally() for phase in Phase}
        self.uploads = UploadTally()
        self.arrivals = ArrivalsTally()
        self.files = FilesTally()
        self.generator = GeneratorTally()
        self.examples = Examples()
        self.seconds: dict[int, SecondTally] = {}
        self.intervals = Intervals()

    @property
    def attempts(self) -> int:
        """How many requests were sent, in all phases."""
        return sum(tally.attempts for tally in self.phases.values())

    def record_attempt(self, attempt: Attempt, at_s: float) -> None:
        """Count one request that ended so many seconds after the start of the run."""
        self.intervals.record_attempt(attempt, at_s)
        tally, at = self.phases[attempt.phase], self._second(int(at_s))
        tally.attempts += 1
        tally.retries += attempt.number > 1
        tally.bytes_sent += attempt.bytes_sent
        tally.unretried += attempt.unretried
        at.attempts += 1
        at.bytes_sent += attempt.bytes_sent
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
            kind = tallies.label(attempt.failure, attempt.status)
            tally.failures[kind] += 1
            self.examples.record(kind, attempt, at_s)
            tally.failed_response_time.record(attempt.response_time_s)
            at.failed += 1

    def record_outcome(self, outcome: Outcome, at_s: float) -> None:
        """Count one upload that ended so many seconds after the start of the run."""
        self.intervals.record_outcome(outcome, at_s)
        tally = self.uploads
        tally.interruptions += outcome.interruptions
        tally.resumes += outcome.resumes
        tally.restarts += outcome.restarts
        tally.resent_bytes += outcome.resent_bytes
        if outcome.end is End.FINISHED:
            tally.finished += 1
            tally.finished_bytes += outcome.size_bytes
            tally.response_time.record(outcome.response_time_s)
            at = self._second(int(at_s))
            at.finished += 1
            at.finished_bytes += outcome.size_bytes
        elif outcome.end is End.FAILED:
            tally.failed += 1
            tally.failures[outcome.failure or "unknown"] += 1
        elif outcome.end is End.ABORTED:
            tally.aborted += 1
        else:
            tally.stopped += 1

    def record_arrival(self, arrival: Arrival) -> None:
        """Count one that has begun."""
        self.arrivals.begun += 1
        self.arrivals.late += arrival.late
        self.arrivals.lateness.record(arrival.late_s)

    def record_dropped(self) -> None:
        """Count an arrival that found no slot."""
        self.arrivals.dropped += 1

    def record_file(self, size_bytes: int, allocated_bytes: int) -> None:
        """Count a file that was made."""
        self.files.made += 1
        self.files.apparent_bytes += size_bytes
        self.files.allocated_bytes += allocated_bytes

    def record_cpu(self, cpu_s: float, took_s: float, at_s: float, *, queued_s: float = 0.0) -> None:
        """Count the CPU time that a process used in `took_s`, about a second, around this moment."""
        self.generator.record_cpu(cpu_s / took_s, queued_s / took_s)
        self._second(int(at_s)).cpu_ms += round(cpu_s * 1000)

    def add(self, other: Measurements) -> None:
        """Add another worker's, or another interval's, measurements to these."""
        for phase, tally in other.phases.items():
            if tally.attempts:
                tallies.add(self.phases[phase], tally)
        tallies.add(self.uploads, other.uploads)
        tallies.add(self.arrivals, other.arrivals)
        tallies.add(self.files, other.files)
        self.generator.add(other.generator)
        self.examples.add(other.examples)
        for second, at in other.seconds.items():
            tallies.add(self._second(second), at)
        self.intervals.add(other.intervals)

    def to_document(self, *, brief: bool = False) -> Document:
        """As JSON (and msgpack) can carry it; `brief` costs less, for what workers send."""
        return {
            "phases": {
                phase.value: tallies.to_document(tally, brief) for phase, tally in self.phases.items() if tally.attempts
            },
            "uploads": tallies.to_document(self.uploads, brief),
            "arrivals": tallies.to_document(self.arrivals, brief),
            "files": tallies.to_document(self.files, brief),
            "generator": tallies.to_document(self.generator, brief),
            "examples": self.examples.to_document(),
            "seconds": [{"second": at, **tallies.to_document(self.seconds[at], brief)} for at in sorted(self.seconds)],
            "intervals": self.intervals.to_document(brief),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Measurements:
        """What `to_document` wrote; older run files have no intervals."""
        measurements = cls()
        for phase, tally in document["phases"].items():
            tallies.fill(measurements.phases[Phase(phase)], tally)
        tallies.fill(measurements.uploads, document["uploads"])
        for name in ("arrivals", "files", "generator"):
            if name in document:
                tallies.fill(getattr(measurements, name), document[name])
        measurements.examples = Examples.from_document(document.get("examples", ()))
        for at in document["seconds"]:
            tallies.fill(measurements._second(at["second"]), at)
        if "intervals" in document:
            measurements.intervals = Intervals.from_document(document["intervals"])
        return measurements

    def _second(self, second: int) -> SecondTally:
        return self.seconds.setdefault(second, SecondTally())
