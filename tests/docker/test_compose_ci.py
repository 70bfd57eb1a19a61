"""`docker/compose-ci` says what is missing, before anything is started. Its runs are tried in tests/containers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "docker" / "compose-ci"
ENGINE = """#!/bin/sh
[ "$1 $2" = "compose version" ] && echo 2.26.1 && exit 0
[ "$1" = version ] && exit 0
echo "$@" >&2
exit 1
"""
"""As far as an engine is asked before anything is made."""
NO_ENGINE = "#!/bin/sh\necho 'Cannot connect to the Docker daemon at unix:///nowhere.' >&2\nexit 1\n"
OLD_COMPOSE = '#!/bin/sh\n[ "$1" = version ] || echo v2.6.0\n'
NO_COMPOSE = '#!/bin/sh\n[ "$1" = version ]\n'


def refusal(folder: Path, docker: str | None, **environment: str) -> tuple[int, str]:
    """The exit code, and what is said, with this in the place of the command `docker`."""
    for directory in map(Path, os.defpath.split(os.pathsep)):
        for program in ("bash", "dirname", "od", "tr", "mktemp", "tail", "rm", "sort", "head", "mkdir", "cp", "chmod"):
            if (directory / program).exists() and not (folder / program).exists():
                (folder / program).symlink_to(directory / program)
    if docker is not None:
        (folder / "docker").write_text(docker)
        (folder / "docker").chmod(0o755)
    done = subprocess.run(
        [SCRIPT], env={"PATH": str(folder), **environment}, capture_output=True, text=True, check=False, timeout=30
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("docker", "sentence"),
    [
        (None, "expected the command docker, found none"),
        (NO_ENGINE, "no Docker engine answers: Cannot connect to the Docker daemon"),
        (OLD_COMPOSE, "expected Compose 2.24 or later, found v2.6.0"),
        (NO_COMPOSE, "expected Compose 2.24 or later, found none"),
    ],
)
def test_without_an_engine_it_says_so_and_exits_with_2(tmp_path: Path, docker: str | None, sentence: str) -> None:
    code, said = refusal(tmp_path, docker)
    assert code == 2
    assert said.startswith(f"compose-ci: {sentence}")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        ("SCENARIOS", "expected a folder"),
        ("BASELINE", "expected a run's folder or its run.json"),
        ("CREDENTIALS", "expected a file"),
        ("SERVER_SETTINGS", "expected a file"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(tmp_path: Path, variable: str, sentence: str) -> None:
    code, said = refusal(tmp_path, ENGINE, **{variable: "nowhere"})
    assert (code, said) == (2, f"compose-ci: {variable}: {sentence}, found nowhere\n")
