"""How fast do bytes get from the socket into the file, beside the machine's limit and the peers?

Every target is driven by the same client, in the same run, one after the other, again and again; each figure is the
median of the repeats with both ends, and `of iperf3` is the median of the ratios within each repeat.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from typing import Any, NamedTuple

from benchmarks import dialects, installs, iperf, machine, options, samples, servers
from benchmarks.client import UnsuccessfulError
from benchmarks.dialects import Dialect, Work
from benchmarks.samples import Sample
from benchmarks.servers import Target
from benchmarks.table import middle, spread, table
from upswarm.units import format_size

LIMIT = "iperf3"
MOST_CHUNKS = 1024
Start = Callable[[argparse.Namespace], AbstractContextManager[Target]]
Take = Callable[[Work, float], Sample]

SERVERS: dict[str, Start] = {
    "sink": lambda asked: servers.sink(asked.dir, "receive"),
    "sink-discard": lambda asked: servers.sink(asked.dir, "discard"),
    "upswarm": lambda asked: servers.upswarm(asked.dir, asked.workers, reserve="full"),
    "upswarm-sparse": lambda asked: servers.upswarm(asked.dir, asked.workers, reserve="sparse"),
    "nginx": lambda asked: servers.nginx(asked.dir, asked.workers),
    "first-generation": lambda asked: servers.first_generation(asked.dir, asked.workers, asked.cache),
    "tus-node": lambda asked: servers.tus_server(asked.dir, asked.workers, asked.cache),
}
"""What can be started, by name."""

ROWS: dict[str, tuple[str, type[Dialect]]] = {
    "sink": ("sink", Dialect),
    "sink-discard": ("sink-discard", Dialect),
    "upswarm": ("upswarm", dialects.Upswarm),
    "upswarm-crc32c": ("upswarm", dialects.UpswarmCrc32c),
    "upswarm-sha-256": ("upswarm", dialects.UpswarmSha256),
    "upswarm-sparse": ("upswarm-sparse", dialects.Upswarm),
    "nginx": ("nginx", dialects.WebDav),
    "tus-node": ("tus-node", dialects.Tus),
    "first-generation-raw": ("first-generation", dialects.FirstGenerationRaw),
    "first-generation": ("first-generation", dialects.FirstGenerationMultipart),
}
"""The rows of the table: a server, and how it is spoken to. Before them stand those of iperf3."""

NAMES = (LIMIT, "iperf3-pairs", *ROWS)
HEADINGS = ("target", "chunks GB/s", "of iperf3", "files GB/s", "server s/GiB", "with files", "client s/GiB")


class Result(NamedTuple):
    """One sample, and where it stands; `failed` says why there is none."""

    chunk_bytes: int
    repeat: int
    name: str
    sample: Sample | None
    failed: str = ""


def main(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure, print a table for each size of chunk, and return every sample."""
    check_space(asked)
    with ExitStack() as running:
        takes = start(asked, running)
        results = [result for chunk_bytes in asked.chunks for result in measure(asked, takes, chunk_bytes)]
    for chunk_bytes in asked.chunks:
        print(report(asked, list(takes), [result for result in results if result.chunk_bytes == chunk_bytes]))
    return {
        "tools": machine.tools(list(takes)),
        "failures": [f"{result.name}: {result.failed}" for result in results if result.failed],
        "samples": [result._asdict() | {"sample": result.sample and asdict(result.sample)} for result in results],
    }


def start(asked: argparse.Namespace, running: ExitStack) -> dict[str, Take]:
    """Start what the rows need, each server once; how to take a sample of each row."""
    started: dict[str, Target] = {}
    takes: dict[str, Take] = {}
    for name in asked.targets:
        try:
            takes[name] = (
                _take_iperf(asked, name, running) if name not in ROWS else _take(asked, name, running, started)
            )
        except installs.MissingToolError as error:
            if not asked.skip_missing:
                raise
            print(f"without {name}: {error}", file=sys.stderr)
    return takes


def _take(asked: argparse.Namespace, name: str, running: ExitStack, started: dict[str, Target]) -> Take:
    server, dialect = ROWS[name]
    if server not in started:
        started[server] = running.enter_context(SERVERS[server](asked))
    target = started[server]
    how = {"connections": asked.connections, "workers": asked.workers}
    return lambda work, seconds: samples.take(target, dialect, work, seconds=seconds, **how)


def _take_iperf(asked: argparse.Namespace, name: str, running: ExitStack) -> Take:
    pairs, streams = (1, asked.connections) if name == LIMIT else (asked.connections, 1)
    targets = [running.enter_context(servers.iperf3(asked.dir)) for _ in range(pairs)]
    return lambda work, seconds: iperf.take(targets, streams, seconds)


def measure(asked: argparse.Namespace, takes: dict[str, Take], chunk_bytes: int) -> list[Result]:
    """One round of everything that does not count, then the repeats, every other one from the end to the beginning."""
    work = Work(memoryview(os.urandom(chunk_bytes)), max(1, min(asked.file // chunk_bytes, MOST_CHUNKS)))
    for name, take in takes.items():
        _result(take, work, 0.0, (chunk_bytes, -1, name))
    results = []
    for repeat in range(asked.repeats):
        for name in list(takes)[:: -1 if repeat % 2 else 1]:
            results.append(_result(takes[name], work, asked.seconds, (chunk_bytes, repeat, name)))
            _tell(results[-1])
    return results


def _result(take: Take, work: Work, seconds: float, place: tuple[int, int, str]) -> Result:
    try:
        return Result(*place, take(work, seconds))
    except UnsuccessfulError as error:
        return Result(*place, None, str(error))


def _tell(result: Result) -> None:
    found = f"{result.sample.chunk_bytes_per_s / 1e9:.2f} GB/s" if result.sample else result.failed
    print(f"{format_size(result.chunk_bytes)} {result.repeat + 1} {result.name}: {found}", file=sys.stderr)


def report(asked: argparse.Namespace, names: Sequence[str], results: Sequence[Result]) -> str:
    """The table of one size of chunk."""
    limits = {result.repeat: result.sample for result in results if result.name == LIMIT and result.sample}
    rows = [_row(name, [result for result in results if result.name == name], limits) for name in names]
    return (
        f"{format_size(results[0].chunk_bytes)} chunks · {asked.connections} connections · {asked.workers} workers · "
        f"median (lowest–highest) of {asked.repeats} repeats of {asked.seconds:g} s\n\n{table(HEADINGS, rows)}\n"
    )


def _row(name: str, results: Sequence[Result], limits: dict[int, Sample]) -> list[str]:
    found = [(result.repeat, result.sample) for result in results if result.sample]
    taken = [sample for _, sample in found]
    ratios = [
        sample.chunk_bytes_per_s / limits[repeat].chunk_bytes_per_s for repeat, sample in found if repeat in limits
    ]
    failed = f" ({len(results) - len(found)} failed)" if len(found) < len(results) else ""
    return [
        name + failed,
        spread([sample.chunk_bytes_per_s / 1e9 for sample in taken]),
        spread(ratios),
        spread([sample.file_bytes_per_s / 1e9 for sample in taken if sample.file_bytes_per_s]),
        *(middle(_known(taken, field)) for field in ("server_s_per_gib", "server_file_s_per_gib", "client_s_per_gib")),
    ]


def _known(taken: Sequence[Sample], field: str) -> list[float]:
    return [value for sample in taken if (value := getattr(sample, field)) is not None]


def check_space(asked: argparse.Namespace) -> None:
    """Raise `UnsuccessfulError` unless what is there at a time fits twice: first as chunks, then as a file."""
    needed_bytes = 2 * asked.connections * asked.file
    free_bytes = shutil.disk_usage(asked.dir).free
    if free_bytes < 2 * needed_bytes:
        raise UnsuccessfulError(
            f"{asked.dir}: expected {format_size(2 * needed_bytes)} of free space, found {format_size(free_bytes)}; "
            "choose smaller files with --file, or another directory with --dir"
        )


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = options.parser(__doc__ or "")
    made.add_argument("--targets", type=options.words, default=list(NAMES), help="rows, separated by commas")
    made.add_argument("--chunks", type=options.sizes, default=[5 << 20, 64 << 10], help="sizes of chunks: 5MiB,64KiB")
    made.add_argument(
        "--file", type=options.size, default=256 << 20, help=f"size of a file, {MOST_CHUNKS} chunks at most"
    )
    made.add_argument("--connections", type=int, default=2, help="clients at a time, one connection each")
    made.add_argument("--seconds", type=float, default=3.0, help="how long chunks are sent in each repeat, at least")
    made.add_argument("--repeats", type=int, default=5, help="how often each target is measured")
    made.add_argument("--cache", type=installs.Path, default=installs.default_cache(), help="where peers are installed")
    made.add_argument("--skip-missing", action="store_true", help="go on without targets whose tools are missing")
    return made


if __name__ == "__main__":
    sys.exit(options.run(main, parser()))
