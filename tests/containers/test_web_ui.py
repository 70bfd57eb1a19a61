"""`docker compose up --scale worker=8`: Locust's web UI with eight workers, a run through its form, and its report."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.containers.conftest import LOAD, SERVER
from tests.containers.project import Project, awaited, project
from tests.journey.runs import free_port
from upswarm.errors import EXIT_OK

WORKERS, TARGET = 8, "http://server:8000"
FORM = {"host": TARGET, "scenario": "many-small", "user_count": "8", "spawn_rate": "8", "run_time": "3s"}
_ASK = """\
import sys, urllib.request
data = {data!r}
with urllib.request.urlopen("http://127.0.0.1:8089{path}", data=data.encode() or None, timeout=30) as answer:
    sys.stdout.write(answer.read().decode())
"""


@pytest.fixture(scope="module")
def ui(images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("ui")
    own = {"UPSWARM_SERVER_IMAGE": images[SERVER], "UPSWARM_LOAD_IMAGE": images[LOAD], "WEB_PORT": str(free_port())}
    with project("compose.yaml", folder, **own) as ui:
        ui.up("--scale", f"worker={WORKERS}")
        yield ui


def page(ui: Project, path: str, data: str = "") -> str:
    """As a browser gets it; asked from within, for the engine may be on another machine."""
    return ui.ask(ui.one("master"), _ASK.format(path=path, data=data))


def statistics(ui: Project) -> dict[str, Any]:
    known: dict[str, Any] = json.loads(page(ui, "/stats/requests"))
    return known


def ready_workers(ui: Project) -> int:
    return sum(worker["state"] == "ready" for worker in statistics(ui).get("workers", []))


def test_a_run_with_eight_workers_is_started_in_the_form_and_leaves_its_report(ui: Project) -> None:
    ui.await_healthy("master")
    awaited(lambda: ready_workers(ui) == WORKERS, f"{WORKERS} workers are ready")
    for service, port in (("master", "8089"), ("server", "8000")):
        assert ui.compose("port", service, port).startswith("127.0.0.1:"), "nobody else reaches it"
    assert f'"host": "{TARGET}"' in page(ui, "/"), "the form begins with it"
    answer = json.loads(page(ui, "/swarm", urlencode(FORM)))
    assert answer["success"] is True, answer
    ui.await_line("master", "^report    ")
    folder, run = ui.report()
    assert (run.complete, run.measurements.uploads.failed) == (True, 0)
    assert sorted(worker.host for worker in run.workers) == sorted(ui.hosts("worker"))
    assert run.measurements.uploads.finished == len(ui.files(run.run_id)) > 0
    assert page(ui, f"/uploads/runs/{run.run_id}/report.html") == Path(folder, "report.html").read_text()
    ui.await_healthy("worker")
    ui.stop_at_once()
    assert (ui.exit_codes("master"), ui.exit_codes("server")) == ([run.exit_code], [EXIT_OK])
    # Whom the master has told to leave may be at its last step when SIGTERM comes.
    assert set(ui.exit_codes("worker")) <= {EXIT_OK, 128 + signal.SIGTERM}
