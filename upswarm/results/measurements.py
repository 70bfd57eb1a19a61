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
from upswarm.results.histogram import Histogram
from upswarm.results.intervals import Intervals
from upswarm.results.series import of_columns, to_columns
from upswarm.results.slices import Slice
from upswarm.results.sparse_times import SparseTimes
from upswarm.results.tallies import ArrivalsTally, FilesTally, SecondTally
from upswarm.transfer.failures import NO_FAILURE
from upswarm.transfer.records import Attempt, End, Outcome
from upswarm.workload.pacing import Arrival

Document = dict[str, Any]


class Measurements(Slice):
    """The sum of everything recorded; `classes` holds that of each class of files, where the scenario has several."""

    def __init__(self) -> None:
        super().__init__()
        self.classes: dict[str, Slice] = {}
        self.arrivals = ArrivalsTally()
        self.files = FilesTally()
        self.generator = GeneratorTally()
        self.examples = Examples()
        self.seconds: dict[int, SecondTally] = {}
        self.intervals = Intervals()

    @classmethod
    def of_slice(cls, part: Slice) -> Measurements:
        """A view of a slice, for whoever reads measurements: what that does not have is empty."""
        measurements = cls()
        measurements.phases, measurements.uploads = part.phases, part.uploads
        return measurements

    def record_attempt(self, attempt: Attempt, at_s: float) -> None:
        """Count one request that ended so many seconds after the start of the run."""
        self.intervals.record_attempt(attempt, at_s)
        self.count_attempt(attempt)
        if attempt.file_class:
            self._of_class(attempt.file_class).count_attempt(attempt)
        at = self._second(int(at_s))
        at.attempts += 1
        at.bytes_sent += attempt.bytes_sent
        if attempt.failure is not None and attempt.failure not in NO_FAILURE:
            at.failed += 1
            self.examples.record(tallies.label(attempt.failure, attempt.status), attempt, at_s)

    def record_outcome(self, outcome: Outcome, at_s: float) -> None:
        """Count one upload that ended so many seconds after the start of the run."""
        self.intervals.record_outcome(outcome, at_s)
        self.count_outcome(outcome)
        if outcome.file_class:
            self._of_class(outcome.file_class).count_outcome(outcome)
        if outcome.end is End.FINISHED:
            at = self._second(int(at_s))
            at.finished += 1
            at.finished_bytes += outcome.size_bytes

    def record_arrival(self, arrival: Arrival, at_s: float) -> None:
        """Count one that has begun so many seconds after the start of the run."""
        self._second(int(at_s)).late += arrival.late
        self.arrivals.begun += 1
        self.arrivals.late += arrival.late
        self.arrivals.lateness.record(arrival.late_s)

    def record_dropped(self, at_s: float) -> None:
        """Count an arrival that found no slot, so many seconds after the start of the run."""
        self._second(int(at_s)).dropped += 1
        self.arrivals.dropped += 1

    def record_in_flight(self, in_flight: int, second: int) -> None:
        """Count the uploads that were under way in this second, in one worker."""
        self._second(second).in_flight += in_flight

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
        self.add_slice(other)
        for name, each in other.classes.items():
            self._of_class(name).add_slice(each)
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
            **self.slice_document(brief),
            "classes": {name: each.slice_document(brief) for name, each in self.classes.items()},
            "arrivals": tallies.to_document(self.arrivals, brief),
            "files": tallies.to_document(self.files, brief),
            "generator": tallies.to_document(self.generator, brief),
            "examples": self.examples.to_document(),
            "seconds": to_columns(self.seconds, first=min(self.seconds, default=0) if brief else 0),
            "intervals": self.intervals.to_document(brief),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Measurements:
        """What `to_document` wrote."""
        measurements = cls()
        measurements.fill_slice(document)
        for name, each in document["classes"].items():
            measurements._of_class(name).fill_slice(each)
        for name in ("arrivals", "files", "generator"):
            tallies.fill(getattr(measurements, name), document[name])
        measurements.examples = Examples.from_document(document["examples"])
        measurements.seconds = of_columns(document["seconds"])
        measurements.intervals = Intervals.from_document(document["intervals"])
        return measurements

    def all_times(self) -> list[Histogram | SparseTimes]:
        """Every distribution of times that there is."""
        known: list[tallies.Tally] = [self.arrivals, self.generator]
        for each in (self, *self.classes.values()):
            known += [*each.phases.values(), each.uploads]
        histograms = [times for tally in known for times in tallies.histograms(tally)]
        return [*histograms, *self.intervals.all_times()]

    def _of_class(self, name: str) -> Slice:
        return self.classes.setdefault(name, Slice())

    def _second(self, second: int) -> SecondTally:
        return self.seconds.setdefault(second, SecondTally())
