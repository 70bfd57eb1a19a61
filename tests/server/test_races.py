"""Several clients want the same thing at the same moment, from several workers: one of them gets it, all are told."""

from __future__ import annotations

import concurrent.futures
import hashlib
import http.client
import random
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.servers import RunningServer, running_server, wait_for
from upswarm import digests

CHUNK_BYTES = 256 * 1024
CONTENT = random.Random(4).randbytes(3 * CHUNK_BYTES)
OTHER = random.Random(5).randbytes(3 * CHUNK_BYTES)
HALF = CHUNK_BYTES // 2


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("races"), workers=3, lock_wait="500ms") as server:
        yield server
        assert "Traceback" not in server.errors


def begin(server: RunningServer, **about: object) -> str:
    asked = {"filename": "a.bin", "size_bytes": len(CONTENT), "chunk_size_bytes": CHUNK_BYTES} | about
    return str(requests.post(f"{server.url}/v1/uploads", json=asked, timeout=10).json()["upload_id"])


def put(server: RunningServer, upload_id: str, index: int, content: bytes = CONTENT) -> requests.Response:
    data = content[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]
    return requests.put(f"{server.url}/v1/uploads/{upload_id}/chunks/{index}", data=data, timeout=10)


def probe(server: RunningServer, upload_id: str) -> dict[str, Any]:
    return dict(requests.get(f"{server.url}/v1/uploads/{upload_id}", timeout=10).json())


def finalize(server: RunningServer, upload_id: str) -> requests.Response:
    return requests.post(f"{server.url}/v1/uploads/{upload_id}/finalize", timeout=10)


def abort(server: RunningServer, upload_id: str) -> requests.Response:
    return requests.delete(f"{server.url}/v1/uploads/{upload_id}", timeout=10)


def content_of(server: RunningServer, upload_id: str) -> bytes:
    return requests.get(f"{server.url}/v1/files/{upload_id}/content", timeout=10).content


def at_once(ask: Callable[[], requests.Response], times: int) -> list[requests.Response]:
    with concurrent.futures.ThreadPoolExecutor(times) as askers:
        return [asking.result() for asking in [askers.submit(ask) for _ in range(times)]]


class Sender:
    """A client that sends the first half of a chunk, and the rest when it is told to."""

    def __init__(self, server: RunningServer, upload_id: str, index: int, content: bytes = CONTENT) -> None:
        self._data = content[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        self._connection.putrequest("PUT", f"/v1/uploads/{upload_id}/chunks/{index}")
        self._connection.putheader("Content-Length", str(CHUNK_BYTES))
        self._connection.endheaders(self._data[:HALF])

    def finish(self) -> tuple[int, bytes]:
        """Send the rest; the answer's status and body."""
        self._connection.send(self._data[HALF:])
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def hang_up(self) -> None:
        self._connection.close()


SenderOf = Callable[..., Sender]


@pytest.fixture
def sender_of(server: RunningServer) -> Iterator[SenderOf]:
    """Makes senders of which a worker knows by now, and leaves no connection open."""
    senders: list[Sender] = []

    def make(upload_id: str, index: int, content: bytes = CONTENT) -> Sender:
        before = times_open(server, upload_id)
        senders.append(Sender(server, upload_id, index, content))
        wait_for(lambda: times_open(server, upload_id) > before)
        return senders[-1]

    yield make
    for sender in senders:
        sender.hang_up()


def times_open(server: RunningServer, upload_id: str) -> int:
    """How often workers have the bytes of this upload open."""
    files = [file for worker in psutil.Process(server.process.pid).children() for file in worker.open_files()]
    return sum(upload_id in Path(file.path).name for file in files)


def test_many_finalizes_with_a_promised_digest_make_one_file(server: RunningServer) -> None:
    promised = digests.format_header("sha-256", hashlib.sha256(CONTENT).digest())
    upload_id = begin(server, digest=promised, client_id="many-finalizes")
    for index in range(3):
        assert put(server, upload_id, index).status_code == 204
    answers = at_once(lambda: finalize(server, upload_id), 12)
    assert {answer.status_code for answer in answers} <= {201, 503}  # 503: waited for the one that reads the file
    records = [answer.json() for answer in answers if answer.status_code == 201]
    assert records
    assert all(record == records[0] for record in records)
    listed = requests.get(f"{server.url}/v1/files?client_id=many-finalizes", timeout=10).json()["files"]
    assert listed == [finalize(server, upload_id).json()] == records[:1]


def test_the_same_bytes_sent_twice_at_once_are_a_success_for_both(server: RunningServer, sender_of: SenderOf) -> None:
    upload_id = begin(server)
    first, second = sender_of(upload_id, 0), sender_of(upload_id, 0)
    assert first.finish()[0] == 204
    assert second.finish()[0] == 204
    assert probe(server, upload_id)["received_chunks"] == [[0, 0]]


def test_of_different_bytes_sent_at_once_the_first_whole_ones_stay(server: RunningServer, sender_of: SenderOf) -> None:
    upload_id = begin(server)
    first, second = sender_of(upload_id, 0), sender_of(upload_id, 0, OTHER)
    assert first.finish()[0] == 204
    status, body = second.finish()
    assert (status, b"chunk_conflict" in body) == (409, True)
    assert [put(server, upload_id, index).status_code for index in (1, 2)] == [204, 204]
    finalize(server, upload_id)
    assert content_of(server, upload_id) == CONTENT


def test_who_waits_for_a_sender_that_hangs_up_takes_its_place(server: RunningServer, sender_of: SenderOf) -> None:
    upload_id = begin(server)
    first, second = sender_of(upload_id, 0, OTHER), sender_of(upload_id, 0)
    first.hang_up()
    assert second.finish()[0] == 204
    assert [put(server, upload_id, index).status_code for index in (1, 2)] == [204, 204]
    finalize(server, upload_id)
    assert content_of(server, upload_id) == CONTENT


def test_who_waits_too_long_for_another_sender_is_told_to_come_back(server: RunningServer, sender_of: SenderOf) -> None:
    upload_id = begin(server)
    first = sender_of(upload_id, 0)
    answer = put(server, upload_id, 0, OTHER)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert int(answer.headers["Retry-After"]) >= 1
    assert first.finish()[0] == 204
    assert put(server, upload_id, 0).status_code == 204


def test_a_finalize_while_the_last_chunk_arrives_makes_no_half_file(server: RunningServer, sender_of: SenderOf) -> None:
    upload_id = begin(server)
    assert [put(server, upload_id, index).status_code for index in (0, 1)] == [204, 204]
    sender = sender_of(upload_id, 2)
    answer = finalize(server, upload_id)
    assert answer.json()["code"] in {"upload_incomplete", "busy"}
    assert requests.get(f"{server.url}/v1/files/{upload_id}", timeout=10).status_code == 404
    assert sender.finish()[0] == 204
    assert finalize(server, upload_id).status_code == 201
    assert content_of(server, upload_id) == CONTENT


def test_a_repetition_that_arrives_during_a_finalize_changes_nothing(
    server: RunningServer, sender_of: SenderOf
) -> None:
    upload_id = begin(server)
    assert [put(server, upload_id, index).status_code for index in range(3)] == [204] * 3
    sender = sender_of(upload_id, 1, OTHER)
    assert finalize(server, upload_id).status_code in {201, 503}
    assert sender.finish()[0] == 409
    assert finalize(server, upload_id).status_code == 201
    assert content_of(server, upload_id) == CONTENT


def test_an_abort_during_a_chunk_gives_the_space_back_and_the_sender_hears_of_it(
    server: RunningServer, sender_of: SenderOf
) -> None:
    upload_id = begin(server)
    sender = sender_of(upload_id, 0)
    assert abort(server, upload_id).status_code == 204
    assert [path.name for path in server.data_dir.rglob(upload_id)] == []
    status, body = sender.finish()
    assert (status, b"upload_not_found" in body) == (404, True)
    assert [path.name for path in server.data_dir.rglob(upload_id)] == []
    assert probe(server, upload_id)["code"] == "upload_not_found"


def test_of_an_abort_and_finalizes_at_once_one_side_wins_and_all_agree(server: RunningServer) -> None:
    for attempt in range(5):
        upload_id = begin(server, client_id=f"abort-or-finalize-{attempt}")
        for index in range(3):
            put(server, upload_id, index)
        with concurrent.futures.ThreadPoolExecutor(4) as racers:
            finalizing = [racers.submit(finalize, server, upload_id) for _ in range(3)]
            aborted = racers.submit(abort, server, upload_id).result()
        answers = {each.result().status_code for each in finalizing}
        if aborted.status_code == 204:
            assert answers == {404}
            assert [path.name for path in server.data_dir.rglob(upload_id)] == []
        else:
            assert (aborted.status_code, answers) == (409, {201})
            assert content_of(server, upload_id) == CONTENT


def test_many_deletes_at_once_delete_once(server: RunningServer) -> None:
    upload_id = begin(server, size_bytes=0)
    finalize(server, upload_id)
    answers = at_once(lambda: requests.delete(f"{server.url}/v1/files/{upload_id}", timeout=10), 8)
    assert sorted(answer.status_code for answer in answers) == [204] + [404] * 7
    assert [path.name for path in server.data_dir.rglob(upload_id)] == []


def test_who_reads_a_file_while_it_is_deleted_reads_it_to_its_end(server: RunningServer) -> None:
    size_bytes = 48 << 20
    upload_id = begin(server, size_bytes=size_bytes, chunk_size_bytes=size_bytes)
    data = bytes(size_bytes)
    chunk = f"{server.url}/v1/uploads/{upload_id}/chunks/0"
    assert requests.put(chunk, data=data, timeout=20).status_code == 204
    assert finalize(server, upload_id).status_code == 201
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(
            f"GET /v1/files/{upload_id}/content HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        )
        reading = connection.makefile("rb")
        assert reading.readline() == b"HTTP/1.1 200 OK\r\n"
        assert requests.delete(f"{server.url}/v1/files/{upload_id}", timeout=10).status_code == 204
        assert requests.get(f"{server.url}/v1/files/{upload_id}/content", timeout=10).status_code == 404
        _, _, content = reading.read().partition(b"\r\n\r\n")
        reading.close()
    assert content == data
