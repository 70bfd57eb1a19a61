"""What the author of a store or a catalog gets wrong, or who chooses one, is told in a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.server.test_real_server import CONTENT, begin, download, finalize, put_all
from tests.servers import running_server
from upswarm.errors import PluginError
from upswarm_server.meter import SILENT
from upswarm_server.offload import direct
from upswarm_server.parts import make_catalog, make_store
from upswarm_server.settings import Settings, SettingsError
from upswarm_server.stores.memory import MemoryStore

HERE = "tests.server.test_parts"


class NotMade:
    pass


class MadeInTheOldWay(MemoryStore):
    @classmethod
    def from_settings(cls, settings, offload):
        return cls()


class Unfinished:
    one_process = False

    @classmethod
    def from_settings(cls, settings, offload, meter):
        return cls()

    def prepare(self):
        pass


class OutOfReach(MemoryStore):
    one_process = False

    def prepare(self):
        raise ConnectionRefusedError("the bucket does not answer")


def store(name: str, workers: int = 1) -> object:
    return make_store(Settings(store=name, workers=workers), direct, SILENT)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("dsk", r"expected a store \(disk, memory, or module:attribute\), found 'dsk'\n  did you mean \"disk\"\?"),
        ("nowhere:Store", "the store 'nowhere:Store' can't be loaded from nowhere:Store: No module named 'nowhere'"),
        (f"{HERE}:NotMade", r"to be a store with from_settings\(settings, offload, meter\), found <class .*> without"),
        (f"{HERE}:MadeInTheOldWay", "found one that can't be called so: too many positional arguments"),
        (
            f"{HERE}:Unfinished",
            "has no reserve, marks, slot, hold, seal, discard, condemn, uploads, open, remove, free",
        ),
    ],
)
def test_a_store_that_cannot_be_made_is_told_with_what_was_expected(name: str, sentence: str) -> None:
    with pytest.raises(PluginError, match=sentence):
        store(name)


def test_a_catalog_is_looked_at_in_the_same_way() -> None:
    with pytest.raises(PluginError, match=r"did you mean \"sqlite\"\?"):
        make_catalog(Settings(catalog="sqlit"), direct, SILENT)
    with pytest.raises(PluginError, match=r"has no begin, upload, finalize.*\n  docs/extending.md has a whole example"):
        make_catalog(Settings(catalog=f"{HERE}:Unfinished"), direct, SILENT)


def test_what_each_process_has_for_itself_serves_one_worker_and_no_more() -> None:
    store("memory", workers=1)
    with pytest.raises(SettingsError, match=r"UPSWARM_WORKERS: expected 1 with the store 'memory', .*, found 2"):
        store("memory", workers=2)
    with pytest.raises(SettingsError, match="UPSWARM_WORKERS: expected 1 with the catalog 'memory'"):
        make_catalog(Settings(catalog="memory", workers=3), direct, SILENT)


def start(tmp_path: Path, **environ: str) -> tuple[int, str]:
    """The exit code of a server that is not to start, and what it said."""
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-m", "upswarm_server.serve"],
        env=os.environ | {"UPSWARM_DATA_DIR": str(tmp_path), "UPSWARM_PORT": "0", "PYTHONPATH": str(root)} | environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    return ended.returncode, ended.stderr


def test_a_store_that_fails_to_prepare_is_told_in_a_sentence(tmp_path: Path) -> None:
    code, said = start(tmp_path, UPSWARM_STORE=f"{HERE}:OutOfReach")
    sentence = f"upswarm-server: the store '{HERE}:OutOfReach' can't be used: the bucket does not answer\n"
    assert (code, said) == (2, sentence)


def test_memory_with_two_workers_is_refused_at_the_start(tmp_path: Path) -> None:
    code, said = start(tmp_path, UPSWARM_STORE="memory", UPSWARM_CATALOG="memory", UPSWARM_WORKERS="2")
    assert code == 2
    assert said.startswith("upswarm-server: 1 setting is wrong\n  UPSWARM_WORKERS: expected 1 with the store 'memory'")


def test_a_server_that_keeps_everything_in_memory_serves_an_upload(tmp_path: Path) -> None:
    with running_server(tmp_path, store="memory", catalog="memory", workers=1) as server:
        upload_id = begin(server)
        put_all(server, upload_id)
        file_id = finalize(server, upload_id).json()["file_id"]
        assert download(server, file_id) == CONTENT
        kept = [path for path in server.data_dir.rglob("*") if path.is_file() and path.stat().st_size >= len(CONTENT)]
        assert kept == []
        server.restart()
        assert requests.get(f"{server.url}/v1/files", timeout=10).json()["files"] == []
        assert server.errors == ""
