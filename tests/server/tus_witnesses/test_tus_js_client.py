"""tus-js-client, which tus's own people wrote, against real gunicorn: cut, killed and resumed, in parallel, ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.server.tus_witnesses.conftest import (
    CONTENT,
    TUS,
    Witness,
    arrived,
    asked,
    content,
    id_of,
    offset_bytes,
    record,
)
from tests.server.tus_witnesses.fronts import Front, front_of
from tests.servers import RunningServer

HALF_BYTES = 4 << 20


def endpoint(front: Front) -> str:
    return f"{front.url}/tus/"


def test_a_file_travels_with_its_metadata(
    lasting_server: RunningServer, front: Front, witness: Witness, path: Path
) -> None:
    said = {"filename": "Übung.bin", "filetype": "video/mp4", "who": "me", "nothing": ""}
    begun, done = witness.run(endpoint=endpoint(front), file=str(path), metadata=said)
    assert (begun["event"], done["event"], begun["url"]) == ("begun", "done", done["url"])
    file = record(lasting_server, done["url"])
    assert (file["filename"], file["content_type"]) == ("Übung.bin", "video/mp4")
    assert file["metadata"] == {"who": "me", "nothing": ""}
    assert content(lasting_server, done["url"]) == CONTENT


def test_an_interrupted_upload_is_resumed_from_its_stored_url(
    lasting_server: RunningServer, front: Front, witness: Witness, path: Path, tmp_path: Path
) -> None:
    options = {"endpoint": endpoint(front), "file": str(path), "storage": str(tmp_path / "urls.json")}
    front.hold_after(HALF_BYTES)
    first = witness.start(**options)
    url = first.event()["url"]
    assert front.holding.wait(20)
    first.kill()
    kept_bytes = arrived(lasting_server, url, HALF_BYTES)
    front.cut()
    assert witness.run(**options)[-1] == {"event": "done", "url": url}
    assert content(lasting_server, url) == CONTENT
    asked(lasting_server, url, ("PATCH", 204, len(CONTENT) - kept_bytes))


def test_parallel_uploads_become_one_file(
    lasting_server: RunningServer, front: Front, witness: Witness, path: Path
) -> None:
    before = len(requests.get(f"{lasting_server.url}/v1/files", timeout=10).json()["files"])
    *_, done = witness.run(
        endpoint=endpoint(front), file=str(path), parallelUploads=3, metadata={"filename": "parallel.bin"}
    )
    assert record(lasting_server, done["url"])["filename"] == "parallel.bin"
    assert content(lasting_server, done["url"]) == CONTENT
    after = len(requests.get(f"{lasting_server.url}/v1/files", timeout=10).json()["files"])
    assert after == before + 1
    answer = requests.head(f"{lasting_server.url}/tus/{id_of(done['url'])}", headers=TUS, timeout=10)
    assert len(answer.headers["Upload-Concat"].split(" ")) == 3


def test_a_client_without_patch_says_what_it_means(
    lasting_server: RunningServer, front: Front, witness: Witness, path: Path
) -> None:
    *_, done = witness.run(endpoint=endpoint(front), file=str(path), overridePatchMethod=True, chunkSize=3 << 20)
    assert content(lasting_server, done["url"]) == CONTENT
    rest_bytes = len(CONTENT) - (6 << 20)
    requests_made = asked(lasting_server, done["url"], ("POST", 204, 3 << 20), ("POST", 204, rest_bytes))
    assert [method for method, _, _ in requests_made] == ["POST"] * 3


@pytest.mark.parametrize("finished", [True, False])
def test_an_upload_is_terminated(
    finished: bool, lasting_server: RunningServer, front: Front, witness: Witness, path: Path
) -> None:
    if finished:
        url = witness.run(endpoint=endpoint(front), file=str(path))[-1]["url"]
    else:
        begun = requests.post(endpoint(front), headers=TUS | {"Upload-Length": "5"}, timeout=10)
        url = endpoint(front) + begun.headers["Location"]
    assert witness.run(terminate=url) == [{"event": "done", "url": url}]
    assert requests.head(url, headers=TUS, timeout=10).status_code == 404
    assert requests.get(f"{lasting_server.url}/v1/files/{id_of(url)}", timeout=10).status_code == 404


def test_a_server_that_is_killed_in_a_patch_keeps_what_had_come(
    server_of: Callable[..., RunningServer], witness: Witness, path: Path
) -> None:
    server = server_of()
    with front_of(server.port) as front:
        front.hold_after(HALF_BYTES)
        running = witness.start(endpoint=endpoint(front), file=str(path), retryDelays=[100] * 200)
        url = running.event()["url"]
        assert front.holding.wait(20)
        kept_bytes = arrived(server, url, HALF_BYTES)
        server.kill()
        server.restart()
        assert offset_bytes(server, url) == kept_bytes
        front.send_to(server.port)
        front.cut()
        *_, done = running.rest()
        assert done == {"event": "done", "url": url}
        assert content(server, url) == CONTENT
        asked(server, url, ("PATCH", 204, len(CONTENT) - kept_bytes))
        assert "Traceback" not in server.errors
