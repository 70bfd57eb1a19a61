"""The run file, `run.json`: one verb writes it, the others only read it, so old runs can be reported anew."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any

from upswarm.errors import EXIT_AUDIT, EXIT_GENERATOR, EXIT_OK, EXIT_THRESHOLD, UsageError
from upswarm.files import write_whole
from upswarm.results.audit_record import AuditRecord
from upswarm.results.generator import Health
from upswarm.results.marks import Mark
from upswarm.results.measurements import Measurements
from upswarm.results.metrics import Summary
from upswarm.results.run_upgrade import upgraded
from upswarm.results.thresholds import Verdict
from upswarm.results.worker_series import WorkerSeries

SCHEMA_VERSION = 2
_KINDS: dict[str, type | tuple[type, ...]] = {
    "run_id": str, "scenario": dict, "target": str, "started_at": str, "elapsed_s": (int, float), "peak_users": int,
    "planned_s": (int, float, NoneType), "workload": str, "warm_up_s": (int, float), "server": dict, "aborted_by": str,
    "complete": bool,
}  # fmt: skip
"""Of what is taken as it is: a wrong one should be said when it is read, and not by whoever reckons with it."""
RUN_FILE = "run.json"


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    """One process that uploaded: where it ran, whether all it measured arrived, how it fared, and what it finished.

    It took part from `joined_s` after the start of the run on, until `left_s` if it left, or was lost, before the end.
    """

    worker_id: str
    host: str
    lost: bool = False
    health: Health = field(default=Health())
    finished: int = 0
    finished_bytes: int = 0
    joined_s: float | None = None
    left_s: float | None = None
    series: WorkerSeries = field(default=WorkerSeries())


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the run was steered from. A container's quota or CPU set may leave fewer CPUs than the machine has.

    `memory_limit_bytes` is a container's; None without one.
    """

    host: str
    system: str
    cpus: int
    python: str
    upswarm: str
    locust: str
    usable_cpus: float | None = None
    memory_limit_bytes: int | None = None

    @property
    def cpus_story(self) -> str:
        """How many CPUs, as `2`, or `0.5 of 64` in a container."""
        usable = self.cpus if self.usable_cpus is None else self.usable_cpus
        return f"{self.cpus}" if usable >= self.cpus else f"{usable:g} of {self.cpus}"


@dataclass(frozen=True, slots=True)
class Run:
    """Everything a later verb needs to know of a run. Times of day are ISO 8601 in UTC.

    `workload` is its load in words, and `planned_s` is None where the load has no planned duration.
    `generator_faults` are sentences about the measuring stick itself; where there is one, no verdict counts. `notes`
    tell what else happened to it: workers that joined or left, users that were changed by hand. `marks` are moments for
    the charts. `settled` is what was measured after the first `warm_up_s`, where the scenario has a warm-up; thresholds
    are judged by it. `server` holds what the server itself counted from the start of the run to its end, by the name of
    its metric, where it offers that. `aborted_by` is the threshold that ended the run early. A run that is not
    `complete` was written while it went on, and never again.
    """

    run_id: str
    scenario: dict[str, Any]
    target: str
    started_at: str
    elapsed_s: float
    planned_s: float | None
    peak_users: int
    measurements: Measurements
    verdicts: tuple[Verdict, ...]
    workers: tuple[WorkerRecord, ...]
    machine: Machine
    generator_faults: tuple[str, ...] = field(default=())
    workload: str = ""
    notes: tuple[str, ...] = field(default=())
    marks: tuple[Mark, ...] = field(default=())
    warm_up_s: float = 0.0
    settled: Measurements | None = None
    server: Mapping[str, float] = field(default_factory=dict)
    aborted_by: str = ""
    audit: AuditRecord | None = None
    complete: bool = True

    @property
    def summary(self) -> Summary:
        """What metrics of the whole run are read from."""
        return Summary(self.measurements, self.elapsed_s)

    @property
    def judged(self) -> Summary:
        """What thresholds are judged by: all but the warm-up."""
        return self.summary if self.settled is None else Summary(self.settled, self.elapsed_s - self.warm_up_s)

    @property
    def failed_verdicts(self) -> tuple[Verdict, ...]:
        """The thresholds that did not hold, or had no data."""
        return tuple(verdict for verdict in self.verdicts if not verdict.holds)

    @property
    def exit_code(self) -> int:
        """4 acknowledged files are missing or wrong, 5 the generator itself failed, 3 a threshold did not hold, else 0.

        In this order: bytes that are lost are lost, whatever else went wrong.
        """
        if self.audit is not None and not self.audit.holds:
            return EXIT_AUDIT
        if self.generator_faults:
            return EXIT_GENERATOR
        return EXIT_THRESHOLD if self.failed_verdicts else EXIT_OK

    def encode(self, pause: Callable[[], None]) -> None:
        """Do the long part of `save` beforehand, and `pause` again and again; what changes meanwhile is done later."""
        for measured in filter(None, (self.measurements, self.settled)):
            for times in measured.all_times():
                times.encode()
                pause()

    def save(self, folder: Path) -> Path:
        """Write `run.json` into the folder, whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / RUN_FILE
        write_whole(path, self._text())
        return path

    @classmethod
    def load(cls, path: Path) -> Run:
        """Read a run file, or the one in a run's folder; raises `UsageError` where that can't be done."""
        path = path / RUN_FILE if path.is_dir() else path
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            version = document["schema_version"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _no_run_file(path, error) from error
        if version not in range(1, SCHEMA_VERSION + 1):
            expected = f"this upswarm reads versions 1 to {SCHEMA_VERSION}"
            raise UsageError(f"{path} has schema version {version}, {expected}",
                             hint="use the upswarm that wrote it, or a newer one")  # fmt: skip
        try:
            return cls._of_document(upgraded(document))
        except (ValueError, KeyError, TypeError, AttributeError, zlib.error) as error:
            raise _no_run_file(path, error) from error

    def _text(self) -> str:
        """Each key on a line of its own, for those who look with grep and less; it stays small, and is JSON."""
        parts = {key: json.dumps(value, separators=(",", ":")) for key, value in self._document().items()}
        lines = [f'"{key}": {text}' for key, text in parts.items()]
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def _document(self) -> dict[str, Any]:
        return {
            "schema_version": SCHEMA_VERSION,
            "run_id": self.run_id,
            "exit_code": self.exit_code,
            "complete": self.complete,
            "target": self.target,
            "started_at": self.started_at,
            "elapsed_s": round(self.elapsed_s, 6),
            "planned_s": self.planned_s,
            "peak_users": self.peak_users,
            "workload": self.workload,
            "verdicts": [verdict.to_document() for verdict in self.verdicts],
            "generator_faults": list(self.generator_faults),
            "notes": list(self.notes),
            "marks": [mark.to_document() for mark in self.marks],
            "aborted_by": self.aborted_by,
            "audit": None if self.audit is None else self.audit.to_document(),
            "server": dict(self.server),
            "warm_up_s": self.warm_up_s,
            "workers": [asdict(worker) for worker in self.workers],
            "machine": asdict(self.machine),
            "scenario": self.scenario,
            "measurements": self.measurements.to_document(),
            "settled": None if self.settled is None else self.settled.to_document(),
        }

    @classmethod
    def _of_document(cls, document: dict[str, Any]) -> Run:
        audit, settled = document["audit"], document["settled"]
        for name, kinds in _KINDS.items():
            if not isinstance(document[name], kinds):
                raise TypeError(f"{name} is {str(document[name])[:20]!r}")
        return cls(
            run_id=document["run_id"],
            scenario=document["scenario"],
            target=document["target"],
            started_at=document["started_at"],
            elapsed_s=document["elapsed_s"],
            planned_s=document["planned_s"],
            peak_users=document["peak_users"],
            workload=document["workload"],
            measurements=Measurements.from_document(document["measurements"]),
            verdicts=tuple(Verdict(**verdict) for verdict in document["verdicts"]),
            workers=tuple(map(_worker, document["workers"])),
            machine=Machine(**document["machine"]),
            generator_faults=tuple(document["generator_faults"]),
            notes=tuple(document["notes"]),
            marks=tuple(map(Mark.of_document, document["marks"])),
            warm_up_s=document["warm_up_s"],
            settled=Measurements.from_document(settled) if settled is not None else None,
            server=document["server"],
            aborted_by=document["aborted_by"],
            audit=AuditRecord.of_document(audit) if audit is not None else None,
            complete=document["complete"],
        )


def _worker(document: dict[str, Any]) -> WorkerRecord:
    health, series = Health(**document["health"]), WorkerSeries.of_document(document["series"])
    return WorkerRecord(**{**document, "health": health, "series": series})


def _no_run_file(path: Path, error: Exception) -> UsageError:
    missing = isinstance(error, FileNotFoundError)
    what = f"{type(error).__name__}: {str(error)[:200]}"  # not its repr, in which may be all of the file
    found = f"nothing at {path}" if missing else f"{path} which can't be read as one: {what}"
    return UsageError(f"expected a run file, found {found}", hint="give a folder below reports/, or the run.json in it")
