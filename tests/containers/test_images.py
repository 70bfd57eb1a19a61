"""Both images as whoever runs them wants them: nobody's user, no shell, nothing written, and only what they need."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest

from tests.containers.conftest import LOAD, SERVER
from tests.containers.engine import attempt, docker, inspected, said
from upswarm.errors import EXIT_GENERATOR, EXIT_OK, EXIT_THRESHOLD

BOTH = (SERVER, LOAD)
USER = 10001
# As strict as an engine can be; on top of that, what is at /bin/sh is no shell.
CONFINED = (
    "--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
    "--network", "none", "--volume", "/dev/null:/bin/sh:ro",
)  # fmt: skip
_LOOK = """\
import importlib.util, json, os, stat
found = []
for folder, _, names in os.walk("/"):
    if not folder.startswith(("/proc", "/sys", "/dev")):
        for path in (os.path.join(folder, name) for name in names):
            mode = os.lstat(path).st_mode
            if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
                found.append(path)
print(json.dumps({
    "user": [os.getuid(), os.getgid(), os.getgroups()],
    "privileged": sorted(found),
    "packages": [name for name in ("locust", "pip", "falcon", "upswarm") if importlib.util.find_spec(name)],
}))
"""


@pytest.fixture(scope="module", params=BOTH)
def image(request: pytest.FixtureRequest, images: dict[str, str]) -> tuple[str, str]:
    """Its name and its id."""
    return request.param, images[request.param]


@pytest.fixture(scope="module")
def known(image: tuple[str, str]) -> dict[str, Any]:
    (document,) = inspected(image[1])
    return document


def test_its_user_is_a_number_and_its_entrypoint_needs_no_shell(image: tuple[str, str], known: dict[str, Any]) -> None:
    config = known["Config"]
    assert config["User"] == f"{USER}:{USER}", "Kubernetes' runAsNonRoot wants a number"
    assert config["Entrypoint"] == {SERVER: ["upswarm-server"], LOAD: ["upswarm"]}[image[0]]
    assert config["Cmd"] == {SERVER: None, LOAD: ["--help"]}[image[0]]
    assert config.get("Healthcheck", {}).get("Test", ["CMD"])[0] == "CMD"
    assert ("Healthcheck" in config) is (image[0] == SERVER), "what is healthy depends on what a load container does"


def test_its_labels_say_what_it_is(image: tuple[str, str], known: dict[str, Any]) -> None:
    labels = {name.rpartition(".")[2]: text for name, text in known["Config"]["Labels"].items()}
    assert (labels["title"], labels["licenses"]) == (image[0], "MIT")
    assert all(labels[each] not in {"", "unknown"} for each in ("version", "revision", "description"))


def test_it_holds_what_it_needs_and_nothing_that_gives_more_rights(image: tuple[str, str]) -> None:
    found = json.loads(docker("run", "--rm", "--entrypoint", "python", image[1], "-c", _LOOK))
    assert found["user"] == [USER, USER, found["user"][2]]
    assert set(found["user"][2]) <= {USER}
    assert found["privileged"] == [], "setuid and setgid"
    assert found["packages"] == {SERVER: ["falcon", "upswarm"], LOAD: ["locust", "falcon", "upswarm"]}[image[0]]


def test_the_server_says_its_version_confined(images: dict[str, str]) -> None:
    assert docker("run", *CONFINED, images[SERVER], "--version").startswith("upswarm-server ")


def test_a_whole_run_works_confined(images: dict[str, str]) -> None:
    reports = ("--tmpfs", f"/upswarm/reports:uid={USER},gid={USER}")
    ended = attempt("run", *CONFINED, *reports, images[LOAD], "run", "many-small", "--duration", "2s")
    assert re.search(r"^uploads [1-9]\S* finished, 0 failed", ended.stdout, re.MULTILINE), said(ended)
    assert "report    reports/" in ended.stdout
    assert ended.returncode in {EXIT_OK, EXIT_THRESHOLD, EXIT_GENERATOR}, "a busy machine holds no time limits"


def test_they_are_small(images: dict[str, str]) -> None:
    (base,) = inspected(os.environ.get("BASE", "python:3.11-slim-bookworm"))
    own_bytes = {name: inspected(image)[0]["Size"] - base["Size"] for name, image in images.items()}
    assert own_bytes[SERVER] < 60e6
    assert own_bytes[LOAD] < 180e6
