"""What all of these tests need: a Docker engine that answers, and the images, built once."""

from __future__ import annotations

import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.containers import engine
from tests.containers.engine import inspected
from tests.containers.project import ALIVE, Project, project
from tests.installing import installing

ROOT = Path(__file__).parents[2]
SERVER, LOAD = "upswarm-server", "upswarm-load"


def pytest_configure() -> None:
    """Nobody is to believe that containers were tested where there is no engine."""
    if why := engine.missing():
        raise pytest.UsageError(
            f"no Docker engine answers, so no container was tested: {why}\n"
            "  start one, or say where it is (DOCKER_HOST); it needs Compose 2.24 or later"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where something fails, what the containers have said is shown."""
    report = yield
    if report.failed:
        report.sections += [(f"containers of {each.name}", each.story()) for each in ALIVE]
    return report


@pytest.fixture(scope="session")
def images() -> dict[str, str]:
    """The ids of both images by their names, as `make images` has built them; whoever builds others changes nothing."""
    with installing("container-images"):  # whoever comes second finds every layer there
        built = subprocess.run(["make", "--silent", "images"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return {name: each["Id"] for name, each in zip((SERVER, LOAD), inspected(SERVER, LOAD), strict=True)}


@pytest.fixture(scope="module")
def ci(images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A headless project: a server, and for each run a master and three workers."""
    folder = tmp_path_factory.mktemp("ci")
    with project("compose.ci.yaml", folder, UPSWARM_SERVER_IMAGE=images[SERVER], UPSWARM_LOAD_IMAGE=images[LOAD]) as ci:
        yield ci
