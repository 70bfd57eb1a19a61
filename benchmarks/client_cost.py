"""What does it cost the client to send? CPU time per GiB and per request, beside other load generators, into one sink.

A load generator that needs the machine for itself measures itself. All clients have one process, one thread and the
same number of connections, and are run in turns; ratios are those within each repeat.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import installs, options, servers
from benchmarks.client import UnsuccessfulError
from benchmarks.servers import Target
from benchmarks.table import middle, spread, table
from benchmarks.worker_runs import Asked
from upswarm.units import format_size

GIB = 1 << 30
HEADINGS = (
    "client", "GB/s", "CPU s/GiB", "requests/CPU s", "× wrk", "× k6", "× HttpUser", "× FastHttpUser",
    "lag p50 ms", "p99 ms",
)  # fmt: skip
_ROOT = Path(__file__).parents[1]

_LUA = """
wrk.method = "PUT"
wrk.headers["Content-Type"] = "application/octet-stream"
wrk.body = io.open("{body}", "rb"):read("*a")
done = function(summary)
  local errors = summary.errors
  local failures = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\\n{{"requests": %d, "seconds": %f, "failures": %d}}\\n',
           summary.requests, summary.duration / 1e6, failures))
end
"""
_K6 = """
import http from 'k6/http';
const body = open('{body}', 'b');
const params = {{headers: {{'Content-Type': 'application/octet-stream'}}, responseType: 'none'}};
export const options = {{vus: {users}, duration: '{seconds}s', discardResponseBodies: true}};
export default function () {{ http.put('{url}/x', body, params); }}
export function handleSummary(data) {{
  const failed = data.metrics.http_req_failed.values.passes;
  const requests = data.metrics.http_reqs.values.count;
  const found = {{requests: requests, seconds: data.state.testRunDurationMs / 1000, failures: failed}};
  return {{stdout: '\\n' + JSON.stringify(found) + '\\n'}};
}}
"""


class Sample(NamedTuple):
    """What it has done; the lag is that of Locust's loop."""

    bytes_per_s: float
    cpu_s_per_gib: float
    requests_per_cpu_s: float
    lag_p50_ms: float | None = None
    lag_p99_ms: float | None = None


class Result(NamedTuple):
    """A sample, and where it stands."""

    chunk_bytes: int
    repeat: int
    name: str
    sample: Sample


Client = Callable[[Asked], Sample]


def users(kind: str) -> Client:
    """Locust users in `client_users`, which looks at its own clock of CPU time: starting Locust does not count."""
    command = [sys.executable, "-m", "benchmarks.client_users", kind]
    return lambda asked: _sample(asked, *_ran([*command, *map(str, asked)]))


def wrk(asked: Asked) -> Sample:
    """wrk with one thread; all of its CPU time, of which its start is a few milliseconds."""
    run = ["-t1", f"-c{asked.users}", f"-d{max(1, round(asked.seconds))}s"]
    return _scripted(asked, _LUA, lambda script: [_TOOLS["wrk"](), *run, "-s", script, f"{asked.url}/x"])


def k6(asked: Asked) -> Sample:
    """k6 on one core; all of its CPU time, of which its start is some tenths of a second."""
    return _scripted(asked, _K6, lambda script: [_TOOLS["k6"](), "run", "--quiet", "--no-usage-report", script])


CLIENTS: dict[str, Client] = {
    "upswarm": users("socket"),
    "upswarm-sparse": users("socket-sparse"),
    "upswarm-requests": users("requests"),
    "HttpUser": users("http"),
    "FastHttpUser": users("fast"),
    "wrk": wrk,
    "k6": k6,
}
PEERS = ("wrk", "k6", "HttpUser", "FastHttpUser")
_TOOLS: dict[str, Callable[[], str]] = {
    "wrk": lambda: installs.tool("wrk"),
    "k6": lambda: installs.k6(installs.default_cache()),
}


def main(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure, print a table for each size of chunk, and return every sample."""
    names = [name for name in asked.clients if _is_there(name, asked)]
    with servers.sink(asked.dir, asked.sink) as target:
        results = [result for size in asked.chunks for result in measure(asked, names, target, size)]
    for size in asked.chunks:
        print(report(asked, names, [result for result in results if result.chunk_bytes == size]))
    return {"samples": [result._asdict() | {"sample": result.sample._asdict()} for result in results]}


def measure(asked: argparse.Namespace, names: Sequence[str], target: Target, chunk_bytes: int) -> list[Result]:
    """All clients in turns, every other time from the end to the beginning."""
    work = Asked(f"http://127.0.0.1:{target.port}", chunk_bytes, asked.connections, asked.seconds)
    results = []
    for repeat in range(asked.repeats):
        for name in names[:: -1 if repeat % 2 else 1]:
            results.append(Result(chunk_bytes, repeat, name, CLIENTS[name](work)))
            print(f"{format_size(chunk_bytes)} {repeat + 1} {name}: {results[-1].sample}", file=sys.stderr)
    return results


def report(asked: argparse.Namespace, names: Sequence[str], results: Sequence[Result]) -> str:
    """The table of one size of chunk."""
    rows = [_row(name, results) for name in names]
    return (
        f"{format_size(results[0].chunk_bytes)} chunks · {asked.connections} connections · sink: {asked.sink} · "
        f"median (lowest–highest) of {asked.repeats} repeats of {asked.seconds:g} s\n\n{table(HEADINGS, rows)}\n"
    )


def _row(name: str, results: Sequence[Result]) -> list[str]:
    taken = {result.repeat: result.sample for result in results if result.name == name}
    samples = list(taken.values())
    ratios = [
        [
            sample.requests_per_cpu_s / other.requests_per_cpu_s
            for repeat, sample in taken.items()
            if (other := _other(results, peer, repeat))
        ]
        for peer in PEERS
    ]
    return [
        name,
        middle([sample.bytes_per_s / 1e9 for sample in samples]),
        spread([sample.cpu_s_per_gib for sample in samples], 3),
        spread([sample.requests_per_cpu_s for sample in samples], 0),
        *map(spread, ratios),
        middle([sample.lag_p50_ms for sample in samples if sample.lag_p50_ms is not None], 1),
        spread([sample.lag_p99_ms for sample in samples if sample.lag_p99_ms is not None], 1),
    ]


def _other(results: Sequence[Result], name: str, repeat: int) -> Sample | None:
    return next((result.sample for result in results if (result.name, result.repeat) == (name, repeat)), None)


def _is_there(name: str, asked: argparse.Namespace) -> bool:
    try:
        return name not in _TOOLS or bool(_TOOLS[name]())
    except installs.MissingToolError as error:
        if not asked.skip_missing:
            raise
        print(f"without {name}: {error}", file=sys.stderr)
        return False


def _scripted(asked: Asked, text: str, command: Callable[[str], list[str]]) -> Sample:
    with tempfile.TemporaryDirectory() as directory:
        body, script = Path(directory, "body"), Path(directory, "script.js")
        body.write_bytes(os.urandom(asked.chunk_bytes))
        script.write_text(text.format(body=body, **asked._asdict()))
        return _sample(asked, *_ran(command(str(script))))


def _ran(command: list[str]) -> tuple[dict[str, Any], float]:
    """The JSON in the last line that a command prints, and its CPU time."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, cwd=_ROOT, stdout=said, stderr=subprocess.STDOUT,
                                   env=os.environ | {"GOMAXPROCS": "1"})  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        *_, last = said.read().strip().splitlines() or [""]
    try:
        return json.loads(last), used.ru_utime + used.ru_stime
    except ValueError:
        raise UnsuccessfulError(f"{command[0]} ended with {process.returncode}: {last}") from None


def _sample(asked: Asked, found: dict[str, Any], cpu_s: float) -> Sample:
    if found["failures"] or not found["requests"]:
        raise UnsuccessfulError(f"expected requests without failures, found {found}")
    gib = found["requests"] * asked.chunk_bytes / GIB
    cpu_s = found.get("cpu_s", cpu_s)
    return Sample(gib * GIB / found["seconds"], cpu_s / gib, found["requests"] / cpu_s,
                  found.get("lag_p50_ms"), found.get("lag_p99_ms"))  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = options.parser(__doc__ or "", workers=False)
    made.add_argument("--clients", type=options.words, default=list(CLIENTS), help="rows, separated by commas")
    made.add_argument("--chunks", type=options.sizes, default=[5 << 20, 64 << 10], help="sizes of chunks: 5MiB,64KiB")
    made.add_argument("--connections", type=int, default=2, help="users at a time, one connection each")
    made.add_argument("--seconds", type=float, default=3.0, help="how long each client sends in each repeat")
    made.add_argument("--repeats", type=int, default=5, help="how often each client is measured")
    made.add_argument("--sink", choices=("discard", "receive"), default="discard", help="what the sink does with bytes")
    made.add_argument("--skip-missing", action="store_true", help="go on without clients that are not installed")
    return made


if __name__ == "__main__":
    sys.exit(options.run(main, parser()))
