"""Five hosts and a run: a server, a master, and three workers, the last of which is far away."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.journey.runs import LOCUSTFILE, Ended, Workshop, end_of, family, files_on
from tests.network.cable import Line
from tests.network.hosts import Host, Network, network
from tests.servers import Access, RunningServer
from upswarm.results.run_file import Run

FAR = Line(delay_s=0.04, jitter_s=0.01, loss_ratio=0.02, rate_bits_per_s=20e6)
_PORT = "8000"  # nobody else is on these hosts
_SERVING = {"host": "0.0.0.0", "port": _PORT, "allow_anonymous": True, "workers": 1}


@dataclass
class Five:
    """The hosts. `workers` are near, near, and far; each has an empty folder, and only the master's gets a scenario."""

    network: Network
    folder: Path
    server_host: Host
    master: Host
    workers: tuple[Host, Host, Host]
    server: RunningServer

    @property
    def url(self) -> str:
        """Where the server is for all of them."""
        return f"http://{self.server_host.address}:{_PORT}"

    def files(self) -> list[dict[str, Any]]:
        """What the server has."""
        with self.server_host.entered():
            return files_on(self.url)

    def requests(self) -> list[Access]:
        """What the server was asked."""
        return self.server.access_log()

    def start_master(self, scenario: str) -> subprocess.Popen[str]:
        """The master, with this scenario; `target` and `name` are put before it."""
        workshop = Workshop(self._own_folder(self.master))
        path = workshop.folder / "scenario.yaml"
        path.write_text(f"name: five-hosts\ntarget: {self.url}\n{scenario}")
        return workshop.start(
            *self.master.launcher, *_LOCUST, "--master", "--headless", "--expect-workers", "3",
            "--scenario", str(path), "--reports", str(workshop.reports),
        )  # fmt: skip

    def start_workers(self) -> list[subprocess.Popen[str]]:
        """A worker on each of the three hosts."""
        command = (*_LOCUST, "--worker", "--master-host", self.master.address)
        return [Workshop(self._own_folder(host)).start(*host.launcher, *command) for host in self.workers]

    def run(self, scenario: str) -> tuple[Run, list[Ended]]:
        """A whole run: what the master wrote, and how the master and the workers ended."""
        master = self.start_master(scenario)
        with family(master), ExitStack() as stack:
            workers = self.start_workers()
            stack.enter_context(family(*workers))
            ended = [end_of(process) for process in (master, *workers)]
        assert ended[0].code in {0, 3, 5}, ended[0].err
        return self.report(), ended

    def report(self) -> Run:
        """The one run that the master has written."""
        return Workshop(self.folder / self.master.name).run()

    def _own_folder(self, host: Host) -> Path:
        folder = self.folder / host.name
        folder.mkdir(exist_ok=True)
        return folder


_LOCUST = (sys.executable, "-m", "locust", "-f", str(LOCUSTFILE))


@contextmanager
def five_hosts(folder: Path) -> Iterator[Five]:
    """The hosts with a server that is ready; nothing of them is left afterwards."""
    with network() as made:
        server_host, master = made.host("server"), made.host("master")
        workers = (made.host("near-1"), made.host("near-2"), made.host("far", FAR))
        (folder / "server").mkdir()
        server = RunningServer(folder / "server", **_SERVING)
        server.launcher = server_host.launcher
        try:
            server.start()
            yield Five(made, folder, server_host, master, workers, server)
        finally:
            server.close()
