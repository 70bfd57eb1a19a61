"""The store and the catalog of docs/extending.md, as they stand there: through their suites, and in a real server."""

import re
import subprocess
import sys

import pytest
import requests

from tests.architecture.test_import import ROOT
from tests.scratch import IN_MEMORY
from tests.server.test_real_server import CHUNK_BYTES, CHUNKS, CONTENT, begin, download, finalize, probe, put, put_all
from tests.servers import running_server, wait_for
from tests.testing.test_contracts import claims
from upswarm.testing.workers import SharedCatalogContract, SharedStoreContract

PAGE = (ROOT / "docs" / "extending.md").read_text()


def blocks(heading, language):
    """The code blocks in the section under a heading."""
    section = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """A folder with the examples under the names that the page gives them, from which Python imports."""
    folder = tmp_path / "modules"
    folder.mkdir()
    for kind in ("store", "catalog"):
        for name, source in zip((f"my_{kind}.py", f"test_my_{kind}.py"), blocks(f"A {kind}", "python"), strict=True):
            (folder / name).write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


@pytest.mark.parametrize(("kind", "contract"), [("store", SharedStoreContract), ("catalog", SharedCatalogContract)])
def test_the_examples_keep_their_contracts(modules, kind, contract, monkeypatch):
    if IN_MEMORY:
        monkeypatch.setenv("TMPDIR", IN_MEMORY)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:locust", "-p", "no:cacheprovider",
         f"test_my_{kind}.py"],
        cwd=modules, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert f"{len(claims(contract))} passed" in done.stdout


def test_a_real_server_with_the_store_of_the_page_takes_resumes_and_gives_a_file(modules, tmp_path):
    with running_server(tmp_path, store="my_store:FolderStore") as server:
        upload_id = begin(server)
        for index in (0, 3, CHUNKS - 1):
            assert put(server, upload_id, index).status_code == 204
        server.kill()
        server.restart()
        assert probe(server, upload_id)["received_chunks"] == [[0, 0], [3, 3], [CHUNKS - 1, CHUNKS - 1]]
        put_all(server, upload_id)
        file_id = finalize(server, upload_id).json()["file_id"]
        assert download(server, file_id) == CONTENT
        part = requests.get(
            f"{server.url}/v1/files/{file_id}/content",
            headers={"Range": f"bytes={CHUNK_BYTES - 5}-{CHUNK_BYTES + 4}"},
            timeout=10,
        )
        assert part.content == CONTENT[CHUNK_BYTES - 5 : CHUNK_BYTES + 5]
        assert sorted(path.name for path in (server.data_dir / "data" / file_id).iterdir()) == sorted(
            str(index) for index in range(CHUNKS)
        )
        assert requests.delete(f"{server.url}/v1/files/{file_id}", timeout=10).status_code == 204
        assert list((server.data_dir / "data").iterdir()) == []
        assert requests.get(f"{server.url}/tus/{file_id}", timeout=10).status_code == 404
        assert server.errors == ""


def test_a_file_that_is_deleted_while_a_client_reads_it_is_read_to_its_end_and_then_gone(modules, tmp_path):
    content, chunk_bytes = bytes(range(256)) * (3 << 16), 16 << 20  # more than sockets hold
    about = {"filename": "a.bin", "size_bytes": len(content), "chunk_size_bytes": chunk_bytes}
    with running_server(tmp_path, store="my_store:FolderStore") as server:
        upload_id = requests.post(f"{server.url}/v1/uploads", json=about, timeout=10).json()["upload_id"]
        for index in range(3):
            chunk = content[index * chunk_bytes : (index + 1) * chunk_bytes]
            assert requests.put(f"{server.url}/v1/uploads/{upload_id}/chunks/{index}", chunk, timeout=10).ok
        file = f"{server.url}/v1/files/{finalize(server, upload_id).json()['file_id']}"
        with requests.get(f"{file}/content", stream=True, timeout=10) as reading:
            assert requests.delete(file, timeout=10).status_code == 204
            gone = server.data_dir / "gone"
            assert len(list(gone.iterdir())) == 1
            assert reading.content == content
        wait_for(lambda: not list(gone.iterdir()))
        assert list(gone.iterdir()) == []


def test_an_installed_package_gives_its_store_a_name_and_the_catalog_of_the_page_tells_of_each_file(modules, tmp_path):
    (declared,) = blocks("A store", "toml")
    installed = modules / "folders-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: folders\nVersion: 1.0\n")
    entry_points = declared.replace('[project.entry-points."upswarm.store"]', "[upswarm.store]").replace('"', "")
    (installed / "entry_points.txt").write_text(entry_points)
    with running_server(tmp_path, store="folders", catalog="my_catalog:TellingCatalog") as server:
        upload_id = begin(server)
        put_all(server, upload_id)
        for _ in range(2):
            assert finalize(server, upload_id).status_code == 201
        assert (server.data_dir / "finalized.log").read_text() == f"{upload_id} {len(CONTENT)}\n"
