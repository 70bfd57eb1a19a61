"""Asks as tus does, in-process, for the tests of tus."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urljoin

from falcon.testing import Result, TestClient

from tests.server.test_uploads import CONTENT

VERSION = {"Tus-Resumable": "1.0.0"}
PATCH = {"Content-Type": "application/offset+octet-stream"}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def ask(client: TestClient, method: str, path: str, body: bytes | None = None, **headers: str) -> Result:
    """A request in tus's version; `Upload_Offset="0"` stands for a header."""
    said = VERSION | {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.simulate_request(method, path, headers=said, body=body)
    assert answer.headers["Tus-Resumable"] == "1.0.0", "every answer tells the version"
    return answer


def create(client: TestClient, size_bytes: int = len(CONTENT), **headers: str) -> str:
    answer = ask(client, "POST", "/tus/", Upload_Length=str(size_bytes), **headers)
    assert answer.status_code == 201, answer.text
    return urljoin("/tus/", answer.headers["Location"])


def patch(client: TestClient, url: str, offset_bytes: int, data: bytes, **headers: str) -> Result:
    length = {} if data else {"Content-Length": "0"}
    return ask(client, "PATCH", url, data, Upload_Offset=str(offset_bytes), **PATCH, **length, **headers)


def head(client: TestClient, url: str, **headers: str) -> Result:
    answer = ask(client, "HEAD", url, **headers)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.content == b""
    return answer


def offset_bytes(client: TestClient, url: str) -> int:
    return int(head(client, url).headers["Upload-Offset"])


def id_of(url: str) -> str:
    return url.rpartition("/")[2]


def listed(client: TestClient) -> list[dict[str, Any]]:
    return list(client.simulate_get("/v1/files").json["files"])


def content(client: TestClient, url: str) -> bytes:
    return bytes(client.simulate_get(f"/v1/files/{id_of(url)}/content").content)


def part(client: TestClient, data: bytes, **headers: str) -> str:
    url = create(client, len(data), Upload_Concat="partial", **headers)
    if data:
        assert patch(client, url, 0, data).status_code == 204
    return url


class CutInput(io.BytesIO):
    """A body of which only so many bytes come, in pieces, and then something happens."""

    def __init__(self, pieces: Iterable[bytes], then: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self._pieces = iter(pieces)
        self._then = then

    def read(self, size_bytes: int | None = -1) -> bytes:
        if piece := next(self._pieces, b""):
            return piece
        self._then()
        return b""


def cut_patch(client: TestClient, url: str, source: CutInput, **headers: str) -> Result:
    """A patch that promises all of `CONTENT`."""
    said = VERSION | PATCH | {"Upload-Offset": "0"} | {name.replace("_", "-"): value for name, value in headers.items()}
    extras = {"wsgi.input": source, "CONTENT_LENGTH": str(len(CONTENT))}
    return client.simulate_patch(url, headers=said, extras=extras)
