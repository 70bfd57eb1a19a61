"""Synthetic runs, the same each time, not to be changed: what a report is tested with, and looked at with.

`python -m tests.reports.runs FOLDER` writes the report of each of them below the folder.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from upswarm.reports.html import write_report
from upswarm.reports.summary import terminal_summary
from upswarm.results.generator import Health
from upswarm.results.measurements import Measurements
from upswarm.results.metrics import Summary
from upswarm.results.run_file import Machine, Run, WorkerRecord
from upswarm.results.thresholds import Threshold
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase, Request, Response, Timings
from upswarm.transfer.records import Attempt, End, Outcome

Build = Callable[[], Run]

MIB = 1 << 20
CHUNK_BYTES = 8 * MIB
THRESHOLDS = (
    "upload.failed count == 0",
    "upload.finished count >= 10",
    "chunk.response_time p99 < 400ms",
    "goodput mean > 50MiB/s",
    "probe.response_time p95 < 1s",
)
SCENARIO: dict[str, Any] = {
    "name": "evening-rush",
    "about": "Four people upload mostly small files at once. Every upload has to arrive, and no chunk may take long.",
    "seed": 7,
    "target": {"url": "embedded", "protocol": "chunked", "auth": {"bearer": "**********"}},
    "files": [
        {"size": {"lognormal": {"median": 4194304, "p95": 25165824}}, "weight": 8.0, "content": "sparse"},
        {"size": {"fixed": 67108864}, "weight": 1.0, "content": "random"},
    ],
    "transfer": {
        "chunk_size": "server",
        "digest": "crc32c",
        "timeout": {"connect": "5s", "idle": "30s"},
        "retry": {"attempts": 5, "base": "0.2s", "cap": "10s", "jitter": "full", "statuses": [429, 500, 502, 503, 504]},
    },
    "workload": {"users": {"stages": [{"to": 4, "over": "2s"}, {"hold": "18s"}], "think_time": "0.25s"}},
}
MACHINE = Machine("bench-1", "Linux-6.1.0-x86_64-with-glibc2.36", 2, "3.11.7", "0.1.0", "2.47.0")


class Users:
    """People who upload one file after the other, against a server of a temper of its own."""

    def __init__(self, seed: int, *, down: tuple[float, float] = (0.0, 0.0), file_class: str = "") -> None:
        self.measured = Measurements()
        self._random = random.Random(seed)
        self._down = down
        self._class = file_class

    def run(self, users: int, until_s: float) -> Measurements:
        """Everything that `users` people measure in so many seconds."""
        for user in range(users):
            now_s, number = user * 0.5, 0
            while now_s < until_s:
                now_s = self._upload(f"{user}-{number}.bin", now_s, until_s) + 0.05
                number += 1
        return self.measured

    def _upload(self, name: str, due_s: float, until_s: float) -> float:
        size_bytes = min(64 * MIB, max(MIB, round(self._random.lognormvariate(1.4, 1.0) * 4 * MIB)))
        now_s = self._request(Phase.INIT, due_s, 200, 0.004)
        for offset in range(0, size_bytes, CHUNK_BYTES):
            length = min(CHUNK_BYTES, size_bytes - offset)
            for number in range(1, 5):
                sent_s = now_s
                now_s = self._request(Phase.CHUNK, now_s, length, 0.012 + length / (160 * MIB), number)
                if not self._is_down(sent_s):
                    break
                now_s += 0.2 * 2**number * self._random.random()
            else:
                self._end(Outcome(End.FAILED, name, size_bytes, due_s, now_s, failure=Failure.REFUSED))
                return now_s
            if now_s >= until_s:
                self._end(Outcome(End.STOPPED, name, size_bytes, due_s, now_s, failure=Failure.STOPPED))
                return now_s
        now_s = self._request(Phase.FINALIZE, now_s, 0, 0.018)
        self._end(Outcome(End.FINISHED, name, size_bytes, due_s, now_s))
        return now_s

    def _request(self, phase: Phase, due_s: float, length: int, typical_s: float, number: int = 1) -> float:
        down = self._is_down(due_s) and phase is Phase.CHUNK
        took_s = 0.002 if down else typical_s * self._random.lognormvariate(0, 0.45)
        sent_s = due_s + 0.0002
        failure = self._random.choice((Failure.RESET, Failure.REFUSED, Failure.REFUSED)) if down else None
        ended_s = sent_s + took_s
        timings = None if down else Timings(0.0, took_s * 0.4, took_s * 0.95, reused=True)
        asked = Request(phase, "PUT", f"/v1/uploads/{length}/chunks/3?sig=hunter2-hunter2")
        attempt = Attempt(
            phase, number, due_s, sent_s, ended_s, 0 if down else length, None, failure, "Connection refused" * down,
            timings, file_name="20250314-092653-evening-rush-000007", asked=asked, file_class=self._class,
        )  # fmt: skip
        self.measured.record_attempt(attempt, int(ended_s))
        return ended_s

    def _end(self, outcome: Outcome) -> None:
        self.measured.record_outcome(replace(outcome, file_class=self._class), int(outcome.ended_s))

    def _is_down(self, at_s: float) -> bool:
        return self._down[0] <= at_s < self._down[1]


def run_of(measurements: Measurements, *, elapsed_s: float = 20.3, **changes: Any) -> Run:
    """A run with these measurements, judged by `THRESHOLDS`; `changes` are fields of `Run`."""
    summary = Summary(measurements, elapsed_s)
    run = Run(
        run_id="20250314-092653-evening-rush",
        scenario={**SCENARIO, "thresholds": list(THRESHOLDS)},
        target="http://127.0.0.1:8000",
        started_at="2025-03-14T09:26:53+00:00",
        elapsed_s=elapsed_s,
        planned_s=20.0,
        peak_users=4,
        measurements=measurements,
        verdicts=tuple(Threshold.parse(text).judge(summary) for text in THRESHOLDS[:4]),
        workers=(WorkerRecord("local", "bench-1"),),
        machine=MACHINE,
    )
    return replace(run, **changes)


@cache
def good() -> Run:
    """Twenty seconds without a failure."""
    return run_of(Users(1).run(4, 20.0))


@cache
def crashed() -> Run:
    """The server is away from the eighth to the thirteenth second."""
    measured = Users(2, down=(8.0, 13.0)).run(4, 20.0)
    measured.record_attempt(Attempt(Phase.CHUNK, 1, 19.0, 19.0, 20.2, MIB, None, Failure.STOPPED), 20)
    sorry = Response(503, {}, b'{"code": "not_ready", "detail": "the catalog is away"}')
    away = Attempt(Phase.FINALIZE, 1, 13.0, 13.0, 13.4, 0, 503, Failure.SERVER_ERROR, "503 not_ready", answer=sorry)
    measured.record_attempt(away, 13)
    summary = Summary(measured, 20.3)
    return run_of(measured, verdicts=tuple(Threshold.parse(text).judge(summary) for text in THRESHOLDS))


@cache
def silent() -> Run:
    """Not one request, and the generator knows why."""
    faults = ("the run was cut off after 0.4 s of 20 s", "no request was sent")
    return run_of(Measurements(), elapsed_s=0.4, generator_faults=faults)


@cache
def worker_lost() -> Run:
    """Three workers, of which one never sent its last report."""
    workers = tuple(WorkerRecord(f"bench-{n}_7f3a{n}", f"bench-{n}", lost=n == 3) for n in (1, 2, 3))
    faults = ("worker bench-3_7f3a3 was lost before it had reported everything",)
    return run_of(Users(3).run(12, 20.0), workers=workers, peak_users=12, generator_faults=faults)


@cache
def strained() -> Run:
    """One worker had no CPU time left, one woke up late, and one was well."""
    fared = (
        Health(0.041, 0.2, 0.97, 1.0, 0.95, 20, 90 * MIB),
        Health(0.033, 0.1, 0.4, 0.7, 0.0, 20, 80 * MIB),
        Health(0.002, 0.01, 0.3, 0.5, 0.0, 20, 80 * MIB),
    )
    workers = tuple(WorkerRecord(f"bench-{n}", f"host-{n}", health=each) for n, each in enumerate(fared, 1))
    measured = Users(5).run(4, 20.0)
    measured.record_file(3 << 30, 8192)
    return run_of(measured, workers=workers)


RUNS: dict[str, Build] = {
    "good": good,
    "crashed": crashed,
    "silent": silent,
    "worker-lost": worker_lost,
    "strained": strained,
}


if __name__ == "__main__":
    from tests.reports.special_runs import SPECIAL_RUNS

    for name, build in {**RUNS, **SPECIAL_RUNS}.items():
        print(terminal_summary(build(), colour=True), end="\n\n")
        print(write_report(build(), Path(sys.argv[1]) / name), end="\n\n\n")
