import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.imports import FLOORS, KIT, KIT_FOR_THE_SERVER, files

ROOT = Path(__file__).parents[2]
SUITES_FOR_THE_SERVER = {file.removesuffix(".py").replace("/", ".") for file in KIT_FOR_THE_SERVER}
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


@pytest.mark.parametrize(
    "module", ["upswarm", "upswarm.testing", "upswarm.transfer.uploader", "upswarm.results.run_file"]
)
def test_importing_it_patches_nothing(module):
    assert imported_by(module) == set()


def test_nothing_below_the_swarm_imports_locust_or_gevent():
    modules = modules_below_the_swarm()
    assert "upswarm.testing.clock" in modules
    assert imported_by(*(set(modules) - SUITES_FOR_THE_SERVER)) == set()


def test_the_suites_for_stores_and_catalogs_bring_the_servers_contracts_and_neither_falcon_nor_gunicorn():
    assert imported_by(*SUITES_FOR_THE_SERVER) == {"upswarm_server"}


def test_the_testing_kit_needs_no_pytest():
    kit = [module for module in modules_below_the_swarm() if module.startswith("upswarm.testing")]
    code = f"import sys, {', '.join(kit)}; assert not {{'pytest', 'hypothesis'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_this_test_can_see_a_heavy_import():
    assert "falcon" in imported_by("falcon")
