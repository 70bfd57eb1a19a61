"""What the pages show of runs beside their measurements: who reported when, uploads in flight over time, past runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from upswarm.audit.ledger import LEDGER_FILE
from upswarm.reports.conclusion import Conclusion
from upswarm.reports.live.live import LiveWorker, PastRun
from upswarm.results.levels import Levels
from upswarm.results.measurements import Measurements
from upswarm.results.run_file import Run, WorkerRecord

_MOST_RUNS = 20
_SILENT_S = 10.0
"""Whoever has not reported for so long does not hold up the charts of the others."""


@dataclass(slots=True)
class _Reporter:
    reports: int = 0
    at_s: float = 0.0
    in_flight: int = 0
    goodput_per_s: float | None = None
    done: bool = False


@dataclass(slots=True)
class Watch:
    """Looks on, run after run; it decides nothing."""

    levels: Levels = field(default_factory=Levels)
    _reporters: dict[str, _Reporter] = field(default_factory=dict)
    _past: deque[tuple[PastRun, Path]] = field(default_factory=lambda: deque(maxlen=_MOST_RUNS))

    def begin(self) -> None:
        """A run starts."""
        self.levels, self._reporters = Levels(), {}

    def heard(self, worker_id: str, report: Mapping[str, Any], measured: Measurements, at_s: float) -> None:
        """A worker's report came so many seconds after the start."""
        reporter = self._reporters.setdefault(worker_id, _Reporter())
        since_s = at_s - reporter.at_s
        reporter.goodput_per_s = measured.uploads.finished_bytes / since_s if since_s > 0.5 else reporter.goodput_per_s
        reporter.reports, reporter.at_s = reporter.reports + 1, at_s
        reporter.in_flight, reporter.done = report["in_flight"], reporter.done or bool(report["last"])
        self.levels.record(at_s, self.in_flight(at_s))

    def ended(self, run: Run, folder: Path) -> None:
        """A run has left its files in a folder."""
        name = str(run.scenario.get("name") or "unnamed")
        ledger = (folder / LEDGER_FILE).exists()
        self._past.appendleft((PastRun(run.run_id, name, Conclusion.of(run).word, run.started_at, ledger), folder))

    def in_flight(self, at_s: float) -> int:
        """How many uploads are under way, as far as workers have reported lately."""
        return sum(each.in_flight for each in self._reporters.values() if each.at_s > at_s - _SILENT_S)

    @property
    def past(self) -> list[PastRun]:
        """The last runs, newest first."""
        return [run for run, _ in self._past]

    def folder(self, run_id: str) -> Path | None:
        """Where a past run left its files; None where there is no such run of this process."""
        return next((folder for run, folder in self._past if run.run_id == run_id), None)

    def known_s(self, elapsed_s: float) -> float:
        """What ended before this moment has been reported, by all who still report."""
        silent_from_s = elapsed_s - _SILENT_S
        heard = [each.at_s for each in self._reporters.values() if not each.done and each.at_s > silent_from_s]
        return min(heard, default=elapsed_s)

    def workers(
        self, records: Iterable[WorkerRecord], elapsed_s: float, *, missing: Iterable[str], over: bool
    ) -> Iterator[LiveWorker]:
        """Each worker as it stands; `missing` are those that Locust sees no more."""
        lost = set(missing)
        for record in records:
            reporter = self._reporters.get(record.worker_id, _Reporter())
            gone = over or record.worker_id in lost
            yield LiveWorker(
                worker_id=record.worker_id,
                host=record.host,
                state=_state(record, reporter, missing=record.worker_id in lost, over=over),
                in_flight=0 if gone else reporter.in_flight,
                goodput_per_s=None if gone else reporter.goodput_per_s,
                reports=reporter.reports,
                age_s=elapsed_s - reporter.at_s if reporter.reports and not over else None,
                health=record.health,
            )


def _state(record: WorkerRecord, reporter: _Reporter, *, missing: bool, over: bool) -> str:
    if not record.lost:
        return "complete" if over or record.left_s is None else "has left"
    if over:
        return "lost: not everything that it measured arrived"
    return "lost" if missing and not reporter.done else "uploading" if reporter.reports else "no report yet"
