"""The master adds up what its workers send, and knows whether all of it came.

Every worker numbers its reports and sends a last one after it has drained. So at the end of a run it is known, not
hoped, that the sum is whole: no fixed pause, no guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from upswarm.results.generator import GeneratorTally, Health
from upswarm.results.measurements import Measurements
from upswarm.results.run_file import WorkerRecord


@dataclass(slots=True)
class _Worker:
    host: str = ""
    generator: GeneratorTally = field(default_factory=GeneratorTally)
    peak_rss_bytes: int = 0
    finished: int = 0
    finished_bytes: int = 0
    following: tuple[int, ...] = ()
    numbers: set[int] = field(default_factory=set)
    expected: int | None = None

    @property
    def whole(self) -> bool:
        return len(self.numbers) == self.expected


class Reporting:
    """A worker's side: numbers the reports."""

    def __init__(self, run_id: str, host: str) -> None:
        self._run_id = run_id
        self._host = host
        self._reports = 0

    def report(
        self,
        measurements: Measurements,
        *,
        last: bool = False,
        peak_rss_bytes: int = 0,
        in_flight: int = 0,
        following: Iterable[int] = (),
    ) -> dict[str, Any]:
        """The next report, as msgpack can carry it. `following` is the share, for those who go on should we be lost."""
        self._reports += 1
        return {
            "run_id": self._run_id,
            "host": self._host,
            "number": self._reports,
            "last": last,
            "peak_rss_bytes": peak_rss_bytes,
            "in_flight": in_flight,
            "following": list(following),
            "measurements": measurements.to_document(brief=True),
        }


class Gathering:
    """The master's side; a local run gathers from itself."""

    def __init__(self, run_id: str, worker_ids: list[str]) -> None:
        self._run_id = run_id
        self._workers = {worker_id: _Worker() for worker_id in worker_ids}
        self.total = Measurements()

    def take(self, worker_id: str, report: Mapping[str, Any]) -> Measurements | None:
        """Add a report; None when it belongs to another run, or is here already."""
        if report["run_id"] != self._run_id:
            return None
        worker = self._workers.setdefault(worker_id, _Worker())
        if report["number"] in worker.numbers:
            return None
        worker.host = report["host"]
        worker.numbers.add(report["number"])
        worker.following = tuple(report["following"])
        if report["last"]:
            worker.expected = report["number"]
        measurements = Measurements.from_document(report["measurements"])
        measurements.examples.seen_by(worker_id)
        worker.generator.add(measurements.generator)
        worker.finished += measurements.uploads.finished
        worker.finished_bytes += measurements.uploads.finished_bytes
        worker.peak_rss_bytes = max(worker.peak_rss_bytes, report["peak_rss_bytes"])
        self.total.add(measurements)
        return measurements

    def expect(self, worker_id: str) -> None:
        """One more takes part."""
        self._workers.setdefault(worker_id, _Worker())

    def following(self, worker_id: str) -> tuple[int, ...]:
        """A worker's share as it last reported it."""
        return self._workers[worker_id].following

    def waiting_for(self) -> set[str]:
        """The workers whose reports are not all there."""
        return {worker_id for worker_id, worker in self._workers.items() if not worker.whole}

    def records(self) -> Iterator[WorkerRecord]:
        """One for each worker; lost is one of which anything is missing."""
        for worker_id, worker in self._workers.items():
            health = Health.of(worker.generator, worker.peak_rss_bytes)
            yield WorkerRecord(
                worker_id, worker.host, lost=not worker.whole, health=health,
                finished=worker.finished, finished_bytes=worker.finished_bytes,
            )  # fmt: skip
