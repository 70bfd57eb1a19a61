"""What does a container cost a worker? The same run on the machine, on its network from a container, and over a bridge.

Beside each stands iperf3 over the same path: in the network namespaces of the same containers. Needs root and Docker.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import trustme

from benchmarks import docker, iperf, options, servers, worker_runs
from benchmarks.table import spread, table
from benchmarks.worker_runs import Asked, Sample
from upswarm import digests
from upswarm.units import format_size

HEADINGS = ("path", "GB/s", "of iperf3", "CPU s/GiB", "of bare", "busy")
GIB = 1 << 30
_ASLEEP = "import signal; signal.pause()"
_LISTENS = re.compile(r"http://[\d.]+:(\d+)")


class Way(NamedTuple):
    """How a worker gets to its sink: what starts it, where the sink is, and the path for iperf3 where that has one."""

    upswarm: Sequence[str]
    url: str
    path: iperf.Path | None = None


class Result(NamedTuple):
    """A sample, where it stands, and what iperf3 came to on the same path in the same repeat, if that was asked."""

    chunk_bytes: int
    repeat: int
    name: str
    sample: Sample
    iperf3_bytes_per_s: float | None


def main(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure, print a table for each size of chunk, then what digests cost, and return every sample."""
    with tempfile.TemporaryDirectory(dir=asked.dir, prefix="upswarm-benchmark-", ignore_cleanup_errors=True) as folder:
        shared = Path(folder)
        shared.chmod(0o777)
        with ways(asked, shared) as known:
            results = [result for size in asked.chunks for result in measure(asked, known, size, shared)]
    for size in asked.chunks:
        print(f"{format_size(size)}\n\n{report([each for each in results if each.chunk_bytes == size])}\n")
    costs = {name: digest_s_per_gib(name) for name in digests.ALGORITHMS}
    print("digests, CPU s/GiB more: " + ", ".join(f"{name} {spread(found)}" for name, found in costs.items()))
    return {"samples": [each._asdict() | {"sample": each.sample._asdict()} for each in results], "digests": costs}


def measure(asked: argparse.Namespace, known: dict[str, Way], chunk_bytes: int, shared: Path) -> Iterator[Result]:
    """All ways in turns, every other time from the end to the beginning."""
    for repeat in range(asked.repeats):
        for name in list(known)[:: -1 if repeat % 2 else 1]:
            way = known[name]
            limit = iperf.over(way.path, asked.connections, asked.seconds) if way.path else None
            work = Asked(way.url, chunk_bytes, asked.connections, asked.seconds)
            result = Result(chunk_bytes, repeat, name, worker_runs.take(way.upswarm, work, shared), limit)
            print(f"{format_size(chunk_bytes)} {repeat + 1} {name}: {result.sample}, iperf3 {limit}", file=sys.stderr)
            yield result


def report(results: Sequence[Result]) -> str:
    """The table; ratios are those within a repeat."""
    bare = {each.repeat: each.sample.cpu_s_per_gib for each in results if each.name == "bare"}
    rows = []
    for name in dict.fromkeys(each.name for each in results):
        own = [each for each in results if each.name == name]
        limited = [each.sample.bytes_per_s / each.iperf3_bytes_per_s for each in own if each.iperf3_bytes_per_s]
        compared = [each.sample.cpu_s_per_gib / bare[each.repeat] for each in own if each.repeat in bare]
        speeds = [each.sample.bytes_per_s / 1e9 for each in own]
        costs = [each.sample.cpu_s_per_gib for each in own]
        shares = [each.sample.cpu_ratio for each in own]
        found = (spread(speeds), spread(limited), spread(costs, 3), spread(compared), spread(shares))
        rows.append((name, *found))
    return table(HEADINGS, rows)


@contextmanager
def ways(asked: argparse.Namespace, shared: Path) -> Iterator[dict[str, Way]]:
    """All that are asked for, by name."""
    bare = [sys.executable, "-m", "upswarm.cli"]
    with ExitStack() as stack:
        own = stack.enter_context(servers.sink(shared, "discard"))
        pem = shared / "sink.pem"
        trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
        secret = stack.enter_context(servers.sink(shared, "tls", "127.0.0.1", str(pem)))
        url = f"http://127.0.0.1:{own.port}"
        known = {
            "bare": Way(bare, url, iperf.Path("127.0.0.1")),
            "bare-tls": Way(bare, f"https://127.0.0.1:{secret.port}"),
        }
        if asked.image:
            started = partial(docker.container, asked.image, shared=shared)
            network = stack.enter_context(docker.network())
            host = stack.enter_context(started("host", "-c", _ASLEEP))
            inner = stack.enter_context(started(network, "-c", _ASLEEP))
            host_sink = stack.enter_context(started("host", "/sink.py", "discard", "127.0.0.1"))
            sink = stack.enter_context(started(network, "/sink.py", "discard", "0.0.0.0"))
            url = f"http://127.0.0.1:{host_sink.announced(_LISTENS)}"
            known["host network"] = Way(host.upswarm, url, iperf.Path("127.0.0.1"))
            url = f"http://{sink.address}:{sink.announced(_LISTENS)}"
            known["bridge"] = Way(inner.upswarm, url, iperf.Path(sink.address, inner.entering, sink.entering))
        yield known


def digest_s_per_gib(algorithm: str, repeats: int = 5) -> list[float]:
    """CPU seconds per GiB for digests of chunks of 5 MiB."""
    data, found = memoryview(os.urandom(5 << 20)), []
    for _ in range(repeats):
        began_s = time.process_time()
        for _ in range(20):
            digests.digest_of(algorithm, [data])
        found.append((time.process_time() - began_s) / (20 * len(data) / GIB))
    return found


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = options.parser(__doc__ or "", workers=False)
    made.add_argument("--image", default="upswarm-load", help='the image of the load side; "" leaves containers out')
    made.add_argument("--chunks", type=options.sizes, default="5MiB,64KiB", help="sizes of chunks")
    made.add_argument("--connections", type=int, default=2, help="users, and streams of iperf3")
    made.add_argument("--repeats", type=int, default=5, help="how often each path has its turn")
    made.add_argument("--seconds", type=float, default=3.0, help="how long users upload in each turn")
    return made


if __name__ == "__main__":
    sys.exit(options.run(main, parser()))
