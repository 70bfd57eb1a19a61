import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.imports import FLOORS, KIT, files

ROOT = Path(__file__).parents[2]
HEAVY = ("locust", "gevent", "flask", "falcon", "gunicorn", "upswarm_server")


def imported_by(*modules: str) -> set[str]:
    """The heavy packages that a fresh interpreter has loaded after these imports."""
    code = f"import sys, {', '.join(modules)}; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def modules_below_the_swarm() -> list[str]:
    parts = (Path(file).with_suffix("").parts for file in files(ROOT) if file.startswith("upswarm/"))
    return [
        ".".join(each).removesuffix(".__init__")
        for each in parts
        if each[1] in {"__init__", KIT} or FLOORS.get(each[1], 9) <= 4
    ]


@pytest.mark.parametrize("module", ["upswarm", "upswarm.transfer.uploader", "upswarm.results.run_file"])
def test_importing_it_patches_nothing(module):
    assert imported_by(module) == set()


def test_nothing_below_the_swarm_imports_locust_or_gevent():
    modules = modules_below_the_swarm()
    assert "upswarm.testing.clock" in modules
    assert imported_by(*modules) == set()


def test_the_testing_kit_needs_no_pytest():
    kit = [module for module in modules_below_the_swarm() if module.startswith("upswarm.testing")]
    code = f"import sys, {', '.join(kit)}; assert not {{'pytest', 'hypothesis'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_this_test_can_see_a_heavy_import():
    assert "falcon" in imported_by("falcon")
