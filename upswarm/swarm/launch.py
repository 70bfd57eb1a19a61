"""`upswarm run` is Locust, headless, with our locustfile: this module writes its command line."""

from __future__ import annotations

import logging
import math
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import locust
from locust import main as locust_main

from upswarm import resources


def run_headless(
    scenario: str,
    *,
    reports: Path,
    target: str | None = None,
    users: int | None = None,
    rate: str | None = None,
    duration_s: float | None = None,
    processes: int | None = None,
    extra: Sequence[str] = (),
) -> NoReturn:
    """Run a scenario to its verdict in this process, and exit with it. `extra` are options for Locust itself."""
    arguments = ["--headless", "--only-summary", "--loglevel", "WARNING"]
    arguments += ["--scenario", scenario, "--reports", str(reports)]
    if target is not None:
        arguments.append(f"--host={target}")
    if users is not None:
        arguments += ["--users", str(users)]
    if rate is not None:
        arguments.append(f"--rate={rate}")  # one word, for a value may begin with a dash
    if duration_s is not None:
        arguments += ["--run-time", f"{math.ceil(duration_s)}s"]
    if processes is not None:
        port = str(_free_port())
        arguments += ["--processes", str(processes), "--master-bind-port", port, "--master-port", port]
        arguments += ["--master-bind-host", "127.0.0.1"]
    locust.events.init.add_listener(_quieten)
    # Locust reads sys.argv, and does so again whenever its page is asked for.
    sys.argv = ["locust", "-f", str(resources.folder("locustfiles") / "upload.py"), *arguments, *extra]
    locust_main.main()
    raise AssertionError("Locust's main ends by exiting")


def _quieten(**_: Any) -> None:
    """Our summary stands in for Locust's tables; both would say the same twice."""
    logging.getLogger("locust.stats_logger").setLevel(logging.WARNING)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
