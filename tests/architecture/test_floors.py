from pathlib import Path

import pytest

from tests.architecture.imports import (
    CONTRACTS_OF_THE_SERVER,
    DOORS,
    FLOORS,
    KIT,
    KIT_FOR_THE_SERVER,
    files,
    findings,
    imports,
)

ROOT = Path(__file__).parents[2]
FILES = files(ROOT)


@pytest.mark.parametrize("file", FILES)
def test_imports_go_down_and_everything_comes_through_its_door(file):
    assert findings(ROOT, file) == []


def test_both_packages_are_read():
    assert "upswarm/transfer/uploader.py" in FILES
    assert "server/upswarm_server/__init__.py" in FILES
    assert any(found.module == "upswarm.transfer.retry" for found in imports(ROOT, "upswarm/transfer/uploader.py"))


def test_gevent_is_in_one_module_of_the_server_at_most():
    importers = {
        found.file
        for file in FILES
        if file.startswith("server/")
        for found in imports(ROOT, file)
        if found.module.split(".")[0] == "gevent"
    }
    assert len(importers) <= 1, importers


def test_every_room_is_on_a_floor():
    rooms = {Path(file).parts[1].removesuffix(".py") for file in FILES if file.startswith("upswarm/")}
    assert rooms - {"__init__", KIT} <= set(FLOORS)


@pytest.fixture
def tree(tmp_path):
    """Writes files into an empty house, and gives what the checker says of one of them."""

    def write(sources):
        for file, source in sources.items():
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text(source)
        return findings(tmp_path, next(iter(sources)))

    return write


RETRY = {"upswarm/transfer/retry.py": ""}


@pytest.mark.parametrize(
    ("file", "source", "rule"),
    [
        ("upswarm/content/base.py", "import upswarm.transfer.retry", "imports go down, content is on floor 1"),
        ("upswarm/content/base.py", "from upswarm.transfer import retry", "imports upswarm.transfer.retry: imports go"),
        ("upswarm/content/base.py", "from ..transfer.retry import x", "imports go down"),
        ("upswarm/content/base.py", "from .. import transfer", "imports go down"),
        ("upswarm/content/base.py", "def f():\n    import upswarm.swarm", ":2 imports upswarm.swarm: imports go down"),
        ("upswarm/content/base.py", "if TYPE_CHECKING:\n    import upswarm.cli", "imports go down"),
        ("upswarm/content/base.py", "import upswarm.workload.mix", "content and workload are neighbours on floor 1"),
        ("upswarm/units.py", "import upswarm.content.base", "units is on floor 0 and content on 1"),
        ("upswarm/__init__.py", "import upswarm.content.base", "upswarm is on floor 0 and content on 1"),
        ("upswarm/attic.py", "import upswarm.units", "attic is on no floor"),
        ("upswarm/cli.py", "import upswarm.attic", "attic is on no floor"),
        ("upswarm/cli.py", "import upswarm.testing.clock", "the house uses nothing of its testing kit"),
        ("upswarm/testing/clock.py", "import upswarm.swarm.users", "the testing kit stands on floor 4 at most"),
        ("upswarm/cli.py", "import upswarm_server.app", "the load side uses nothing of the server"),
        ("upswarm/testing/clock.py", "import upswarm_server.model", "the load side uses nothing of the server"),
        ("upswarm/testing/stores.py", "from upswarm_server.stores.disk import x", "the server's contracts only"),
        ("upswarm/testing/catalogs.py", "import upswarm_server.app", "the server's contracts only"),
        ("upswarm/results/stores.py", "import upswarm_server.model", "the load side uses nothing of the server"),
        ("server/upswarm_server/app.py", "import upswarm.transfer.retry", "the server stands on floor 0 only"),
        ("server/upswarm_server/app.py", "from upswarm.testing import clock", "the server stands on floor 0 only"),
        ("upswarm/transfer/exchange.py", "import gevent.event", "gevent belongs into upswarm/swarm/*"),
        ("upswarm/cli.py", "from locust import User", "locust belongs into upswarm/swarm/*"),
        (
            "upswarm/results/metrics.py",
            "from hdrh.histogram import x",
            "hdrh belongs into upswarm/results/histogram.py",
        ),
        ("upswarm/transfer/exchange.py", "import socket", "socket belongs into upswarm/transfer/transport*.py"),
        ("upswarm/swarm/users.py", "import sqlite3", "sqlite3 belongs into server/upswarm_server/*"),
        ("upswarm/swarm/users.py", "import attrs", "attrs has no door"),
        ("server/upswarm_server/app.py", "import flask", "flask belongs into upswarm/swarm/*"),
    ],
)
def test_the_checker_names_the_file_the_import_and_the_rule(tree, file, source, rule):
    (finding,) = tree({file: source, **RETRY})
    assert finding.startswith(f"{file}:")
    assert rule in finding


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("upswarm/swarm/users.py", "import locust, gevent, socket, psutil\nfrom upswarm.results import metrics"),
        ("upswarm/transfer/transport_tls.py", "import socket, ssl, requests, urllib3"),
        ("upswarm/transfer/uploader.py", "from .retry import x\nfrom . import retry\nfrom upswarm import __version__"),
        ("upswarm/plugins.py", "from upswarm.errors import PluginError"),
        ("upswarm/cli.py", "import click, upswarm.swarm.users, upswarm.content"),
        ("upswarm/testing/clock.py", "from upswarm.reports import html\nfrom upswarm.testing import x"),
        ("upswarm/testing/stores.py", "import upswarm_server.stores.base\nfrom upswarm_server.model import MISSING"),
        ("upswarm/testing/catalogs.py", "from upswarm_server.catalogs import base\nimport upswarm_server.problems"),
        (
            "server/upswarm_server/app.py",
            "import falcon, socket, sqlite3, upswarm.digests\nfrom upswarm import __version__",
        ),
        ("server/upswarm_server/stores/disk.py", "from upswarm_server.stores import base\nfrom .. import app"),
    ],
)
def test_the_checker_lets_everything_else_pass(tree, file, source):
    house = dict.fromkeys(["upswarm/digests.py", "server/upswarm_server/catalogs/base.py"], "")
    assert tree({file: source, **RETRY, **house}) == []


def test_every_suite_for_the_server_is_there_and_stands_on_a_contract_of_it():
    """An exception that nobody needs is a leftover."""
    suites = {file.removesuffix(".py").replace("/", ".") for file in KIT_FOR_THE_SERVER}
    assert set(FILES) >= KIT_FOR_THE_SERVER
    for file in KIT_FOR_THE_SERVER:
        assert (CONTRACTS_OF_THE_SERVER | suites) & {found.module for found in imports(ROOT, file)}, file


def test_every_door_is_used_or_promised():
    """A door that nothing goes through, and that the design does not name, is a leftover."""
    used = {found.module.split(".")[0] for file in FILES for found in imports(ROOT, file)}
    assert set(DOORS) - used <= {"psutil"}
