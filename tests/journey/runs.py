"""Real runs in real processes: the command line as a user types it, and what is left afterwards."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import IO, Any
from urllib.parse import quote
from urllib.request import urlopen

from tests.servers import Access
from upswarm import resources
from upswarm.reports.outputs import github
from upswarm.results.run_file import Run
from upswarm.transfer.messages import Phase

PATIENCE_S = 60
LONGEST_S = 240
"""No process of a test takes so long."""
LOCUSTFILE = resources.folder("locustfiles") / "upload.py"

SCENARIO = """\
name: journey
about: Small files, fast.
target: {target}
files:
  - {{weight: 3, size: {{uniform: [0B, 3MiB]}}}}
  - {{weight: 1, size: 12MiB, content: random}}
transfer: {{digest: crc32c, retry: {{attempts: 3, base: 50ms}}}}
workload: {{users: {{stages: [{{to: 3, over: 1s}}, {{hold: {hold}}}], think_time: 20ms}}}}
thresholds: [upload.failed count == 0, upload.finished count >= 5]
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str


class Workshop:
    """A folder to run in, and the processes that were started there; `environ` is for them alone."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.environ = environ
        self.reports = folder / "reports"
        self.locustfile = LOCUSTFILE

    def scenario(self, target: str = "embedded", hold: str = "3s") -> str:
        """Write the scenario of these tests and return its path."""
        path = self.folder / "journey.yaml"
        path.write_text(SCENARIO.format(target=target, hold=hold))
        return str(path)

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command; it is in a process group of its own."""
        return subprocess.Popen(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**_here(), "PYTHONUNBUFFERED": "1", **self.environ},
        )

    def upswarm(self, *arguments: str) -> Ended:
        """Run `upswarm …` to its end."""
        process = self.begin(*arguments)
        with family(process):
            return end_of(process)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `upswarm …`."""
        return self.start(sys.executable, "-m", "upswarm.cli", *arguments)

    def locust(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `locust -f locustfiles/upload.py …`, or with a `locustfile` of one's own."""
        command = [sys.executable, "-m", "locust", "-f", str(self.locustfile), "--reports", str(self.reports)]
        return self.start(*command, *arguments)

    def run(self) -> Run:
        """The one run that has left its folder in reports/."""
        (folder,) = self.reports.iterdir()
        assert (folder / "report.html").stat().st_size > 1000
        return Run.load(folder)


def end_of(process: subprocess.Popen[str]) -> Ended:
    """Wait for a process."""
    out, err = process.communicate(timeout=PATIENCE_S)
    return Ended(process.returncode, out, err)


@contextmanager
def family(*processes: subprocess.Popen[str]) -> Iterator[None]:
    """Whatever happens, none of these processes outlives the test, and none keeps it waiting for ever."""
    with ExitStack() as stack:
        for process in processes:
            watchdog = Timer(LONGEST_S, _kill, [process])
            watchdog.start()
            stack.callback(_bury, process)
            stack.callback(watchdog.cancel)
        yield


def _bury(process: subprocess.Popen[str]) -> None:
    _kill(process)
    process.communicate(timeout=PATIENCE_S)


def _kill(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def _here() -> dict[str, str]:
    """The runs of tests tell GitHub nothing, also where GitHub runs them."""
    return {name: value for name, value in os.environ.items() if name not in github.VARIABLES}


UNDER_WAY = r"^00:(0[2-9]|[1-5]\d)/"
"""A progress line after two seconds or more; a busy machine may leave out a second."""


def await_line(stream: IO[str] | None, pattern: str) -> str:
    """Read a process's output until a line that holds this pattern; fails when the output ends first."""
    assert stream is not None
    for line in stream:
        if re.search(pattern, line):
            return line
    raise AssertionError(f"the process ended without saying {pattern!r}")


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def files_on(url: str) -> list[dict[str, Any]]:
    """Every file that a reference server lists."""
    files: list[dict[str, Any]] = []
    cursor = ""
    while True:
        with urlopen(
            f"{url}/v1/files?limit=100&cursor={quote(cursor)}" if cursor else f"{url}/v1/files?limit=100"
        ) as answer:
            page = json.load(answer)
        files += page["files"]
        cursor = page.get("next_cursor") or ""
        if not cursor:
            return files


def assert_same_numbers(run: Run, requests: list[Access], files: list[dict[str, Any]]) -> None:
    """What the report says, the server has counted: requests by phase, body bytes, files and their bytes."""
    tallies = {phase: run.measurements.phases[phase] for phase in (Phase.INIT, Phase.CHUNK, Phase.FINALIZE)}
    patterns = {
        Phase.INIT: "/v1/uploads",
        Phase.CHUNK: r"/v1/uploads/\S+/chunks/\d+",
        Phase.FINALIZE: r"/v1/uploads/\S+/finalize",
    }
    counted = {
        phase: [each for each in requests if re.fullmatch(pattern, each.path)] for phase, pattern in patterns.items()
    }
    assert {phase: tally.attempts for phase, tally in tallies.items()} == {
        phase: len(accesses) for phase, accesses in counted.items()
    }
    assert tallies[Phase.CHUNK].bytes_sent == sum(each.received_bytes for each in counted[Phase.CHUNK])
    assert run.measurements.uploads.finished == len(files)
    assert run.measurements.uploads.finished_bytes == sum(file["size_bytes"] for file in files)


def answers(url: str) -> bool:
    """Whether anything listens there."""
    try:
        with urlopen(f"{url}/health/live", timeout=PATIENCE_S):
            return True
    except OSError:
        return False
