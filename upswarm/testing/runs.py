"""Runs as part of a test suite: a scenario goes in, a `Run` comes out. For pytest, unittest, or neither.

run = run_scenario("smoke", target="https://uploads.example.com", users=2, duration="3s")
assert run.exit_code == 0, run.failed_verdicts
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from upswarm.errors import EXIT_GENERATOR, UpswarmError
from upswarm.results.run_file import Run

_FAREWELL_S = 15
_LOOK_S = 0.05


class NoRunError(UpswarmError):
    """No run came about, or none that ended in time; the message has the command, and what it printed."""

    exit_code = EXIT_GENERATOR


def run_scenario(
    scenario: str | Path | Mapping[str, Any],
    *,
    target: str | None = None,
    users: int | None = None,
    rate: str | None = None,
    duration: str | None = None,
    processes: int | None = None,
    locustfile: str | Path | None = None,
    options: Sequence[str] = (),
    reports: str | Path | None = None,
    environ: Mapping[str, str] | None = None,
    timeout_s: float = 300.0,
) -> Run:
    """Run a scenario to its verdict, and return what its run file says; raises `NoRunError` where there is none.

    `scenario` is a name, a path, the text of a scenario (several lines), or a mapping that says the same. `users`,
    `rate`, `duration`, `processes` and `target` are those of `upswarm run`; `options` are for Locust itself.
    `locustfile` is one of your own.

    The run has processes of its own, for Locust changes the interpreter it runs in; they import what this one can,
    have its environment and `environ` over it, and are gone afterwards. What they print is printed here. The run's
    folder is `reports / run.run_id`; without `reports` nothing is left. After `timeout_s` seconds the run is ended.
    """
    with tempfile.TemporaryDirectory(prefix="upswarm-run-") as scratch:
        wishes = {"target": target, "users": users, "rate": rate, "duration": duration, "processes": processes}
        arguments = [_argument(scenario, Path(scratch)), f"--reports={Path(reports or scratch).absolute()}"]
        arguments += [f"--{name}={value}" for name, value in wishes.items() if value is not None]
        file = [] if locustfile is None else ["-f", str(locustfile)]
        return _run(["run", *arguments, "--", *file, *options], {**os.environ, **(environ or {})}, timeout_s)


def _argument(scenario: str | Path | Mapping[str, Any], scratch: Path) -> str:
    """Its name or path on the command line; what has neither is given one."""
    if isinstance(scenario, Path) or (isinstance(scenario, str) and "\n" not in scenario):
        return str(scenario)
    path = scratch / "scenario.yaml"
    path.write_text(scenario if isinstance(scenario, str) else json.dumps(scenario), encoding="utf-8")
    return str(path)


def _run(arguments: list[str], environ: dict[str, str], timeout_s: float) -> Run:
    command = f"`upswarm {' '.join(arguments)}`"
    in_time, exit_code, printed = _printed_by([sys.executable, "-m", "upswarm.cli", *arguments], environ, timeout_s)
    if not in_time:
        raise NoRunError(f"{command} had not ended after {timeout_s:g} s, and was ended:\n{printed}")
    print(printed, end="")
    written = re.search(r"^run file +(.+)$", printed, re.MULTILINE)
    if written is None:
        raise NoRunError(f"{command} left no run, and exited with {exit_code}:\n{printed}")
    return Run.load(Path(written[1]))


def _printed_by(command: list[str], environ: dict[str, str], timeout_s: float) -> tuple[bool, int, str]:
    """Whether it ended by itself, its exit code, and what it and its workers printed."""
    paths = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONIOENCODING": "utf-8"}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            env={**environ, **paths},
            start_new_session=True,
        )
        try:
            in_time = _ends_within(timeout_s, process)
        finally:  # also where somebody ends the test
            _end(process)
        printed.seek(0)
        return in_time, process.returncode, printed.read()


def _end(process: subprocess.Popen[bytes]) -> None:
    """In order, if it has not ended: it sees to its workers, its server, and what that holds."""
    try:
        os.kill(process.pid, signal.SIGTERM)
        _ends_within(_FAREWELL_S, process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _ends_within(timeout_s: float, process: subprocess.Popen[bytes]) -> bool:
    """Whether it does. As nobody has asked for its exit code, its number still stands for its group."""
    deadline_s = time.monotonic() + timeout_s
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > deadline_s:
            return False
        time.sleep(_LOOK_S)
    return True
