"""Locust's web UI, as its own page speaks to it."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.journey.runs import PATIENCE_S, Workshop, await_line, family, free_port
from tests.servers import wait_for


class Page:
    """One web UI. Form fields that are not given are as the form shows them."""

    def __init__(self, url: str, process: subprocess.Popen[str]) -> None:
        self.url = url
        self._process = process

    def text(self, path: str = "/") -> str:
        with urlopen(self.url + path, timeout=PATIENCE_S) as answer:
            return str(answer.read().decode())

    def start(self, **fields: str) -> dict[str, object]:
        """Press Start; the answer is what the page shows."""
        form = urlencode({"user_count": "3", "spawn_rate": "1", **fields}).encode()
        with urlopen(self.url + "/swarm", data=form, timeout=PATIENCE_S) as answer:
            return dict(json.load(answer))

    def fields(self) -> dict[str, dict[str, Any]]:
        """Our fields, as a page shows them that is loaded now."""
        arguments = self.text().partition('"extra_options": ')[2]
        return dict(json.JSONDecoder().raw_decode(arguments)[0])

    def stop(self) -> None:
        """Press Stop."""
        with urlopen(self.url + "/stop", data=b"", timeout=PATIENCE_S):
            pass

    def await_output(self, pattern: str) -> None:
        """Wait until Locust's terminal says so."""
        await_line(self._process.stdout, pattern)

    def await_stop(self) -> None:
        """Wait until the run has ended by itself, and its report is written."""
        self.await_output("report    ")
        wait_for(lambda: '"state": "stopped"' in self.text(), PATIENCE_S)  # Locust's statistics are up to 2 s old

    def await_workers(self, count: int) -> None:
        """Wait until so many workers are ready."""
        wait_for(lambda: self._ready_workers() == count, PATIENCE_S)
        assert self._ready_workers() == count

    def statistics(self) -> dict[str, dict[str, float]]:
        """The rows of the table by name."""
        return {row["name"]: row for row in json.loads(self.text("/stats/requests"))["stats"]}

    def _ready_workers(self) -> int:
        workers = json.loads(self.text("/stats/requests")).get("workers", [])
        return sum(worker["state"] == "ready" for worker in workers)


@contextmanager
def open_page(workshop: Workshop, *arguments: str, scheme: str = "http", base_path: str = "") -> Iterator[Page]:
    """Start Locust with its web UI; it is gone afterwards. What it shall serve is said by `arguments`."""
    port = free_port()
    process = workshop.locust("--web-host", "127.0.0.1", "--web-port", str(port), *arguments)
    with family(process):
        wait_for(lambda: _listens(port) or process.poll() is not None, PATIENCE_S)
        yield Page(f"{scheme}://127.0.0.1:{port}{base_path}", process)


def _listens(port: int) -> bool:
    """Whether somebody is there: enough also for a page behind TLS or a login."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
