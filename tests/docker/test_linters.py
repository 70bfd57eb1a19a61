"""Dockerfile, compose files and shell scripts pass the linters of their trades, and a planted mistake does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
SCRIPTS = (DOCKER / "compose-ci", ROOT / ".ci" / "run")


def lint(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a linter of the development dependencies; what it says is in `stdout`."""
    path = Path(sys.executable).parent / program
    return subprocess.run([path, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def lint_dockerfile(path: Path) -> subprocess.CompletedProcess[str]:
    return lint("hadolint", "--no-color", "--failure-threshold", "warning", path)


def lint_compose(*paths: Path) -> subprocess.CompletedProcess[str]:
    return lint("check-jsonschema", "--builtin-schema", "vendor.compose-spec", *paths)


def lint_script(*paths: Path) -> subprocess.CompletedProcess[str]:
    return lint("shellcheck", "--severity", "warning", *paths)


@pytest.mark.parametrize("path", ["Dockerfile", "kubernetes/operator/Dockerfile"])
def test_the_dockerfiles_are_clean(path: str) -> None:
    done = lint_dockerfile(DOCKER / path)
    assert done.returncode == 0, done.stdout


def test_compose_files_are_as_the_compose_specification_says() -> None:
    done = lint_compose(DOCKER / "compose.yaml", DOCKER / "compose.ci.yaml")
    assert done.returncode == 0, done.stdout


def test_shell_scripts_are_clean() -> None:
    done = lint_script(*SCRIPTS)
    assert done.returncode == 0, done.stdout


def test_every_shell_script_is_looked_at() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    paths = [ROOT / name for name in filter(None, listed.stdout.split("\0"))]
    beginnings = {path: path.read_bytes()[:40].partition(b"\n")[0] for path in paths if path.is_file()}
    assert {path for path, line in beginnings.items() if line.startswith(b"#!") and line.endswith(b"sh")} == set(
        SCRIPTS
    )


def test_a_mistake_in_a_dockerfile_is_found(tmp_path: Path) -> None:
    planted = tmp_path / "Dockerfile"
    planted.write_text((DOCKER / "Dockerfile").read_text() + "USER root\n")
    assert "DL3002" in lint_dockerfile(planted).stdout
    assert lint_dockerfile(planted).returncode == 1


@pytest.mark.parametrize(
    ("right", "wrong"), [("read_only: true", "readonly: true"), ("cap_drop: [ALL]", "cap_drop: ALL")]
)
def test_a_mistake_in_a_compose_file_is_found(tmp_path: Path, right: str, wrong: str) -> None:
    planted = tmp_path / "compose.yaml"
    planted.write_text((DOCKER / "compose.yaml").read_text().replace(right, wrong, 1))
    assert lint_compose(planted).returncode == 1


def test_a_mistake_in_a_script_is_found(tmp_path: Path) -> None:
    planted = tmp_path / "script"
    planted.write_text("#!/bin/bash\ncd $1\n")
    assert "SC2164" in lint_script(planted).stdout
    assert lint_script(planted).returncode == 1
