"""A composed project with a name of its own: started, hurt, stopped and looked at as from outside."""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.containers.engine import attempt, docker, inspected, said
from tests.docker.compose_files import FILES, variables
from tests.journey.runs import await_line
from upswarm.results.run_file import Run

DOCKER = Path(__file__).parents[2] / "docker"
PATIENCE_S = 180.0
_LOOK_S = 0.1

# What the init process has started is killed; it ends then, and with it the container, as when a process crashes.
_CRASH = """\
import os, pathlib
def children():
    for each in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            if each.read_text().rpartition(")")[2].split()[1] == "1":
                yield int(each.parent.name)
        except OSError:
            pass
while not (found := list(children())):
    pass
for each in found:
    os.kill(each, 9)
"""
_FILES = """\
import json, urllib.request
files, cursor = [], ""
while cursor is not None:
    with urllib.request.urlopen(f"http://127.0.0.1:8000/v1/files?limit=1000{cursor and '&cursor=' + cursor}") as answer:
        page = json.load(answer)
    files, cursor = files + page["files"], page["next_cursor"]
print(json.dumps(files))
"""


@dataclass
class Project:
    """`environ` is what the compose file's variables are, and holds for every command."""

    file: str
    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    name: str = field(default_factory=lambda: f"upswarm-test-{uuid.uuid4().hex[:8]}")

    def compose(self, *arguments: str) -> str:
        """`docker compose …` of this project."""
        return docker("compose", *self._project(), *arguments, environ=self._environ())

    def up(self, *arguments: str) -> None:
        """Start what does not run, and return when all of it has been started."""
        self.compose("up", "--detach", "--no-build", *arguments)

    def start_run(self, scenario: str) -> None:
        """A master and workers start a run of this scenario; those of the last run are replaced."""
        here = self.folder / "scenario.yaml"
        here.write_text(scenario)
        here.chmod(0o644)  # whoever reads it there is nobody's user
        self.environ["SCENARIO"] = "/upswarm/scenarios/scenario.yaml"
        self.compose("create", "--no-build", "--force-recreate", "master", "worker")
        self.compose("cp", str(here), f"master:{self.environ['SCENARIO']}")
        self.up("--no-recreate")

    def containers(self, service: str) -> list[str]:
        """The ids of a service's containers, also of those that have ended."""
        return self.compose("ps", "--all", "--quiet", service).split()

    def one(self, service: str) -> str:
        """The one container of a service."""
        (container,) = self.containers(service)
        return container

    def hosts(self, service: str) -> list[str]:
        """The host names of a service's containers, in the same order."""
        return [each["Config"]["Hostname"] for each in inspected(*self.containers(service))]

    def exit_codes(self, service: str) -> list[int]:
        """How each container of a service ended; waits for those that have not."""
        return [int(code) for code in docker("wait", *self.containers(service)).split()]

    def story(self) -> str:
        """How all containers fare, and what they said last."""
        return self.compose("ps", "--all") + self.compose("logs", "--no-color", "--timestamps", "--tail", "40")

    def await_line(self, service: str, pattern: str) -> None:
        """Wait until the one container of a service has said a line that holds this pattern."""
        following = ["docker", "logs", "--follow", self.one(service)]
        with subprocess.Popen(following, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            try:
                await_line(process.stdout, pattern)
            finally:
                process.kill()

    def await_healthy(self, service: str) -> None:
        """Wait until the engine calls all containers of a service healthy."""
        awaited(lambda: all(map(_is_healthy, self.containers(service))), f"{service} is healthy")

    def crash(self, container: str) -> None:
        """Its process dies of SIGKILL; returns when the engine, which nobody has asked, has started it once more."""
        began = _state(container)["StartedAt"]
        killing = attempt("exec", container, "python", "-c", _CRASH)
        assert killing.returncode in {0, 137}, said(killing)  # who kills may be gone with the container
        awaited(lambda: _is_up(container) and _state(container)["StartedAt"] != began, f"{container} is back")

    def ask(self, container: str, program: str) -> str:
        """What a Python program prints that runs in there."""
        return docker("exec", container, "python", "-c", program)

    def files(self, run_id: str) -> list[dict[str, Any]]:
        """Every file of a run that the server lists."""
        files: list[dict[str, Any]] = json.loads(self.ask(self.one("server"), _FILES))
        return [file for file in files if str(file["filename"]).startswith(f"{run_id}-")]

    def stop_at_once(self) -> None:
        """SIGTERM to all containers, together; whoever has not ended within the time is killed."""
        docker("stop", "--time", "30", *self.compose("ps", "--quiet").split())

    def start(self, service: str) -> None:
        """Start what was stopped, and return when it is ready."""
        self.compose("start", service)
        check = ("exec", self.one(service), *inspected(self.one(service))[0]["Config"]["Healthcheck"]["Test"][1:])
        awaited(lambda: attempt(*check).returncode == 0, f"{service} is ready")

    def run_once(self, service: str, *arguments: str) -> int:
        """The exit code of another command in a container like that one."""
        once = ("compose", *self._project(), "run", "--rm", "--no-deps", "--no-TTY", service, *arguments)
        return attempt(*once, environ=self._environ()).returncode

    def report(self) -> tuple[Path, Run]:
        """The folder of the last run, brought here, and its run file."""
        there = self.folder / "reports"
        there.mkdir(exist_ok=True)
        self.compose("cp", "master:/upswarm/reports/.", str(there))
        last = max(there.iterdir())
        return last, Run.load(last)

    def down(self) -> None:
        """Nothing of it is left."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "2")

    def _project(self) -> tuple[str, ...]:
        return "--project-name", self.name, "--file", str(DOCKER / self.file)

    def _environ(self) -> dict[str, str]:
        return surroundings() | self.environ


ALIVE: list[Project] = []
"""Those that are not gone yet, for whoever wants to know what their containers have said."""


@contextmanager
def project(file: str, folder: Path, **environ: str) -> Iterator[Project]:
    """A project that is gone afterwards."""
    made = Project(file, folder, environ)
    ALIVE.append(made)
    try:
        yield made
    finally:
        ALIVE.remove(made)
        made.down()


def surroundings() -> dict[str, str]:
    """The environment of these tests, without what would give the compose files other settings than the tests'."""
    settings = set[str]().union(*map(variables, FILES.values()))
    return {name: value for name, value in os.environ.items() if name not in settings}


def _state(container: str) -> dict[str, Any]:
    (document,) = inspected(container)
    state: dict[str, Any] = document["State"]
    return state


def _is_up(container: str) -> bool:
    """One that waits to be started once more is called running too."""
    state = _state(container)
    return bool(state["Running"]) and not state["Restarting"]


def _is_healthy(container: str) -> bool:
    return bool(_state(container).get("Health", {}).get("Status") == "healthy")


def awaited(happened: Callable[[], object], what: str) -> None:
    """Wait until it has happened; fails where it does not."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, f"within {PATIENCE_S:g} s this did not happen: {what}"
        time.sleep(_LOOK_S)
