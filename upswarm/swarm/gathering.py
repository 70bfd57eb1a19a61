"""The master adds up what its workers send, and knows whether all of it came.

Every worker numbers its reports and sends a last one after it has drained. So at the end of a run it is known, not
hoped, that the sum is whole: no fixed pause, no guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from upswarm.results.generator import GeneratorTally, Health
from upswarm.results.measurements import Measurements
from upswarm.results.run_file import WorkerRecord

REPORT = "upswarm"
"""The key of our report in Locust's."""
DRAIN, LAST_REPORT = "upswarm_drain", "upswarm_last_report"
"""Messages: from the master to workers, with `grace_s` and whether the run is `complete`; and back, the last report."""


@dataclass(slots=True)
class _Worker:
    host: str = ""
    generator: GeneratorTally = field(default_factory=GeneratorTally)
    peak_rss_bytes: int = 0
    reports: int = 0
    expected: int | None = None

    @property
    def whole(self) -> bool:
        return self.reports == self.expected


class Reporting:
    """A worker's side: numbers the reports."""

    def __init__(self, run_id: str, host: str) -> None:
        self._run_id = run_id
        self._host = host
        self._reports = 0

    def report(self, measurements: Measurements, *, last: bool = False, peak_rss_bytes: int = 0) -> dict[str, Any]:
        """The next report, as msgpack can carry it."""
        self._reports += 1
        return {
            "run_id": self._run_id,
            "host": self._host,
            "number": self._reports,
            "last": last,
            "peak_rss_bytes": peak_rss_bytes,
            "measurements": measurements.to_document(brief=True),
        }


class Gathering:
    """The master's side; a local run gathers from itself."""

    def __init__(self, run_id: str, worker_ids: list[str]) -> None:
        self._run_id = run_id
        self._workers = {worker_id: _Worker() for worker_id in worker_ids}
        self.total = Measurements()

    def take(self, worker_id: str, report: Mapping[str, Any]) -> Measurements | None:
        """Add a report; None when it belongs to another run."""
        if report["run_id"] != self._run_id:
            return None
        worker = self._workers.setdefault(worker_id, _Worker())
        worker.host = report["host"]
        worker.reports += 1
        if report["last"]:
            worker.expected = report["number"]
        measurements = Measurements.from_document(report["measurements"])
        measurements.examples.seen_by(worker_id)
        worker.generator.add(measurements.generator)
        worker.peak_rss_bytes = max(worker.peak_rss_bytes, report["peak_rss_bytes"])
        self.total.add(measurements)
        return measurements

    def waiting_for(self) -> set[str]:
        """The workers whose reports are not all there."""
        return {worker_id for worker_id, worker in self._workers.items() if not worker.whole}

    def left(self) -> set[str]:
        """The workers that have already sent their last report."""
        return {worker_id for worker_id, worker in self._workers.items() if worker.expected is not None}

    def records(self) -> Iterator[WorkerRecord]:
        """One for each worker; lost is one of which anything is missing."""
        for worker_id, worker in self._workers.items():
            health = Health.of(worker.generator, worker.peak_rss_bytes)
            yield WorkerRecord(worker_id, worker.host, lost=not worker.whole, health=health)
