"""`upswarm run`, `ui` and `worker` are Locust with our locustfile: this module writes its command line."""

from __future__ import annotations

import errno
import logging
import math
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import gevent
import locust
from locust import main as locust_main

from upswarm import resources
from upswarm.errors import UsageError
from upswarm.scenario import library, loader
from upswarm.swarm.forks import pass_on_sigterm

_QUIET = ("--loglevel", "WARNING")


def run_headless(
    scenario: str,
    *,
    reports: Path,
    target: str | None = None,
    users: int | None = None,
    rate: str | None = None,
    baseline: str | None = None,
    events: str | None = None,
    duration_s: float | None = None,
    processes: int | None = None,
    drill: bool = False,
    plain: bool = False,
    metrics_port: int | None = None,
    metrics_bind: str | None = None,
    extra: Sequence[str] = (),
    **overrides: str | None,
) -> NoReturn:
    """Run a scenario to its verdict in this process, and exit with it.

    `extra` are options for Locust itself, `overrides` the fields of `Overrides`.
    """
    arguments = ["--headless", "--only-summary", *_metrics(metrics_bind, metrics_port)]
    arguments += [option for option, wished in {"--drill": drill, "--plain": plain}.items() if wished]
    if users is not None:
        arguments += ["--users", str(users)]
    for name, value in {"rate": rate, "baseline": baseline, "events": events, **overrides}.items():
        if value is not None:
            arguments.append(f"--{name.replace('_', '-')}={value}")  # one word, for a value may begin with a dash
    if duration_s is not None:
        arguments += ["--run-time", f"{math.ceil(duration_s)}s"]
    _run_locust([*_common(scenario, reports, target, processes), *arguments, *extra])


def run_ui(
    scenario: str,
    *,
    reports: Path,
    bind: str,
    port: int,
    target: str | None = None,
    processes: int | None = None,
    metrics_port: int | None = None,
    metrics_bind: str | None = None,
    extra: Sequence[str] = (),
) -> NoReturn:
    """Open Locust's web UI in this process, and say where; raises `UsageError` where there is no room for it."""
    loader.load(library.find(scenario))
    open_port = str(_port_to_open(bind, port))
    arguments = ["--web-host", bind, "--web-port", open_port, *_metrics(metrics_bind, metrics_port)]
    locust.events.init.add_listener(_say_where)
    _run_locust([*_common(scenario, reports, target, processes), *arguments, *extra])


def run_worker(master: tuple[str, int], *, processes: int | None = None, extra: Sequence[str] = ()) -> NoReturn:
    """Be one worker, or several, of the master at this host and port, and exit as Locust's workers do.

    The master sends the locustfile and the plan.
    """
    host, port = master
    print(f"upswarm worker: looking for the master at {host}:{port}", file=sys.stderr, flush=True)
    arguments = ["--worker", "--master-host", host, "--master-port", str(port), *_QUIET]
    if processes is not None:
        arguments += ["--processes", str(processes)]
    pass_on_sigterm()
    _run_locust([*arguments, *extra], locustfile="-")


def _common(scenario: str, reports: Path, target: str | None, processes: int | None) -> list[str]:
    arguments = [*_QUIET, f"--scenario={scenario}", f"--reports={reports}"]
    if target is not None:
        arguments.append(f"--host={target}")
    if processes is not None:
        port = str(_free_port())
        arguments += ["--processes", str(processes), "--master-bind-port", port, "--master-port", port]
        arguments += ["--master-bind-host", "127.0.0.1"]
    return arguments


def _metrics(bind: str | None, port: int | None) -> list[str]:
    wishes = {"--metrics-bind": bind, "--metrics-port": port}
    return [f"{option}={value}" for option, value in wishes.items() if value is not None]


def _run_locust(arguments: Sequence[str], locustfile: str = "") -> NoReturn:
    locust.events.init.add_listener(_quieten)
    # Locust reads sys.argv, and does so again whenever its page is asked for.
    sys.argv = ["locust", "-f", locustfile or str(resources.folder("locustfiles") / "upload.py"), *arguments]
    locust_main.main()
    raise AssertionError("Locust's main ends by exiting")


def _say_where(environment: Any, web_ui: Any = None, **_: Any) -> None:
    """Workers hear of it too, and have no page."""
    if web_ui is not None:
        scheme = "https" if web_ui.tls_cert else "http"
        address = f"[{web_ui.host}]" if ":" in web_ui.host else web_ui.host
        path = environment.parsed_options.web_base_path or "/"
        gevent.spawn(_say_when_open, web_ui, f"{scheme}://{address}:{web_ui.port}{path}")


def _say_when_open(web_ui: Any, url: str) -> None:
    while not getattr(getattr(web_ui, "server", None), "started", False):
        gevent.sleep(0.02)
    print(f"upswarm ui: open {url} (Ctrl-C ends it)", flush=True)


def _port_to_open(bind: str, port: int) -> int:
    """This port, if it is free, or any that is; Locust itself would go on without a page."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(bind, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Locust's server does
            probe.bind(address)
            probe.listen()
            return int(probe.getsockname()[1])
    except OSError as error:
        reason, hint = error.strerror or error, "--bind takes an address of this machine, --port one that may be opened"
        if error.errno == errno.EADDRINUSE:
            reason, hint = "the port is taken", "end what listens there, or give another --port; 0 takes any free one"
        raise UsageError(f"the page can't open at {bind}:{port}: {reason}", hint=hint) from error


def _quieten(**_: Any) -> None:
    """Our summary stands in for Locust's tables; both would say the same twice."""
    logging.getLogger("locust.stats_logger").setLevel(logging.WARNING)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
