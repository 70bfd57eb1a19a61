"""What does a run look like whose network is the limit? A worker behind a card of known rate, with more and more users.

Two hosts, which are network namespaces, a cable between them, and `tc tbf` on the worker's end. Beside each row stands
iperf3 on the same cable. Needs root, iproute2 and iperf3.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import installs, iperf, options, worker_runs
from benchmarks.client import UnsuccessfulError
from benchmarks.table import middle, spread, table
from benchmarks.worker_runs import Asked, Sample
from tests.network.hosts import Host, missing, network

HEADINGS = ("users", "Mbit/s", "of iperf3", "chunk p50 ms", "p99 ms", "CPU %", "lag p99 ms")
_SINK = Path(__file__).with_name("sink.py")


class Result(NamedTuple):
    """A sample of so many users, and what iperf3 came to in the same repeat."""

    users: int
    repeat: int
    sample: Sample
    iperf3_bytes_per_s: float


def main(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure, print the table, and return every sample."""
    if lacking := missing():
        raise installs.MissingToolError(lacking)
    with tempfile.TemporaryDirectory(dir=asked.dir, prefix="upswarm-benchmark-") as shared, network() as made:
        worker, server = made.host("worker"), made.host("server")
        limit(worker, asked.mbit)
        results = measure(asked, worker, server, Path(shared))
    print(report(results))
    return {"samples": [each._asdict() | {"sample": each.sample._asdict()} for each in results]}


def limit(host: Host, mbit: int) -> None:
    """From now on the host sends no faster."""
    shaped = ["tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", f"{mbit}mbit", "burst", "256kb"]
    done = subprocess.run([*host.launcher, *shaped, "latency", "50ms"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnsuccessfulError(f"the card can't be limited: {done.stderr.strip()}")


def measure(asked: argparse.Namespace, worker: Host, server: Host, shared: Path) -> list[Result]:
    """All numbers of users in turns, every other time from the most to the fewest."""
    results = []
    command = [*server.launcher, sys.executable, str(_SINK), "discard", server.address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as sink:
        assert sink.stdout is not None
        url = sink.stdout.readline().split()[-1]
        try:
            for repeat in range(asked.repeats):
                for users in asked.users[:: -1 if repeat % 2 else 1]:
                    found = iperf.over(iperf.Path(server.address, worker.launcher, server.launcher), 2, asked.seconds)
                    upswarm = [*worker.launcher, sys.executable, "-m", "upswarm.cli"]
                    sample = worker_runs.take(upswarm, Asked(url, asked.chunk, users, asked.seconds), shared)
                    results.append(Result(users, repeat, sample, found))
                    print(results[-1], file=sys.stderr)
        finally:
            sink.terminate()
    return results


def report(results: Sequence[Result]) -> str:
    """The table; ratios are those within a repeat."""
    rows = []
    for users in sorted({each.users for each in results}):
        own = [each for each in results if each.users == users]
        samples = [each.sample for each in own]
        rows.append(
            (
                str(users),
                middle([each.bytes_per_s * 8 / 1e6 for each in samples], 0),
                spread([each.sample.bytes_per_s / each.iperf3_bytes_per_s for each in own]),
                middle([1000 * each.chunk_p50_s for each in samples if each.chunk_p50_s is not None], 0),
                middle([1000 * each.chunk_p99_s for each in samples if each.chunk_p99_s is not None], 0),
                middle([100 * each.cpu_ratio for each in samples], 0),
                middle([1000 * each.lag_p99_s for each in samples], 0),
            )
        )
    return table(HEADINGS, rows)


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = options.parser(__doc__ or "", workers=False)
    made.add_argument("--mbit", type=int, default=200, help="the rate of the worker's card, in Mbit/s")
    made.add_argument("--chunk", type=options.size, default="1MiB", help="the size of a chunk")
    made.add_argument("--users", type=options.numbers, default="1,2,4,8,16", help="how many users")
    made.add_argument("--repeats", type=int, default=3, help="how often each number has its turn")
    made.add_argument("--seconds", type=float, default=8.0, help="how long users upload in each turn")
    return made


if __name__ == "__main__":
    sys.exit(options.run(main, parser()))
