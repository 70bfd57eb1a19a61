"""tuspy, which others wrote, against real gunicorn: cut, damaged, killed and resumed."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tusclient.client import TusClient
from tusclient.uploader import Uploader

from tests.server.tus_witnesses.conftest import CONTENT, arrived, asked, content, offset_bytes, record
from tests.server.tus_witnesses.fronts import Front, front_of
from tests.servers import RunningServer

HALF_BYTES = 4 << 20


def uploader(front: Front, **options: object) -> Uploader:
    options = {"file_stream": io.BytesIO(CONTENT), "metadata": {"filename": "tuspy.bin"}} | options
    return TusClient(f"{front.url}/tus/").uploader(**options)


def test_a_file_travels_in_chunks(lasting_server: RunningServer, front: Front) -> None:
    upload = uploader(
        front, chunk_size=3 << 20, metadata={"filename": "Übung.bin", "filetype": "video/mp4", "who": "me"}
    )
    upload.upload()
    file = record(lasting_server, upload.url)
    assert (file["filename"], file["content_type"], file["metadata"]) == ("Übung.bin", "video/mp4", {"who": "me"})
    assert content(lasting_server, upload.url) == CONTENT


def test_an_empty_file_travels(lasting_server: RunningServer, front: Front) -> None:
    upload = uploader(front, file_stream=io.BytesIO())
    upload.upload()
    assert record(lasting_server, upload.url)["size_bytes"] == 0


def test_an_upload_is_resumed_by_its_url(lasting_server: RunningServer, front: Front) -> None:
    first = uploader(front, chunk_size=1 << 20)
    first.upload(stop_at=3 << 20)
    second = uploader(front, url=first.url)
    assert second.offset == 3 << 20
    second.upload()
    assert content(lasting_server, first.url) == CONTENT


def test_a_cut_wire_costs_nothing_that_had_come(lasting_server: RunningServer, front: Front) -> None:
    upload = uploader(front, retries=20, retry_delay=0.05)
    upload.set_url(upload.create_url())
    front.hold_after(HALF_BYTES)
    with ThreadPoolExecutor(1) as sender:
        sent = sender.submit(upload.upload)
        assert front.holding.wait(20)
        kept_bytes = arrived(lasting_server, upload.url, HALF_BYTES)
        front.cut()
        sent.result(30)
    asked(lasting_server, upload.url, ("PATCH", 400, kept_bytes), ("PATCH", 204, len(CONTENT) - kept_bytes))
    assert content(lasting_server, upload.url) == CONTENT


def test_a_killed_client_is_followed_by_another_one(lasting_server: RunningServer, front: Front) -> None:
    url = uploader(front).create_url()
    front.hold_after(HALF_BYTES)
    client = subprocess.Popen([sys.executable, "-c", _CLIENT, url], stdin=subprocess.PIPE)
    assert client.stdin is not None
    client.stdin.write(CONTENT)
    client.stdin.close()
    assert front.holding.wait(20)
    client.kill()
    client.wait()
    kept_bytes = arrived(lasting_server, url, HALF_BYTES)
    front.cut()
    follower = uploader(front, url=url)
    assert follower.offset == kept_bytes
    follower.upload()
    assert content(lasting_server, url) == CONTENT


_CLIENT = """
import io, sys
from tusclient.uploader import Uploader
Uploader(file_stream=io.BytesIO(sys.stdin.buffer.read()), url=sys.argv[1]).upload()
"""


def test_bytes_that_were_damaged_on_their_way_are_sent_again(lasting_server: RunningServer, front: Front) -> None:
    upload = uploader(front, chunk_size=3 << 20, upload_checksum=True, retries=1, retry_delay=0)
    upload.set_url(upload.create_url())
    front.spoil_at(2 << 20)
    upload.upload()
    asked(lasting_server, upload.url, ("PATCH", 460, 3 << 20), ("PATCH", 204, 3 << 20))
    assert content(lasting_server, upload.url) == CONTENT


def test_the_same_damage_without_a_checksum_is_in_the_file(lasting_server: RunningServer, front: Front) -> None:
    upload = uploader(front, chunk_size=3 << 20)
    upload.set_url(upload.create_url())
    front.spoil_at(2 << 20)
    upload.upload()
    found = content(lasting_server, upload.url)
    assert [a ^ b for a, b in zip(found, CONTENT, strict=True) if a != b] == [1]


def test_a_server_that_is_killed_in_a_patch_keeps_what_had_come(server_of: Callable[..., RunningServer]) -> None:
    server = server_of()
    with front_of(server.port) as front:
        upload = uploader(front, retries=200, retry_delay=0.1)
        upload.set_url(upload.create_url())
        front.hold_after(HALF_BYTES)
        with ThreadPoolExecutor(1) as sender:
            sent = sender.submit(upload.upload)
            assert front.holding.wait(20)
            kept_bytes = arrived(server, upload.url, HALF_BYTES)
            server.kill()
            server.restart()
            assert offset_bytes(server, upload.url) == kept_bytes
            front.send_to(server.port)
            front.cut()
            sent.result(60)
        assert content(server, upload.url) == CONTENT
        assert "Traceback" not in server.errors
