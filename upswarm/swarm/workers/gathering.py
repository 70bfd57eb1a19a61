"""The master adds up what its workers send, and knows whether all of it came.

Every worker numbers its reports and sends a last one after it has drained. So at the end of a run it is known, not
hoped, that the sum is whole: no fixed pause, no guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from upswarm.results.evidence import Evidence, WorkerPart
from upswarm.results.generator import GeneratorTally, Health
from upswarm.results.intervals import Intervals
from upswarm.results.measurements import Measurements
from upswarm.results.metric import Summary
from upswarm.results.recent import Recents
from upswarm.results.run_file import WorkerRecord
from upswarm.results.slices import Slice
from upswarm.results.thresholds import Needs
from upswarm.results.worker_series import WorkerSeriesTally

_NOTHING = Needs()


@dataclass(slots=True)
class _Worker:
    host: str = ""
    generator: GeneratorTally = field(default_factory=GeneratorTally)
    peak_rss_bytes: int = 0
    confines: Mapping[str, Any] = field(default_factory=dict)
    finished: int = 0
    finished_bytes: int = 0
    joined_s: float = 0.0
    left_s: float | None = None
    series: WorkerSeriesTally = field(default_factory=WorkerSeriesTally)
    following: tuple[int, ...] = ()
    judged: Slice = field(default_factory=Slice)
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
        settled: Measurements | None = None,
        classes: Mapping[str, Intervals] = MappingProxyType({}),
        last: bool = False,
        peak_rss_bytes: int = 0,
        confines: Mapping[str, Any] = MappingProxyType({}),
        in_flight: int = 0,
        following: Iterable[int] = (),
    ) -> dict[str, Any]:
        """The next report, as msgpack can carry it. `following` is the share, for those who go on should we be lost.

        What is `settled` ended after the warm-up, and is not in `measurements` then.
        """
        self._reports += 1
        return {
            "run_id": self._run_id,
            "host": self._host,
            "number": self._reports,
            "last": last,
            "peak_rss_bytes": peak_rss_bytes,
            "confines": dict(confines),
            "in_flight": in_flight,
            "following": list(following),
            "measurements": measurements.to_document(brief=True),
            "settled": None if settled is None else settled.to_document(brief=True),
            "classes": {name: each.to_document(brief=True) for name, each in classes.items()},
        }


class Gathering:
    """The master's side; a local run gathers from itself.

    `total` is everything, and `settled` what ended after the warm-up, where there is one. Both, the sum of each worker
    and the last seconds, take the master as much time again as the total does: so only those are kept that are needed.
    """

    def __init__(self, run_id: str, worker_ids: list[str], needs: Needs = _NOTHING, *, warm_up_s: float = 0.0) -> None:
        self._run_id = run_id
        self._workers = {worker_id: _Worker() for worker_id in worker_ids}
        self._needs = needs
        self._recents = Recents(needs.window_s, workers=needs.workers) if needs.window_s else None
        self._warm_up_s = warm_up_s
        self.total = Measurements()
        self.settled = Measurements() if warm_up_s else None

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
        measurements = self._read(worker_id, worker, report)
        worker.generator.add(measurements.generator)
        worker.finished += measurements.uploads.finished
        worker.finished_bytes += measurements.uploads.finished_bytes
        worker.series.add(measurements.seconds)
        worker.peak_rss_bytes = max(worker.peak_rss_bytes, report["peak_rss_bytes"])
        worker.confines = report["confines"]
        self.total.add(measurements)
        return measurements

    def _read(self, worker_id: str, worker: _Worker, report: Mapping[str, Any]) -> Measurements:
        """All that a report holds; what thresholds ask for is kept by itself too."""
        measurements = judged = Measurements.from_document(report["measurements"])
        measurements.examples.seen_by(worker_id)
        if self.settled is not None:
            judged = Measurements.from_document(report["settled"])
            judged.examples.seen_by(worker_id)
            self.settled.add(judged)
            measurements.add(judged)
        if self._needs.workers:
            worker.judged.add_slice(judged)
        if self._recents is not None:
            classes = {name: Intervals.from_document(each) for name, each in report["classes"].items()}
            self._recents.add(worker_id, judged.intervals, classes)
        return measurements

    def expect(self, worker_id: str, at_s: float) -> None:
        """One more takes part, from so many seconds after the start of the run on."""
        self._workers.setdefault(worker_id, _Worker(joined_s=round(at_s, 3)))

    def went(self, worker_id: str, at_s: float) -> None:
        """One left, or was lost, so many seconds after the start of the run."""
        self._workers[worker_id].left_s = round(at_s, 3)

    def evidence(self, end_s: float, *, classes: Iterable[str] = (), baseline: Summary | None = None) -> Evidence:
        """What thresholds are judged by, so many seconds after the start of the run; not to be changed."""
        judged = self.total if self.settled is None else self.settled
        workers = self._workers.items() if self._needs.workers else ()
        return Evidence(
            Summary(judged, end_s - self._warm_up_s),
            classes=tuple(classes),
            workers=tuple(WorkerPart(worker_id, each.host, each.judged) for worker_id, each in workers),
            recents=self._recents,
            end_s=end_s,
            warm_up_s=self._warm_up_s,
            baseline=baseline,
        )

    def following(self, worker_id: str) -> tuple[int, ...]:
        """A worker's share as it last reported it."""
        return self._workers[worker_id].following

    def left_over(self) -> list[int]:
        """The slots of those who stayed until the end and said where they ended, each as its next number."""
        stayed = (worker for worker in self._workers.values() if worker.whole and worker.left_s is None)
        return [number for worker in stayed for number in worker.following]

    def waiting_for(self) -> set[str]:
        """The workers whose reports are not all there."""
        return {worker_id for worker_id, worker in self._workers.items() if not worker.whole}

    def records(self) -> Iterator[WorkerRecord]:
        """One for each worker; lost is one of which anything is missing."""
        for worker_id, worker in self._workers.items():
            health = Health.of(worker.generator, worker.peak_rss_bytes, worker.confines)
            yield WorkerRecord(
                worker_id, worker.host, lost=not worker.whole, health=health,
                finished=worker.finished, finished_bytes=worker.finished_bytes,
                joined_s=worker.joined_s, left_s=worker.left_s, series=worker.series.series(),
            )  # fmt: skip
