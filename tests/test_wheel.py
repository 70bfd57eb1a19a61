"""What is shipped is run: the wheel alone, from another folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT], check=True)
    (wheel,) = folder.glob("upswarm-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", folder / "site", wheel], check=True)
    return folder / "site"


def spoken(text: str) -> list[str]:
    """What the end of a run says, from the first verdict on, without its figures."""
    summary = re.search(r"^✓ .+?^junit xml", text, re.MULTILINE | re.DOTALL)
    assert summary is not None, text
    return [" ".join(re.split(r"\d", line)[0].split()) for line in summary[0].splitlines()]


def test_an_installed_wheel_runs_the_smoke_scenario_from_another_folder(installed: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "upswarm.cli", "run", "smoke", "--duration", "3s"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(list(tmp_path.glob("reports/*-smoke/report.html"))) == 1
    assert spoken(ended.stdout) == spoken((ROOT / "README.md").read_text().partition("## A first run")[2])


def test_the_wheel_holds_what_a_checkout_has_beside_the_packages(installed: Path) -> None:
    expected = [
        "upswarm/shipped/locustfiles/upload.py",
        "upswarm/shipped/locustfiles/custom.py",
        "upswarm/shipped/scenarios/smoke.yaml",
        "upswarm/reports/templates/report.html",
        "upswarm/reports/vendor/echarts.min.js",
        "upswarm/reports/live_page/live.js",
        "upswarm_server/gunicorn.conf.py",
        "upswarm/py.typed",
        "upswarm_server/py.typed",
    ]
    assert [path for path in expected if not (installed / path).is_file()] == []
