"""A master, and workers that come when a test says so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.journey.runs import Workshop, family, files_on, free_port
from tests.servers import RunningServer, running_server
from upswarm.results.run_file import Run

LOAD = """\
target: {target}
files: [64KiB]
transfer: {{bandwidth: {bandwidth}}}
workload: {{allowed_lost_workers: {losses}, {load}}}
"""
NEWCOMER = """\
import pathlib, time
import locust.main, upswarm.swarm.users
while not pathlib.Path("join").exists():
    time.sleep(0.02)
locust.main.main()
"""


@dataclass
class Cluster:
    """A master, and workers that are started when a test says so."""

    workshop: Workshop
    server: RunningServer
    port: str
    stack: ExitStack
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    def master(
        self, load: str, *arguments: str, workers: int, losses: int = 0, bandwidth: str = "128KiB/s"
    ) -> subprocess.Popen[str]:
        path = self.workshop.folder / "crew.yaml"
        path.write_text(LOAD.format(target=self.server.url, load=load, losses=losses, bandwidth=bandwidth))
        process = self.workshop.locust(
            "--master", "--headless", "--master-bind-host", "127.0.0.1", "--master-bind-port", self.port,
            "--expect-workers", str(workers), "--scenario", str(path), *arguments,
        )  # fmt: skip
        self.stack.enter_context(family(process))
        return process

    def worker(self) -> subprocess.Popen[str]:
        self.workers.append(self.workshop.locust("--worker", "--master-port", self.port))
        self.stack.enter_context(family(self.workers[-1]))
        return self.workers[-1]

    def newcomer(self) -> None:
        """A worker that has started, which takes long on a busy machine, and does not connect before `join`."""
        arguments = ("-f", str(self.workshop.locustfile), "--worker", "--master-port", self.port)
        self.workers.append(self.workshop.start(sys.executable, "-c", NEWCOMER, *arguments))
        self.stack.enter_context(family(self.workers[-1]))

    def join(self) -> None:
        """Let it come."""
        (self.workshop.folder / "join").touch()

    def run(self) -> Run:
        return self.workshop.run()

    def numbers(self) -> list[int]:
        """The numbers of the files that the server has, as often as it has them."""
        return sorted(int(str(file["filename"]).rpartition("-")[2]) for file in files_on(self.server.url))


@contextmanager
def one_cluster(folder: Path) -> Iterator[Cluster]:
    """With a server of its own; all of its processes are gone afterwards."""
    with running_server(folder) as server, ExitStack() as stack:
        yield Cluster(Workshop(folder), server, str(free_port()), stack)
