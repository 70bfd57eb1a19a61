"""Filenames are data: they come back as they were sent, or are rejected, and never become a path."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import requests

from tests.servers import RunningServer, running_server

CONTENT = b"what is under the name"
_OURS = re.compile(r"[0-9a-f]{2}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

KEPT = {
    "spaces": " a  b ",
    "a leading dash": "-rf",
    "dots": "...",
    "hidden": ".bashrc",
    "a name that Windows reserves": "CON",
    "another one": "aux.txt",
    "a stream of NTFS": "a.txt::$DATA",
    "a drive": "C:autoexec.bat",
    "a trailing dot": "a.",
    "shell": "$(touch x);`y`|z & *?<>\"'",
    "a URL": "%2e%2e%2f%00",
    "a query": "a?b=c#d",
    "a header": "a; filename=b",
    "SQL": "'); DROP TABLE files; --",
    "a format": "%s%n{0}${x}",
    "HTML": "<img src=x onerror=alert(1)>",
    "one character": "a",
    "255 bytes": "b" * 255,
    "255 bytes of two each": "\u00e4" * 127 + "a",
    "bidi": "exe\u202egpj.txt",
    "zero width": "a\u200bb\ufeffc",
    "a composed letter": "\u00e9",
    "a decomposed letter": "e\u0301",
    "many combining marks": "e" + "\u0301" * 60,
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467.png",
    "slashes that are not": "a\u2215b\u2044c\uff0fd",
    "full-width dots": "\uff0e\uff0e",
    "a private character": "\ue000\U0010fffd",
    "a noncharacter": "a\ufffe\U0001ffff",
    "a replacement": "\ufffd",
    "line separators": "a\u2028b\u2029c",
    "the id of another": "7b7c1c86-2ac2-4d6f-b60e-0ad8f0d3dc4e",
    "a file of ours": "catalog.sqlite3",
}

REJECTED = {
    "empty": "",
    "this directory": ".",
    "the directory above": "..",
    "a path": "a/b",
    "an absolute path": "/etc/passwd",
    "a path upwards": "../../etc/passwd",
    "a path of Windows": "..\\..\\a",
    "NUL": "a\0.txt",
    "a newline": "a\r\nSet-Cookie: b",
    "an escape": "\x1b[2Ja",
    "delete": "a\x7f",
    "a C1 control": "a\u0085b",
    "256 bytes": "a" * 256,
    "300 bytes": "\u00e4" * 150,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("names"), workers=1) as server:
        yield server


@pytest.fixture(autouse=True)
def _nothing_is_named_by_a_client(server: RunningServer) -> Iterator[None]:
    yield
    named = {path.name for path in server.directory.rglob("*")}
    assert named & {*KEPT.values(), *REJECTED.values()} <= {"catalog.sqlite3"}
    below = [path.name for folder in ("data", "open") for path in (server.data_dir / folder).rglob("*")]
    assert [name for name in below if not _OURS.fullmatch(name)] == []
    assert "Traceback" not in server.errors


def init(server: RunningServer, filename: str) -> requests.Response:
    about = {"filename": filename, "size_bytes": len(CONTENT), "client_id": "names"}
    return requests.post(f"{server.url}/v1/uploads", data=json.dumps(about), timeout=10)


@pytest.mark.parametrize("kind", KEPT)
def test_a_name_comes_back_as_it_was_sent(server: RunningServer, kind: str) -> None:
    filename = KEPT[kind]
    upload_id = init(server, filename).json()["upload_id"]
    assert requests.get(f"{server.url}/v1/uploads/{upload_id}", timeout=10).json()["filename"] == filename
    requests.put(f"{server.url}/v1/uploads/{upload_id}/chunks/0", data=CONTENT, timeout=10)
    assert requests.post(f"{server.url}/v1/uploads/{upload_id}/finalize", timeout=10).json()["filename"] == filename
    by_prefix = {"prefix": filename, "client_id": "names"}
    listed = requests.get(f"{server.url}/v1/files", params=by_prefix, timeout=10).json()["files"]
    assert [file["file_id"] for file in listed if file["filename"] == filename] == [upload_id]
    answer = requests.get(f"{server.url}/v1/files/{upload_id}/content", timeout=10)
    assert answer.content == CONTENT
    disposition = answer.headers["Content-Disposition"]
    assert unquote(disposition.removeprefix("attachment; filename*=UTF-8''"), errors="strict") == filename
    assert disposition.isascii()
    assert not set(disposition) & set('"\\;\r\n') - {";"}


@pytest.mark.parametrize("kind", REJECTED)
def test_a_name_that_could_be_no_files_name_is_rejected(server: RunningServer, kind: str) -> None:
    answer = init(server, REJECTED[kind])
    assert (answer.status_code, answer.json()["code"]) == (422, "filename_rejected")
    asked = json.dumps({"filename": REJECTED[kind]})
    checked = requests.post(f"{server.url}/v1/files/check", data=asked, timeout=10).json()
    assert (checked["accepted"], checked["code"]) == (False, "filename_rejected")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"..\xc0\xaf..\xc0\xafa", id="an overlong slash"),
        pytest.param(b"\xe0\x80\xaf", id="a longer one"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param(b"\xed\xa0\x80", id="a surrogate"),
        pytest.param(b"a\xc3", id="half a letter"),
        pytest.param(b"a\0b", id="a bare NUL"),
        pytest.param(b"a\nb", id="a bare newline"),
        pytest.param(b"\\x2e\\x2e", id="an escape that JSON has not"),
        pytest.param(b"\\ud8", id="half an escape"),
        pytest.param(b"a\\ud800b", id="half of a surrogate pair"),
        pytest.param(b"\\udc00\\ud800", id="a pair the wrong way round"),
    ],
)
def test_a_name_that_is_no_json_is_no_name(server: RunningServer, raw: bytes) -> None:
    body = b'{"filename": "' + raw + b'", "size_bytes": 0}'
    answer = requests.post(f"{server.url}/v1/uploads", data=body, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("value", [None, 5, True, ["a"], {"a": "b"}])
def test_a_name_that_is_no_text_is_no_name(server: RunningServer, value: object) -> None:
    answer = requests.post(f"{server.url}/v1/uploads", json={"filename": value, "size_bytes": 0}, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_what_a_name_spells_is_not_touched(server: RunningServer, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    for filename in (str(outside), f"../{outside.name}", f"..%2f{outside.name}", f"file://{outside}"):
        init(server, filename)
    assert outside.read_text() == "untouched"
