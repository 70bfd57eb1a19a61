"""Ready or not, and why; and a stop with notice."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.server.disks import small_disk
from tests.server.hanging import hung
from tests.servers import RunningServer, wait_for
from upswarm_server import shared
from upswarm_server.stores.filesystem import free_bytes
from upswarm_server.vitals import Bounded

ServerOf = Callable[..., RunningServer]
HANGING = "tests.server.hanging:HangingCatalog"


def get(server: RunningServer, path: str) -> requests.Response:
    return requests.get(f"{server.url}{path}", timeout=15)


def reasons(server: RunningServer) -> list[str]:
    """Why the server is not ready; each request is on a connection of its own, so that any worker may answer."""
    answer = get(server, "/health/ready")
    return [] if answer.status_code == 200 else list(answer.json()["reasons"])


def upload(server: RunningServer, content: bytes = b"abc") -> dict[str, Any]:
    """A file, by init, chunk and finalize."""
    about = {"filename": "a.bin", "size_bytes": len(content)}
    url = f"{server.url}/v1/uploads"
    url += "/" + requests.post(url, json=about, timeout=15).json()["upload_id"]
    assert requests.put(f"{url}/chunks/0", data=content, timeout=15).status_code == 204
    answer = requests.post(f"{url}/finalize", timeout=15)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_every_reason_is_told_at_once(server_of: ServerOf) -> None:
    server = server_of(workers=1, min_free="8000TiB", drain="60s", catalog=HANGING)
    server.process.send_signal(signal.SIGTERM)
    wait_for(lambda: "draining" in reasons(server))
    with hung(server.data_dir):
        answer = get(server, "/health/ready")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    draining, space, catalog = answer.json()["reasons"]
    assert draining == "draining"
    assert space.startswith(f"expected {8000 << 40} B of free space, found ")
    assert catalog == "the catalog does not answer: no answer within 2 s"


def test_a_catalog_that_hangs_stops_neither_readiness_nor_anybody_else(server_of: ServerOf) -> None:
    server = server_of(workers=1, catalog=HANGING)
    with hung(server.data_dir), concurrent.futures.ThreadPoolExecutor(42) as askers:
        asked = [askers.submit(reasons, server) for _ in range(40)]  # more than the worker has threads
        upload(server)
        assert get(server, "/health/live").status_code == 200
        summary, scrape = (askers.submit(get, server, path) for path in ("/health", "/metrics"))
        assert {tuple(each.result()) for each in asked} == {("the catalog does not answer: no answer within 2 s",)}
        assert summary.result().json()["status"] == "not ready"
        assert summary.result().json()["open_uploads"] is None
        scraped = scrape.result().text
    assert "\nupswarm_files 1.0\n" in scraped
    assert "upswarm_open_uploads" not in scraped
    wait_for(lambda: not reasons(server))
    assert reasons(server) == []


def test_the_summary_tells_of_all_workers_whichever_answers(server_of: ServerOf) -> None:
    server = server_of(workers=2)
    for pid in server.workers:
        with server.answered_by(pid):
            upload(server)
    summaries = []
    for pid in server.workers:
        with server.answered_by(pid):
            summaries.append(get(server, "/health").json())
    assert {summary["pid"] for summary in summaries} == server.workers
    for summary in summaries:
        assert summary["catalog"] == {"commits": 4, "records": 4, "waiting": 0}
        assert summary["open_uploads"] == 0
    first, second = (summary["uptime_s"] for summary in summaries)
    assert 0 < first <= second, "it is the server's, not the worker's"


def drained(server: RunningServer) -> None:
    """Tell it to stop, and see that all its workers say so."""
    server.process.send_signal(signal.SIGTERM)
    wait_for(lambda: reasons(server) == ["draining"])
    assert [reasons(server) for _ in range(10)] == [["draining"]] * 10


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_draining_server_serves_until_it_is_told_again(server_of: ServerOf, second: signal.Signals) -> None:
    server = server_of(workers=2, drain="60s")
    drained(server)
    assert upload(server)["size_bytes"] == 3
    assert get(server, "/health").json()["reasons"] == ["draining"]
    assert "\nupswarm_draining 1.0\n" in get(server, "/metrics").text
    server.process.send_signal(second)
    assert server.wait() == 0
    assert server.errors == ""


def test_draining_ends_by_itself(server_of: ServerOf) -> None:
    server = server_of(workers=1, drain="1s")
    drained(server)
    assert server.wait() == 0
    assert server.errors == ""


def test_a_worker_that_dies_while_draining_is_replaced_by_one_that_knows(server_of: ServerOf) -> None:
    server = server_of(workers=1, drain="60s")
    drained(server)
    before = get(server, "/health").json()["pid"]
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: _pid(server) not in {before, None}, 10)
    assert _pid(server) not in {before, None}
    assert reasons(server) == ["draining"]


def _pid(server: RunningServer) -> int | None:
    try:
        return int(requests.get(f"{server.url}/health", timeout=1).json()["pid"])
    except requests.RequestException:
        return None


def test_a_question_is_asked_once_however_many_wait_for_its_answer() -> None:
    answering = threading.Event()
    asked: list[int] = []

    def question() -> int:
        asked.append(1)
        answering.wait(10)
        return len(asked)

    bounded = Bounded(question, patience_s=10)
    with concurrent.futures.ThreadPoolExecutor(8) as askers:
        answers = [askers.submit(bounded) for _ in range(8)]
        wait_for(lambda: bool(asked))
        answering.set()
        assert {answer.result() for answer in answers} <= {1, 2}
    assert len(asked) <= 2


def test_who_gave_up_waiting_does_not_get_an_old_answer_later() -> None:
    answering = threading.Event()
    answers = iter([1, 2])

    def question() -> int:
        answering.wait(10)
        return next(answers)

    bounded = Bounded(question, patience_s=0.05)
    for _ in range(3):
        with pytest.raises(TimeoutError, match=r"no answer within 0\.05 s"):
            bounded()
    answering.set()
    wait_for(lambda: bounded._answer is not None and bounded._answer.done())
    assert bounded() == 2


def test_what_a_question_raises_is_for_who_asked_and_the_next_one_asks_again() -> None:
    answers = iter([OSError(5, "broken"), 7])

    def question() -> int:
        found = next(answers)
        if isinstance(found, OSError):
            raise found
        return found

    bounded = Bounded(question)
    with pytest.raises(OSError, match="broken"):
        bounded()
    assert bounded() == 7


def test_where_no_server_was_begun_nothing_drains() -> None:
    assert not shared.draining()
    assert shared.started_s() is None


def test_a_disk_on_which_nothing_finds_a_place_has_no_space_and_one_that_is_read_only_does_not_work(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        assert free_bytes(disk.seen) > 0
        ballast = disk.fill()
        assert free_bytes(disk.seen) == 0
        ballast.unlink()
        disk.run(f"mkdir {disk.path}/inner")
        with disk.read_only(disk.path / "inner"), pytest.raises(OSError, match="Read-only"):
            free_bytes(disk.seen / "inner")
        assert list(disk.seen.iterdir()) == [disk.seen / "inner"]
