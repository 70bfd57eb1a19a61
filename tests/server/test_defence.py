"""Who may do what, over what, and how much of it: tokens with scopes, TLS, and bounds."""

from __future__ import annotations

import resource
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
import requests
import trustme
from falcon.testing import TestClient

from tests.server.conftest import ClientOf
from tests.servers import RunningServer, wait_for
from upswarm.errors import UsageError
from upswarm_server import tls
from upswarm_server.settings import Settings, SettingsError

ServerOf = Callable[..., RunningServer]
READ, WRITE, BOTH = "reader", "writer", "both"
TOKENS = (f"{READ}:read", f"{WRITE}:write", BOTH)
NOBODY = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def client(client_of: ClientOf) -> TestClient:
    return client_of(tokens=TOKENS)


def code(client: TestClient, method: str, path: str, token: str) -> str:
    answer = client.simulate_request(method, path, headers={"Authorization": f"Bearer {token}"})
    return str(answer.json["code"]) if answer.status_code >= 400 and answer.text else str(answer.status_code)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/uploads"),
        ("PUT", f"/v1/uploads/{NOBODY}/chunks/0"),
        ("POST", f"/v1/uploads/{NOBODY}/finalize"),
        ("DELETE", f"/v1/uploads/{NOBODY}"),
        ("POST", "/v1/files"),
        ("DELETE", f"/v1/files/{NOBODY}"),
    ],
)
def test_a_token_for_reading_changes_nothing(client, method, path):
    assert code(client, method, path, READ) == "forbidden"
    for token in (WRITE, BOTH):
        assert code(client, method, path, token) not in {"forbidden", "unauthorized"}


@pytest.mark.parametrize("path", ["/v1/files", f"/v1/files/{NOBODY}", f"/v1/files/{NOBODY}/content", "/metrics"])
def test_a_token_for_uploading_reads_no_files(client, path):
    assert code(client, "GET", path, WRITE) == "forbidden"
    for token in (READ, BOTH):
        assert code(client, "GET", path, token) not in {"forbidden", "unauthorized"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", f"/v1/uploads/{NOBODY}"), ("POST", "/v1/files/check"), ("GET", "/health"), ("GET", "/openapi.json")],
)
def test_either_token_may_ask(client, method, path):
    for token in (READ, WRITE, BOTH):
        assert code(client, method, path, token) not in {"forbidden", "unauthorized"}


@pytest.mark.parametrize("token", ["", "reade", "readerr", "reader:read", "READER", "ö", "both, writer"])
def test_what_is_no_token_of_ours_is_unauthorized(client, token):
    assert code(client, "GET", "/v1/files", token) == "unauthorized"


def test_a_token_is_not_shown_by_what_refuses_it_or_holds_it():
    with pytest.raises(SettingsError) as refused:
        Settings.from_environ({"UPSWARM_TOKENS": "fine,hunter2:admin"})
    assert "hunter2" not in str(refused.value)
    assert "something else in number 2" in str(refused.value)
    assert "hunter2" not in repr(Settings(tokens=("hunter2",)))


class Certificate(NamedTuple):
    """A certificate for the loopback, its key, and the authority to trust."""

    cert: Path
    key: Path
    trusted: Path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    directory = tmp_path_factory.mktemp("tls")
    cert, key, trusted = directory / "cert.pem", directory / "key.pem", directory / "trusted.pem"
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(key)
    issued.cert_chain_pems[0].write_to_path(cert)
    authority.cert_pem.write_to_path(trusted)
    return Certificate(cert, key, trusted)


def test_an_upload_over_tls(server_of: ServerOf, certificate: Certificate) -> None:
    cert, key, trusted = certificate
    server = server_of(tls_cert=cert, tls_key=key)
    assert server.url.startswith("https://127.0.0.1:")
    content = bytes(range(256)) * 4096
    send = partial(requests.request, verify=str(trusted), timeout=10)
    about = {"filename": "a", "size_bytes": len(content), "chunk_size_bytes": 1 << 19}
    upload = send("POST", f"{server.url}/v1/uploads", json=about).json()["upload_id"]
    for index in range(2):
        chunk = content[index << 19 : (index + 1) << 19]
        assert send("PUT", f"{server.url}/v1/uploads/{upload}/chunks/{index}", data=chunk).status_code == 204
    file = send("POST", f"{server.url}/v1/uploads/{upload}/finalize").json()["file_id"]
    assert send("GET", f"{server.url}/v1/files/{file}/content").content == content
    assert server.errors == ""


def until_closed(connection: socket.socket) -> bytes:
    try:
        return connection.makefile("rb").read()
    except ConnectionResetError:
        return b""


def test_who_speaks_no_tls_disturbs_nobody(server_of: ServerOf, certificate: Certificate) -> None:
    cert, key, trusted = certificate
    server = server_of(tls_cert=cert, tls_key=key, workers=1, keepalive="1s")
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as silent,
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain,
    ):
        plain.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert requests.get(f"{server.url}/health/live", verify=str(trusted), timeout=10).status_code == 200
        assert b"HTTP/1.1 200" not in until_closed(plain)
        assert silent.recv(1) == b""  # after the time for silence
    assert server.errors == ""


def test_old_versions_of_tls_are_not_spoken(server_of: ServerOf, certificate: Certificate) -> None:
    cert, key, trusted = certificate
    server = server_of(tls_cert=cert, tls_key=key, workers=1)
    context = ssl.create_default_context(cafile=str(trusted))
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection,
        pytest.raises(ssl.SSLError),
        context.wrap_socket(connection, server_hostname="127.0.0.1"),
    ):
        pytest.fail("an old version was spoken")


def test_a_certificate_that_can_not_be_used_is_told_in_a_sentence(tmp_path: Path, certificate: Certificate):
    cert, key, _ = certificate
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("nothing")
    for pair in ((cert, nothing), (nothing, key), (cert, cert), (tmp_path / "nowhere", key)):
        with pytest.raises(UsageError, match="can't be used with the key"):
            tls.check(Settings(tls_cert=pair[0], tls_key=pair[1]))
    tls.check(Settings(tls_cert=cert, tls_key=key))


def test_a_certificate_needs_its_key():
    with pytest.raises(SettingsError, match="found one without the other"):
        Settings.from_environ({"UPSWARM_TLS_CERT": "cert.pem"})


def begin(client: TestClient, **about: object) -> str:
    answer = client.simulate_post("/v1/uploads", json={"filename": "a", "size_bytes": 5} | about)
    return str(answer.json["code"]) if answer.status_code >= 400 else ""


def test_one_client_can_not_take_the_place_of_all(client_of: ClientOf) -> None:
    client = client_of(max_open_uploads_per_client=2)
    assert [begin(client, client_id="one") for _ in range(3)] == ["", "", "open_uploads_exceeded"]
    assert [begin(client, client_id="two") for _ in range(2)] == ["", ""]
    assert [begin(client) for _ in range(3)] == ["", "", "open_uploads_exceeded"]


@pytest.mark.parametrize(("depth", "expected"), [(3, ""), (4, "invalid_request"), (60_000, "invalid_request")])
def test_json_is_nested_no_deeper_than_it_may_be(client_of: ClientOf, depth: int, expected: str) -> None:
    client = client_of(max_json_depth=4, max_json_size_bytes=1 << 20)
    nested = '{"a":' * (depth - 1) + "[]" + "}" * (depth - 1)
    body = f'{{"filename": "a", "size_bytes": 1, "metadata": {nested}}}'.encode()
    answer = client.simulate_post("/v1/uploads", body=body, headers={"Content-Type": "application/json"})
    assert answer.json.get("code", "") == expected


def test_a_body_that_never_ends_is_cut_off_though_it_is_never_silent(server_of: ServerOf) -> None:
    server = server_of(request_timeout="500ms", workers=1)
    about = {"filename": "a", "size_bytes": 65536}
    upload_id = requests.post(f"{server.url}/v1/uploads", json=about, timeout=10).json()["upload_id"]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        head = f"PUT /v1/uploads/{upload_id}/chunks/0 HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n"
        connection.sendall(head.encode())
        ended = threading.Event()

        def trickle() -> None:
            while not ended.wait(0.05):
                connection.sendall(b"x")

        trickling = threading.Thread(target=trickle)
        trickling.start()
        answer = connection.makefile("rb").readline()
        ended.set()
        trickling.join()
    assert answer.startswith(b"HTTP/1.1 400 ")
    wait_for(lambda: len(server.access_log()) >= 2)
    assert 0 < server.access_log()[1].received_bytes < 65536


@contextmanager
def open_files(soft: int) -> Iterator[None]:
    """What is started in here may have so many files open."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_server_may_open_the_files_that_its_connections_need(server_of: ServerOf) -> None:
    with open_files(soft=512):
        server = server_of(worker_connections=700)
    limits = Path(f"/proc/{server.process.pid}/limits").read_text()
    (line,) = (line for line in limits.splitlines() if line.startswith("Max open files"))
    assert int(line.split()[3]) == 3 * 700 + 128
    assert server.errors == ""


_LOWERED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (512, 1024))
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_a_server_that_may_not_open_them_says_so(tmp_path: Path) -> None:
    server = RunningServer(tmp_path, worker_connections=700)
    server.launcher = (sys.executable, "-c", _LOWERED)
    try:
        server.start()
        assert "may need 2228 open files per worker, and the system's limit is 1024" in server.errors
    finally:
        server.close()
