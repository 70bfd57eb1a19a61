"""What does finalize cost, and does it grow with the file?

Every chunk is really sent; then one finalize is timed, from its request to its answer. On a memory file system that is
the server's own work. On a disk finalize also waits until the kernel has written what is still in its cache; `synced`
rows were brought to disk beforehand by the benchmark, so that what is left is the server's own work there.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import machine, options, servers
from benchmarks.client import Connection
from benchmarks.crowd import clock
from benchmarks.dialects import Upswarm, Work
from benchmarks.servers import Target
from benchmarks.table import spread, table
from upswarm.units import format_size

LARGE_BYTES = 1 << 30
MOST_LARGE_REPEATS = 3
_CHUNK_BYTES = 16 << 20


class Case(NamedTuple):
    """One row: where, how large, and whether the bytes were on disk before."""

    file_system: str
    size_bytes: int
    synced: bool


def main(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure, print the table, and return every duration."""
    found: dict[Case, list[float]] = {}
    for directory in asked.dirs:
        with servers.upswarm(directory, asked.workers) as target:
            for case in cases(asked, directory):
                found[case] = [finalize_s(target, case) for _ in range(repeats(asked, case))]
                print(f"{case}: {statistics.median(found[case]) * 1e3:.2f} ms", file=sys.stderr)
    print(report(found))
    return {"finalize": [case._asdict() | {"durations_s": durations_s} for case, durations_s in found.items()]}


def cases(asked: argparse.Namespace, directory: Path) -> Iterator[Case]:
    """What fits into half of the free space; says what does not."""
    file_system = machine.file_system(directory)
    for size_bytes in asked.sizes:
        free_bytes = shutil.disk_usage(directory).free
        if size_bytes > free_bytes // 2:
            print(
                f"without {format_size(size_bytes)} on {file_system}: {format_size(free_bytes)} free", file=sys.stderr
            )
            continue
        yield Case(file_system, size_bytes, synced=False)
        if file_system != "tmpfs":
            yield Case(file_system, size_bytes, synced=True)


def repeats(asked: argparse.Namespace, case: Case) -> int:
    """Fewer for very large files, which take their time to be sent."""
    return min(asked.repeats, MOST_LARGE_REPEATS) if case.size_bytes > LARGE_BYTES else int(asked.repeats)


def finalize_s(target: Target, case: Case) -> float:
    """Send a file, and time its finalize."""
    chunk_bytes = min(case.size_bytes, _CHUNK_BYTES)
    work = Work(memoryview(os.urandom(chunk_bytes)), math.ceil(case.size_bytes / chunk_bytes))
    connection = Connection(target.port)
    try:
        upload = Upswarm(connection, work)
        upload.begin()
        for index in range(work.chunk_count):
            upload.send(upload.head(index))
        if case.synced:
            bring_to_disk(target.directory)
        began_s = clock()
        upload.finish()
        ended_s = clock()
        upload.remove()
    finally:
        connection.close()
    return ended_s - began_s


def bring_to_disk(directory: Path) -> None:
    """Sync every file below."""
    for path in directory.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def report(found: dict[Case, list[float]]) -> str:
    """The table."""
    rows = [
        [
            format_size(case.size_bytes),
            case.file_system,
            "yes" if case.synced else "no",
            spread([duration_s * 1e3 for duration_s in durations_s]),
            str(len(durations_s)),
        ]
        for case, durations_s in found.items()
    ]
    return table(("file", "file system", "synced before", "finalize ms", "repeats"), rows)


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = options.parser(__doc__ or "", dirs=True)
    sizes = [1 << 20, 16 << 20, 256 << 20, 1 << 30, 10 << 30]
    made.add_argument("--sizes", type=options.sizes, default=sizes, help="sizes of files: 1MiB,1GiB")
    made.add_argument("--repeats", type=int, default=5, help=f"per size; {MOST_LARGE_REPEATS} at most above 1 GiB")
    return made


if __name__ == "__main__":
    sys.exit(options.run(main, parser()))
