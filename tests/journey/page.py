"""Locust's web UI, as its own page speaks to it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.journey.runs import PATIENCE_S, Workshop, await_line, family, free_port
from tests.servers import wait_for


class Page:
    """One web UI. Form fields that are not given are as the form shows them."""

    def __init__(self, url: str, process: subprocess.Popen[str]) -> None:
        self._url = url
        self._process = process

    def text(self, path: str = "/") -> str:
        with urlopen(self._url + path, timeout=PATIENCE_S) as answer:
            return str(answer.read().decode())

    def start(self, **fields: str) -> dict[str, object]:
        """Press Start; the answer is what the page shows."""
        form = urlencode({"user_count": "3", "spawn_rate": "1", **fields}).encode()
        with urlopen(self._url + "/swarm", data=form, timeout=PATIENCE_S) as answer:
            return dict(json.load(answer))

    def stop(self) -> None:
        """Press Stop."""
        with urlopen(self._url + "/stop", data=b"", timeout=PATIENCE_S):
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
def open_page(workshop: Workshop, *arguments: str) -> Iterator[Page]:
    """Start Locust with its web UI; it is gone afterwards."""
    port = free_port()
    process = workshop.locust("--web-host", "127.0.0.1", "--web-port", str(port), *arguments)
    with family(process):
        page = Page(f"http://127.0.0.1:{port}", process)
        wait_for(lambda: _is_open(page), PATIENCE_S)
        yield page


def _is_open(page: Page) -> bool:
    try:
        return bool(page.text())
    except OSError:
        return False
