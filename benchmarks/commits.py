"""How many commits does a finalize cost when many come at once, and how long does it wait?

Every client prepares a batch of small files; then all clients at once finalize theirs, one after the other. Commits are
those that `/metrics` has counted in that time, for all workers.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from benchmarks import machine, options, servers, spreading
from benchmarks.client import Connection, UnsuccessfulError
from benchmarks.crowd import Round, Span, Steps, clock, crowd
from benchmarks.dialects import Upswarm, Work
from benchmarks.servers import Target
from benchmarks.table import percentile, table

PHASES = ("prepare", "finalize", "remove")
COMMITS, RECORDS = "upswarm_commits_total", "upswarm_committed_records_total"
WAITING = "upswarm_waiting_records"
_PATIENCE_S = 5.0


class Found(NamedTuple):
    """One row; times in seconds."""

    file_system: str
    commit: str
    clients: int
    finalizes: int
    finalizes_per_s: float
    p50_s: float
    p99_s: float
    commits: float
    records: float
    server_cpu_s: float


def main(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure, print the table, and return its rows."""
    rows = []
    for directory, commit in itertools.product(asked.dirs, asked.commit):
        with servers.upswarm(directory, asked.workers, catalog_commit=commit, min_chunk_size=1) as target:
            for clients in asked.clients:
                rows.append(measure(asked, target, (machine.file_system(directory), commit, clients)))
                print(f"{rows[-1].finalizes_per_s:.0f} finalizes/s: {rows[-1]}", file=sys.stderr)
    print(report(rows))
    return {"commits": [row._asdict() for row in rows]}


def measure(asked: argparse.Namespace, target: Target, what: tuple[str, str, int]) -> Found:
    """Rounds of batches, until finalizes have taken the time."""
    clients = what[2]
    counts = _Counts(target, asked.seconds)
    work = Work(memoryview(os.urandom(asked.size)), 1)
    with spreading.connections(target, clients, asked.workers) as opened:
        members = [partial(_steps, connection, work, asked.files) for connection in opened]
        with crowd(members, PHASES) as running:
            rounds = running.rounds(counts.more, counts.boundary)
    durations_s = [duration_s for spans in rounds for span in spans for duration_s in _durations_s(span["finalize"])]
    return Found(
        *what,
        finalizes=len(durations_s),
        finalizes_per_s=len(durations_s) / sum(_elapsed_s(spans) for spans in rounds),
        p50_s=percentile(durations_s, 50),
        p99_s=percentile(durations_s, 99),
        commits=counts.found[COMMITS],
        records=counts.found[RECORDS],
        server_cpu_s=counts.cpu_s,
    )


class _Counts:
    """What the server has counted, and what it has used, while clients finalized."""

    def __init__(self, target: Target, seconds: float) -> None:
        self.found = {COMMITS: 0.0, RECORDS: 0.0}
        self.cpu_s = 0.0
        self._target = target
        self._left_s = seconds
        self._before: tuple[dict[str, float], float, float] | None = None

    def boundary(self, phase: str) -> None:
        if phase != "finalize":
            return
        now_s, cpu_s = time.monotonic(), self._target.cpu_s()
        counted = counters(self._target)
        if self._before is None:
            self._before = counted, self._target.cpu_s(), time.monotonic()  # what the scrape itself cost is not in it
            return
        before, cpu_before_s, began_s = self._before
        for name in self.found:
            self.found[name] += counted[name] - before[name]
        self.cpu_s += cpu_s - cpu_before_s
        self._left_s -= now_s - began_s
        self._before = None

    def more(self) -> bool:
        return self._left_s > 0


def counters(target: Target) -> dict[str, float]:
    """The counters without labels of `/metrics`, once nothing waits to be written."""
    deadline = time.monotonic() + _PATIENCE_S
    found = _scraped(target)
    while found.get(WAITING) and time.monotonic() < deadline:
        found = _scraped(target)
    if COMMITS not in found:
        raise UnsuccessfulError(f"expected {COMMITS} in /metrics, found {', '.join(sorted(found))}")
    return found


def _scraped(target: Target) -> dict[str, float]:
    connection = Connection(target.port)
    try:
        lines = connection.ask("GET", "/metrics").body.decode().splitlines()
    finally:
        connection.close()
    plain = (line.rsplit(" ", 1) for line in lines if not line.startswith("#") and "{" not in line)
    return {name: float(value) for name, value in plain}


def _steps(connection: Connection, work: Work, files: int) -> Steps:
    uploads: list[Upswarm] = []

    def prepare() -> Sequence[float]:
        uploads[:] = [Upswarm(connection, work) for _ in range(files)]
        for upload in uploads:
            upload.begin()
            upload.send(upload.head(0))
        return ()

    def finalize() -> Sequence[float]:
        done_s = []
        for upload in uploads:
            upload.finish()
            done_s.append(clock())
        return done_s

    def remove() -> Sequence[float]:
        for upload in uploads:
            upload.remove()
        return ()

    return {"prepare": prepare, "finalize": finalize, "remove": remove}


def _durations_s(span: Span) -> list[float]:
    # Each begins when the one before it was answered.
    return [done_s - began_s for began_s, done_s in itertools.pairwise([span.began_s, *span.done_s])]


def _elapsed_s(spans: Round) -> float:
    return max(span["finalize"].ended_s for span in spans) - min(span["finalize"].began_s for span in spans)


def report(rows: Sequence[Found]) -> str:
    """The table."""
    headings = ("file system", "commit", "clients", "finalizes/s", "p50 ms", "p99 ms", "commits each", "records/commit")
    cells = [
        [
            row.file_system,
            row.commit,
            str(row.clients),
            f"{row.finalizes_per_s:.0f}",
            f"{row.p50_s * 1e3:.2f}",
            f"{row.p99_s * 1e3:.2f}",
            f"{row.commits / row.finalizes:.3f}",
            f"{row.records / row.commits:.1f}" if row.commits else "–",
            f"{row.server_cpu_s * 1e3 / row.finalizes:.2f}",
        ]
        for row in rows
    ]
    return table((*headings, "server CPU ms each"), cells)


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = options.parser(__doc__ or "", dirs=True)
    made.add_argument("--clients", type=options.numbers, default=[1, 8, 64], help="clients at a time: 1,8,64")
    made.add_argument("--commit", type=options.words, default=["sync", "behind"], help="UPSWARM_CATALOG_COMMIT")
    made.add_argument("--files", type=int, default=20, help="files of a client's batch")
    made.add_argument("--size", type=options.size, default=4096, help="size of a file, one chunk")
    made.add_argument("--seconds", type=float, default=3.0, help="how long finalizes are sent for each row, at least")
    return made


if __name__ == "__main__":
    sys.exit(options.run(main, parser()))
