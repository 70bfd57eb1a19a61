"""Does `transfer.bandwidth` hold? Real runs against a sink that notes what comes in, and when.

Each row is an `upswarm run` whose users are never idle. The sink is a process of its own and copies what it receives.
"""

from __future__ import annotations

import argparse
import multiprocessing
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

from benchmarks import options, sink
from benchmarks.client import UnsuccessfulError
from benchmarks.table import table
from upswarm.errors import EXIT_THRESHOLD
from upswarm.units import parse_bandwidth

HEADINGS = ("bandwidth", "chunks", "users × parallel", "limit MiB/s", "found", "off %", "each second off %")
MiB = 1 << 20
_BEGIN_S, _END_S = 1.5, 0.5
"""Left out: users come in the beginning of a run, within a second or so, and go at its end."""
_SCENARIO = """\
name: bandwidth
target: {{url: "{url}", protocol: {{http: {{send: {{method: PUT, path: /x, body: "@chunk", expect: [204]}}}}}}}}
files: [{{size: 10GiB, content: random}}]
transfer: {{bandwidth: {bandwidth}, chunk_size: {chunk_size}, parallel_chunks: {parallel}}}
workload: {{allow_saturated_generator: true, users: {{stages: [{{to: {users}, over: 10ms}}, {{hold: {seconds}s}}]}}}}
"""


class Row(NamedTuple):
    """What a run is told; `limit` is what all of its users may send together."""

    bandwidth: str
    chunk_size: str
    users: int
    parallel: int
    limit: str


ROWS = (
    Row("20MiB/s", "5MiB", 1, 1, "20MiB/s"),
    Row("1MiB/s", "5MiB", 1, 1, "1MiB/s"),
    Row("20MiB/s", "64KiB", 1, 1, "20MiB/s"),
    Row("20MiB/s", "5MiB", 1, 4, "20MiB/s"),
    Row("5MiB/s", "1MiB", 20, 1, "100MiB/s"),
    Row("{worker: 100MiB/s}", "5MiB", 1, 1, "100MiB/s"),
    Row("{worker: 100MiB/s}", "1MiB", 50, 1, "100MiB/s"),
    Row("{upload: 20MiB/s, worker: 100MiB/s}", "1MiB", 10, 2, "100MiB/s"),
)


def main(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure all rows, print them, and return what came each second."""
    found = {row: measure(row, asked.seconds) for row in ROWS}
    print(report(found))
    return {"bandwidth": [row._asdict() | {"bytes_per_s": seconds} for row, seconds in found.items()]}


def measure(row: Row, seconds: float) -> list[float]:
    """Bytes that came in each second of the run, but for its edges."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    mine, its = multiprocessing.Pipe()
    noting = multiprocessing.get_context("fork").Process(target=_note_what_comes, args=(listener, its), daemon=True)
    noting.start()
    try:
        _run(row, f"http://127.0.0.1:{listener.getsockname()[1]}", seconds)
        mine.send(None)
        return per_second(mine.recv())
    finally:
        noting.terminate()
        noting.join()
        listener.close()


def per_second(came: Sequence[tuple[float, int]]) -> list[float]:
    """What came in each whole second between the edges."""
    begin_s, end_s = came[0][0] + _BEGIN_S, came[-1][0] - _END_S
    sums = [0.0] * int(end_s - begin_s)
    for at_s, count in came:
        if 0 <= at_s - begin_s < len(sums):
            sums[int(at_s - begin_s)] += count
    return sums


def _note_what_comes(listener: socket.socket, asked: Connection) -> None:
    """The sink; answers once with when how many bytes came."""
    came: list[tuple[float, int]] = []

    def serve() -> None:
        while True:
            connection, _ = listener.accept()
            Thread(target=sink.serve, args=(connection, 0, note), daemon=True).start()

    def note(count: int) -> None:
        came.append((time.monotonic(), count))

    Thread(target=serve, daemon=True).start()
    asked.recv()
    asked.send(sorted(came))


def _run(row: Row, url: str, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        scenario = Path(scratch, "bandwidth.yaml")
        scenario.write_text(_SCENARIO.format(url=url, seconds=seconds + _BEGIN_S + _END_S, **row._asdict()))
        command = [sys.executable, "-m", "upswarm.cli", "run", str(scenario), "--reports", scratch]
        command += ["--", "--stop-timeout", "1"]
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
    if done.returncode not in {0, EXIT_THRESHOLD}:
        raise UnsuccessfulError(f"the run ended with {done.returncode}: {done.stderr[-2000:]}{done.stdout[-500:]}")


def report(found: dict[Row, list[float]]) -> str:
    """The table."""
    return table(HEADINGS, [_cells(row, seconds) for row, seconds in found.items()])


def _cells(row: Row, seconds: Sequence[float]) -> list[str]:
    limit = parse_bandwidth(row.limit)
    off = [(each / limit - 1) * 100 for each in seconds]
    mean = sum(seconds) / len(seconds)
    shown = (f"{limit / MiB:.0f}", f"{mean / MiB:.2f}", f"{(mean / limit - 1) * 100:+.1f}")
    return [
        row.bandwidth,
        row.chunk_size,
        f"{row.users} × {row.parallel}",
        *shown,
        f"{min(off):+.1f} to {max(off):+.1f}",
    ]


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = options.parser(__doc__ or "", workers=False)
    made.add_argument("--seconds", type=float, default=5.0, help="how many seconds of each run count")
    return made


if __name__ == "__main__":
    sys.exit(options.run(main, parser()))
