"""`/metrics`: whichever worker answers, it tells of all of them, and what was counted stays counted."""

from __future__ import annotations

import concurrent.futures
import os
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest
import requests
from falcon.testing import TestClient, create_environ
from prometheus_client.parser import text_string_to_metric_families

from tests.server.conftest import NOW_S
from tests.servers import RunningServer, wait_for
from upswarm_server.app import create_app, prepare
from upswarm_server.catalogs.base import Commits
from upswarm_server.catalogs.memory import MemoryCatalog
from upswarm_server.meter import SILENT, Meter
from upswarm_server.metrics import TABLE
from upswarm_server.observed import plain
from upswarm_server.settings import Settings
from upswarm_server.stores.memory import MemoryStore

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "server.md").read_text()
ServerOf = Callable[..., RunningServer]
Sample = tuple[str, frozenset[tuple[str, str]]]
CHUNK = "/v1/uploads/{upload_id}/chunks/{index}"


def samples(text: str, kinds: tuple[str, ...] = ("counter", "gauge", "histogram")) -> dict[Sample, float]:
    """Every sample of a scrape by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        if family.type in kinds
        for sample in family.samples
    }


def scrape(server: RunningServer) -> dict[Sample, float]:
    """On a connection of its own, so that any worker may answer."""
    answer = requests.get(f"{server.url}/metrics", timeout=10)
    assert answer.status_code == 200, answer.text
    return samples(answer.text)


def of(name: str, **labels: str) -> Sample:
    return name, frozenset(labels.items())


def upload(server: RunningServer, number: int) -> None:
    """A file of so many bytes, by init, chunk and finalize on one connection."""
    with requests.Session() as session:
        about = {"filename": f"{number}.bin", "size_bytes": number}
        url = f"{server.url}/v1/uploads"
        url += "/" + session.post(url, json=about, timeout=10).json()["upload_id"]
        assert session.put(f"{url}/chunks/0", data=bytes(number), timeout=10).status_code == 204
        assert session.post(f"{url}/finalize", timeout=10).status_code == 201


def upload_many(server: RunningServer) -> None:
    """Files of 1 to 40 bytes, half of them through the one of two workers and half through the other."""
    with concurrent.futures.ThreadPoolExecutor(8) as clients:
        for first, pid in zip((1, 21), server.workers, strict=True):
            with server.answered_by(pid):
                list(clients.map(lambda number: upload(server, number), range(first, first + 20)))


def test_a_scrape_of_any_worker_counts_exactly_what_was_sent_to_all(server_of: ServerOf) -> None:
    server = server_of(workers=2)
    upload_many(server)
    answered = Counter(line.pid for line in server.access_log(120))
    assert answered == dict.fromkeys(server.workers, 60)
    for pid in server.workers:
        with server.answered_by(pid):
            require_counted(scrape(server))


def require_counted(found: dict[Sample, float]) -> None:
    for route, method, status in (
        ("/v1/uploads", "POST", "201"),
        (CHUNK, "PUT", "204"),
        ("/v1/uploads/{upload_id}/finalize", "POST", "201"),
    ):
        assert found[of("upswarm_requests_total", route=route, method=method, status=status)] == 40
        assert found[of("upswarm_request_duration_seconds_count", route=route)] == 40
    assert found[of("upswarm_received_bytes_total", route=CHUNK)] == sum(range(41))
    assert found[of("upswarm_committed_records_total")] == 80
    assert 0 < found[of("upswarm_commits_total")] <= 80
    assert found[of("upswarm_commit_duration_seconds_count")] == found[of("upswarm_commits_total")]
    assert found[of("upswarm_sync_duration_seconds_count")] == 40
    assert found[of("upswarm_waiting_records")] == 0
    assert found[of("upswarm_open_uploads")] == 0
    assert found[of("upswarm_files")] == 40
    assert found[of("upswarm_stored_bytes")] == sum(range(41))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=lambda how: how.name)
def test_counters_do_not_go_back_when_a_worker_ends(server_of: ServerOf, how: signal.Signals) -> None:
    server = server_of(workers=2)
    upload_many(server)
    victim = min(server.workers)
    before = samples(requests.get(f"{server.url}/metrics", timeout=10).text, ("counter", "histogram"))
    gauges = list(directory_of(victim).glob(f"gauge_*_{victim}.db"))
    assert gauges
    os.kill(victim, how)
    wait_for(lambda: not psutil.pid_exists(victim) and len(server.workers) == 2, 10)
    for pid in server.workers:
        with server.answered_by(pid):
            after = scrape(server)
            assert not {name: value for name, value in before.items() if after.get(name, -1) < value}
            require_counted(after)
    assert [path for path in gauges if path.exists()] == []
    upload(server, 1)
    assert scrape(server)[of("upswarm_sync_duration_seconds_count")] == 41


def directory_of(pid: int) -> Path:
    """Where this worker counts."""
    return Path(next(file.path for file in psutil.Process(pid).open_files() if file.path.endswith(".db"))).parent


def test_the_directory_of_the_counters_is_gone_when_the_server_is(server_of: ServerOf) -> None:
    server = server_of(workers=1)
    (pid,) = server.workers
    directory = directory_of(pid)
    assert directory.stat().st_mode & 0o077 == 0
    assert server.stop() == 0
    assert not directory.exists()


def test_what_a_killed_server_left_is_removed_by_the_next_and_counters_begin_anew(server_of: ServerOf) -> None:
    server = server_of(workers=1)
    upload(server, 1)
    bystander = server_of(workers=1)
    directories = [directory_of(*each.workers) for each in (server, bystander)]
    server.kill()
    assert directories[0].exists()
    server.start()
    assert [directory.exists() for directory in directories] == [False, True]
    found = scrape(server)
    assert of("upswarm_received_bytes_total", route=CHUNK) not in found
    assert found[of("upswarm_files")] == 1


def test_metrics_need_the_token_where_there_is_one(server_of: ServerOf) -> None:
    server = server_of(workers=1, tokens="secret")
    assert requests.get(f"{server.url}/metrics", timeout=10).status_code == 401
    answer = requests.get(f"{server.url}/metrics", headers={"Authorization": "Bearer secret"}, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "secret" not in answer.text
    assert samples(answer.text)[of("upswarm_requests_total", route="none", method="GET", status="401")] == 1


def test_a_scrape_has_every_metric_and_no_other(server_of: ServerOf) -> None:
    server = server_of(workers=1, faults='[{"phase": "probe", "share": 1, "status": 503}]')
    upload(server, 1)
    unknown = f"{server.url}/v1/uploads/00000000-0000-4000-8000-000000000000"
    assert requests.get(unknown, timeout=10).status_code == 503
    text = requests.get(f"{server.url}/metrics", timeout=10).text
    found = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    assert found == {row.name: row.kind for row in TABLE}
    for row in TABLE:
        assert f"# HELP {row.name} {row.help}\n" in text
        labels = {frozenset(key) - {"le"} for name, key in labels_in(text) if name.startswith(row.name)}
        assert labels == {frozenset(row.labels)}, row.name


def labels_in(text: str) -> set[tuple[str, frozenset[str]]]:
    return {(name, frozenset(key for key, _ in labels)) for name, labels in samples(text)}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_every_metric_is_documented(row) -> None:
    labels = ", ".join(f"`{label}`" for label in row.labels)
    assert f"| `{row.name}` | {row.kind} | {labels} | {row.help} |" in DOCS


def test_no_documented_metric_is_unknown() -> None:
    assert re.findall(r"^\| `(upswarm_\w+)` \|", DOCS, re.MULTILINE) == [row.name for row in TABLE]


def test_units_are_in_the_names_as_prometheus_wants_them() -> None:
    for row in TABLE:
        assert row.name.startswith("upswarm_")
        assert row.name.endswith("_total") == (row.kind == "counter")
        assert row.kind != "histogram" or row.name.endswith("_seconds")


class Noted:
    """A meter that remembers what it was told of requests."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.received_bytes: Counter[str] = Counter()

    def request(self, route: str, method: str, status: int, received_bytes: int, seconds: float) -> None:
        self.requests[route, method, status] += 1
        self.received_bytes[route] += received_bytes
        assert 0 <= seconds < 60

    def fault(self, phase: str, kind: str) -> None:
        """Nothing."""

    def commit(self, records: int, seconds: float) -> None:
        """Nothing."""

    def waiting(self, records: int) -> None:
        """Nothing."""

    def sync(self, seconds: float) -> None:
        """Nothing."""

    def expired(self, uploads: int, freed_bytes: int) -> None:
        """Nothing."""

    def commits(self) -> Commits | None:
        return Commits(7, 8, 9)

    def text(self, now: Mapping[str, float]) -> bytes | None:
        return repr(sorted(now)).encode()


@pytest.fixture
def noted() -> Noted:
    return Noted()


def client_with(meter: Meter, **settings: object) -> TestClient:
    made = Settings(**settings)
    return TestClient(create_app(made, store=MemoryStore(), catalog=MemoryCatalog(), clock=lambda: NOW_S, meter=meter))


def test_whatever_a_client_sends_routes_and_methods_are_few(noted: Noted) -> None:
    client = client_with(noted, tokens=("one",))
    known = {"Authorization": "Bearer one"}
    for number in range(5):
        client.simulate_get(f"/{number}", headers=known)
        client.simulate_get(f"/v1/files/{number}", headers=known)
        client.simulate_get(f"/v1/files/{number}?{number}={number}", headers=known)
        client.simulate_put(f"/v1/uploads/a/chunks/x{number}", headers=known)
        client.simulate_put(f"/v1/uploads/{number}/chunks/{number}", body=b"abc", headers=known)
        client.simulate_get(f"/v1/files/{number}")
        for method in ("BREW", f"M{number}"):
            call(client, method, f"/v1/files/{number}", known)
    assert noted.requests == {
        ("none", "GET", 404): 5,
        ("/v1/files/{file_id}", "GET", 404): 10,
        ("none", "PUT", 404): 5,
        (CHUNK, "PUT", 404): 5,
        ("none", "GET", 401): 5,
        ("/v1/files/{file_id}", "other", 400): 10,
    }
    assert noted.received_bytes[CHUNK] == 15


def call(client: TestClient, method: str, path: str, headers: dict[str, str]) -> None:
    """As `simulate_request`, which warns of methods that are none."""
    environ = create_environ(path, headers=headers) | {"REQUEST_METHOD": method}
    list(client.app(environ, lambda status, headers: None))


def test_a_request_counts_before_its_client_has_the_answer(noted: Noted) -> None:
    client = client_with(noted)
    seen: list[int] = []
    client.app(create_environ("/health/live"), lambda status, headers: seen.append(noted.requests.total()))
    assert seen == [1]


def test_a_torn_body_counts_with_what_came(server_of: ServerOf) -> None:
    server = server_of(workers=1)
    about = {"filename": "a", "size_bytes": 1000}
    upload_id = requests.post(f"{server.url}/v1/uploads", json=about, timeout=10).json()["upload_id"]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        head = f"PUT /v1/uploads/{upload_id}/chunks/0 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
        connection.sendall(head.encode() + bytes(400))
        connection.shutdown(socket.SHUT_WR)
        connection.makefile("rb").read()
    found = scrape(server)
    assert found[of("upswarm_requests_total", route=CHUNK, method="PUT", status="400")] == 1
    assert found[of("upswarm_received_bytes_total", route=CHUNK)] == 400
    assert found[of("upswarm_open_uploads")] == 1


def test_what_expired_is_counted(server_of: ServerOf) -> None:
    server = server_of(workers=2, upload_lifetime="1s", reap_every="100ms")
    for size_bytes in (1000, 500):
        about = {"filename": "a", "size_bytes": size_bytes}
        assert requests.post(f"{server.url}/v1/uploads", json=about, timeout=10).status_code == 201
    wait_for(lambda: scrape(server)[of("upswarm_expired_uploads_total")] == 2)
    found = scrape(server)
    assert found[of("upswarm_expired_uploads_total")] == 2
    assert found[of("upswarm_expired_bytes_total")] == 1500


def test_without_a_meter_there_are_no_metrics_and_the_answer_says_why() -> None:
    answer = client_with(SILENT).simulate_get("/metrics")
    assert answer.status_code == 404
    assert "server/gunicorn.conf.py" in answer.json["detail"]


def test_health_tells_what_the_meter_counted(noted: Noted) -> None:
    summary = client_with(noted).simulate_get("/health").json
    assert summary["catalog"] == {"commits": 7, "records": 8, "waiting": 9}


def test_templates_are_written_as_in_the_documentation() -> None:
    assert plain("/v1/uploads/{upload_id}/chunks/{index:digits}") == CHUNK
    assert plain("/a/{b:int(min=1, max=3)}/{c}") == "/a/{b}/{c}"


@pytest.mark.parametrize("configured", [True, False])
def test_a_gunicorn_of_ones_own_has_metrics_or_says_why_not(tmp_path: Path, configured: bool) -> None:
    prepare(Settings(data_dir=tmp_path / "data"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    own = ["--config", "server/gunicorn.conf.py"]
    if not configured:
        own = ["--config", "/dev/null", "--worker-class", "upswarm_server.worker.UploadWorker"]
        own += ["--no-control-socket", "--bind", f"127.0.0.1:{port}", "upswarm_server.serve:worker_app()"]
    settings = {"UPSWARM_PORT": str(port), "UPSWARM_DATA_DIR": str(tmp_path / "data"), "UPSWARM_WORKERS": "1"}
    command = [sys.executable, "-m", "gunicorn", *own]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for(lambda: _answers(port), 20)
            answer = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10)
        finally:
            process.terminate()
            assert process.stderr is not None
            said = process.stderr.read()
    assert process.returncode == 0
    assert answer.status_code == (200 if configured else 404)
    assert ("there are no metrics" in said) == (not configured)


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/health/live", timeout=1).status_code == 200
    except requests.RequestException:
        return False
