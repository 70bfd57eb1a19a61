"""What does a worker cost its master? A real master, and as many stub workers as two cores allow.

The stubs (`stub_workers`) say what real workers say, hellos, heartbeats, Locust's own report and ours, and upload
nothing. Looked at is the master, in a window in which nobody comes or goes, and then how the run ends.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import psutil

from benchmarks import options, servers
from benchmarks.client import UnsuccessfulError
from benchmarks.table import table
from upswarm import resources
from upswarm.errors import EXIT_GENERATOR, EXIT_THRESHOLD
from upswarm.results.run_file import Run

HEADINGS = (
    "workers", "requests/s each", "master's CPU", "ms per worker and s", "KiB/s in", "out", "MiB more per worker",
    "heartbeat p50 ms", "p99 ms", "unanswered", "last reports s", "missed", "lost", "stubs' CPU",
)  # fmt: skip
_MARGIN_S = 2.0
"""Between the window and the end of the run."""
_START_S, _END_S = 120, 120
_MiB = 1 << 20
_MISSING = "failed to send heartbeat"
_SCENARIO = """\
name: scaling
target: {{url: "{url}", protocol: put}}
files: [20MiB]
workload: {{allow_saturated_generator: true, users: {{stages: [{{to: {users}, over: 0s}}, {{hold: {seconds}s}}]}}}}
thresholds: ["upload.finished count >= 1"]
"""


class Row(NamedTuple):
    """What the stubs do: how many they are, and how many requests each one says to have made."""

    workers: int
    requests_per_s: float


class Found(NamedTuple):
    """What it cost the master. `kinds` are messages and bytes of the run by way and kind, `window` bytes per second."""

    cpu_ratio: float
    rss_bytes: int
    heartbeat_p50_s: float
    heartbeat_p99_s: float
    end_s: float
    missed: int
    lost: int
    stub_cpu_ratio: float
    report_bytes: float
    exit_code: int
    unanswered: int
    kinds: dict[str, tuple[int, int]]
    window: dict[str, float]


def main(asked: argparse.Namespace) -> dict[str, Any]:
    """All rows, one after the other; one that the master could not bear is a failure."""
    found: dict[Row, Found] = {}
    failures: list[str] = []
    with servers.sink(asked.dir, "discard") as target:
        for row in rows(asked):
            try:
                found[row] = measure(row, f"http://127.0.0.1:{target.port}", asked)
            except (UnsuccessfulError, subprocess.TimeoutExpired) as error:
                failures.append(f"{row.workers} workers with {row.requests_per_s:g} requests/s: {error}")
    print("\n".join([report(found), *failures]), end="\n\n", flush=True)
    if found:
        print(kinds(found), end="\n\n", flush=True)
    subprocess.run([sys.executable, "-m", "benchmarks.report_parts", *map(str, asked.rates)], check=True)
    return {"scaling": [row._asdict() | each._asdict() for row, each in found.items()],
            "failures": failures}  # fmt: skip


def rows(asked: argparse.Namespace) -> list[Row]:
    """By what each worker does, then by how many they are."""
    return [Row(workers, rate) for rate in asked.rates for workers in asked.counts]


def measure(row: Row, url: str, asked: argparse.Namespace) -> Found:
    """One run."""
    with tempfile.TemporaryDirectory(dir=asked.dir) as scratch, ExitStack() as stack:
        folder, port = Path(scratch), servers.free_port()
        said = stack.enter_context((folder / "said").open("w+"))
        master = stack.enter_context(_running(_master(row, url, folder, port, asked), stderr=said, stdout=said))
        stubs = [
            stack.enter_context(_running(_stubs(count, row, port, asked), stdout=subprocess.PIPE))
            for count in _split(row.workers, asked.processes)
        ]
        cpu_ratio, rss_bytes = _watch(master, stubs[0], asked)
        heard = [json.loads(_last_line(each)) for each in stubs]
        code = master.wait(_END_S)
        said.seek(0)
        text = said.read()
        if code not in {0, EXIT_THRESHOLD, EXIT_GENERATOR}:
            raise UnsuccessfulError(f"the master ended with {code}: {text[-2000:]}")
        (path,) = (folder / "reports").glob("*/run.json")
        run = Run.load(path)
        ended_at = path.stat().st_mtime
    return Found(
        cpu_ratio=cpu_ratio,
        rss_bytes=rss_bytes,
        heartbeat_p50_s=max(each["heartbeat_p50_s"] for each in heard),
        heartbeat_p99_s=max(each["heartbeat_p99_s"] for each in heard),
        end_s=ended_at - min(each["drain_at"] for each in heard),
        missed=text.count(_MISSING),
        lost=sum(worker.lost for worker in run.workers),
        stub_cpu_ratio=max(each["cpu_ratio"] for each in heard),
        report_bytes=sum(each["report_bytes"] for each in heard) / len(heard),
        exit_code=code,
        unanswered=sum(each["unanswered"] for each in heard),
        kinds=_summed(heard),
        window={name: sum(each["window"].get(name, 0) for each in heard) / asked.seconds for name in heard[0]["bytes"]},
    )


def _master(row: Row, url: str, folder: Path, port: int, asked: argparse.Namespace) -> list[str]:
    scenario = folder / "scaling.yaml"
    length_s = asked.settle + asked.seconds + _MARGIN_S
    scenario.write_text(_SCENARIO.format(url=url, users=row.workers * 10, seconds=length_s))
    locustfile = str(resources.folder("locustfiles") / "upload.py")
    command = [sys.executable, "-m", "locust", "-f", locustfile, "--master", "--headless", "--only-summary"]
    command += ["--master-bind-port", str(port), "--master-bind-host", "127.0.0.1", "--stop-timeout", "5"]
    return [*command, "--expect-workers", str(row.workers), "--scenario", str(scenario),
            "--reports", str(folder / "reports")]  # fmt: skip


def _stubs(count: int, row: Row, port: int, asked: argparse.Namespace) -> list[str]:
    told = (port, count, row.requests_per_s, asked.settle, asked.seconds)
    return [sys.executable, "-m", "benchmarks.stub_workers", *map(str, told)]


def _split(workers: int, processes: int) -> list[int]:
    """So many in each process."""
    sizes = [workers // processes + (number < workers % processes) for number in range(processes)]
    return [size for size in sizes if size]


@contextmanager
def _running(
    command: Sequence[str], *, stdout: IO[str] | int, stderr: IO[str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, stdout=stdout, stderr=stderr, stdin=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _watch(master: subprocess.Popen[str], stub: subprocess.Popen[str], asked: argparse.Namespace) -> tuple[float, int]:
    """The share of a core that the master uses while nobody comes or goes, and its memory at the end of that."""
    assert stub.stdout is not None
    if stub.stdout.readline() != "go\n":
        raise UnsuccessfulError("the run did not begin")
    time.sleep(asked.settle)
    process, began_s = psutil.Process(master.pid), time.monotonic()
    before = process.cpu_times()
    time.sleep(asked.seconds)
    after, took_s = process.cpu_times(), time.monotonic() - began_s
    cpu_s = after.user + after.system - before.user - before.system
    return cpu_s / took_s, process.memory_info().rss


def _last_line(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=_END_S)
    if process.returncode:
        raise UnsuccessfulError(f"the stubs ended with {process.returncode}: {said[-2000:]}")
    return said.splitlines()[-1]


def _summed(heard: Sequence[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    names = sorted({name for each in heard for name in each["messages"]})
    return {
        name: (sum(each["messages"].get(name, 0) for each in heard), sum(each["bytes"].get(name, 0) for each in heard))
        for name in names
    }


def report(found: dict[Row, Found]) -> str:
    """What it costs, by how many workers there are."""
    return table(HEADINGS, [_cells(row, each, found) for row, each in found.items()])


def _cells(row: Row, each: Found, found: dict[Row, Found]) -> list[str]:
    fewest = next(other for other in found if other.requests_per_s == row.requests_per_s)
    more = row.workers - fewest.workers
    memory = f"{(each.rss_bytes - found[fewest].rss_bytes) / more / _MiB:.2f}" if more else "–"
    rates = [
        sum(rate for name, rate in each.window.items() if name.startswith(way)) / row.workers / 1024
        for way in ("in ", "out ")
    ]
    return [
        f"{row.workers:,}", f"{row.requests_per_s:g}", f"{each.cpu_ratio:.0%}",
        f"{each.cpu_ratio / row.workers * 1000:.2f}", *(f"{rate:.2f}" for rate in rates), memory,
        f"{each.heartbeat_p50_s * 1000:.0f}", f"{each.heartbeat_p99_s * 1000:.0f}", str(each.unanswered),
        f"{each.end_s:.1f}", str(each.missed), str(each.lost), f"{each.stub_cpu_ratio:.0%}",
    ]  # fmt: skip


def kinds(found: dict[Row, Found]) -> str:
    """What the messages of the largest run were."""
    row, largest = max(found.items(), key=lambda pair: pair[0])
    cells = [
        [name, f"{count / row.workers:.2f}", f"{size / count:,.0f}", f"{largest.window[name] / row.workers:,.0f}"]
        for name, (count, size) in largest.kinds.items()
    ]
    ours = f"our report is {largest.report_bytes:,.0f} bytes of each `stats`"
    return f"{row.workers} workers; {ours}\n\n" + table(
        ("message", "per worker", "bytes each", "bytes per worker and s"), cells
    )


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = options.parser(__doc__ or "", workers=False)
    made.add_argument("--counts", type=options.numbers, default=[10, 50, 100, 200, 400, 800], help="of workers")
    made.add_argument("--rates", type=options.numbers, default=[50, 500], help="requests per second of each worker")
    made.add_argument("--seconds", type=float, default=15.0, help="how long the master is looked at")
    made.add_argument("--settle", type=float, default=4.0, help="how long before that, for the beginning is dearer")
    made.add_argument("--processes", type=int, default=1, help="how many processes the stubs share")
    return made


if __name__ == "__main__":
    sys.exit(options.run(main, parser()))
