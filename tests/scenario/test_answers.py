"""Answers to the questions of a new scenario: what each may be, and what is said of others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from upswarm import plugins
from upswarm.scenario import answers
from upswarm.scenario.answers import Load
from upswarm.scenario.credentials import CREDENTIALS, Credentials, read_credentials, region_of, spelt
from upswarm.scenario.urls import EMBEDDED

URL = "http://h:1"
CLOSED = Load(users=1)

GOOD: list[tuple[Callable[[str], Any], str, Any]] = [
    (answers.read_name, "evening-2.yaml_", "evening-2.yaml_"),
    (answers.read_target, " http://h:1/files;x ", "http://h:1/files;x"),
    (answers.read_target, EMBEDDED, EMBEDDED),
    (partial(answers.read_protocol, target=URL), "s3", "s3"),
    (partial(answers.read_protocol, target=EMBEDDED), "tus", "tus"),
    (partial(answers.read_protocol, target=EMBEDDED), "upswarm.protocols.tus:Tus", "upswarm.protocols.tus:Tus"),
    (read_credentials, "none", Credentials("none")),
    (read_credentials, "bearer", Credentials("bearer", ("UPLOAD_TOKEN",))),
    (read_credentials, "bearer:MY_2", Credentials("bearer", ("MY_2",))),
    (read_credentials, "sigv4:ID:KEY", Credentials("sigv4", ("ID", "KEY"))),
    (read_credentials, "header", Credentials("header", ("API_KEY",), "X-Api-Key")),
    (read_credentials, "header:X-Key", Credentials("header", ("API_KEY",), "X-Key")),
    (read_credentials, "header:X-Key:KEY", Credentials("header", ("KEY",), "X-Key")),
    (answers.read_size, "16MiB", "16MiB"),
    (answers.read_size, "0.5KiB", "512B"),
    (answers.read_size, "1MiB - 64MiB", {"uniform": ["1MiB", "64MiB"]}),
    (answers.read_content, "random", "random"),
    (answers.read_content, "compressible", {"compressible": {"ratio": 3}}),
    (answers.read_content, "compressible:2.5", {"compressible": {"ratio": 2.5}}),
    (answers.read_content, "dedup:4", {"dedup": {"ratio": 4, "block": "64KiB"}}),
    (answers.read_content, f"corpus:{__file__}", {"corpus": {"path": __file__}}),
    (answers.read_load, "4", Load(users=4)),
    (answers.read_load, "1 user", Load(users=1)),
    (answers.read_load, "2.5/s", Load(rate="2.5/s")),
    (answers.read_load, "100 uploads", Load(uploads=100)),
    (partial(answers.read_duration, load=CLOSED), "2m", 120.0),
    (partial(answers.read_duration, load=Load(rate="0.5/s")), "2s", 2.0),
    (answers.read_chunk_size, "server", "server"),
    (answers.read_chunk_size, "8 MiB", "8MiB"),
    (answers.read_threshold, " goodput  mean\n> 1MiB/s", "goodput mean > 1MiB/s"),
]
BAD: list[tuple[Callable[[str], Any], str, str]] = [
    (answers.read_name, "", "expected a name of letters"),
    (answers.read_name, "../x", "expected a name of letters"),
    (answers.read_name, ".x", "expected a name of letters"),
    (answers.read_name, "x" * 81, "expected a name of letters"),
    (answers.read_target, "h:80", "expected `embedded` or a URL"),
    (answers.read_target, "http://me:pass@h", "expected a URL without credentials"),
    (answers.read_target, "http://h/files?sig=hunter2", "expected a URL without a query or a fragment, found one"),
    (answers.read_target, "http://${HOST}", "expected a URL as it is"),
    (answers.read_target, "http://h/a b", "expected a URL as it is"),
    (partial(answers.read_protocol, target=EMBEDDED), "s3", "expected chunked or tus, which is what the embedded"),
    (partial(answers.read_protocol, target=URL), "s4", r"expected a protocol \(azure, chunked"),
    (partial(answers.read_protocol, target=URL), "os:path", "expected the class of a protocol"),
    (read_credentials, "basic", "expected none, bearer, header"),
    (read_credentials, "bearer:", "expected bearer:UPLOAD_TOKEN, with names of"),
    (read_credentials, "bearer:A:B", "expected bearer:UPLOAD_TOKEN, with names of"),
    (read_credentials, "none:A", "expected none, with names of"),
    (read_credentials, "sigv4:A", "expected sigv4:AWS_ACCESS_KEY_ID:AWS_SECRET_ACCESS_KEY"),
    (read_credentials, "header:X Key", "expected the name of a header"),
    (answers.read_size, "big", "expected a size such as"),
    (answers.read_size, "2MiB-1MiB", "expected the smaller size first"),
    (answers.read_size, "-1MiB", "expected a size such as"),
    (answers.read_content, "randum", "expected a content"),
    (answers.read_content, "compressible:0.5", "expected a ratio of 1 or more"),
    (answers.read_content, "compressible:x", "expected a ratio of 1 or more"),
    (answers.read_content, "dedup:inf", "expected a ratio of 1 or more"),
    (answers.read_content, "corpus", "expected corpus: and the path"),
    (answers.read_content, "corpus:/no/such/place", "expected a file or a folder at /no/such/place"),
    (answers.read_content, "corpus:${HOME}", "expected corpus: and the path"),
    (answers.read_load, "lots", "expected users, a rate or uploads"),
    (answers.read_load, "0", "expected users, a rate or uploads"),
    (answers.read_load, "100001", "expected a whole number of users, from 1 to 100000"),
    (answers.read_load, "5/x", "expected a rate such as"),
    (answers.read_load, "0/s", "expected a rate above 0/s"),
    (answers.read_uploads, "٣", "expected a whole number of uploads"),
    (partial(answers.read_duration, load=CLOSED), "30", "expected a duration such as"),
    (partial(answers.read_duration, load=CLOSED), "999ms", "expected a duration from 1s to 30d"),
    (partial(answers.read_duration, load=CLOSED), "31d", "expected a duration from 1s to 30d"),
    (partial(answers.read_duration, load=Load(rate="0.1/s")), "9s", "expected a duration in which somebody arrives"),
    (answers.read_chunk_size, "0", "expected `server` or a size"),
    (answers.read_chunk_size, "Server", "expected `server` or a size"),
    (answers.read_threshold, "x", "expected METRIC AGGREGATE"),
    (answers.read_threshold, "goodput mean > ${X}MiB/s", "expected a threshold without"),
]


@pytest.mark.parametrize(("read", "text", "value"), GOOD)
def test_an_answer_is_read(read: Callable[[str], Any], text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(("read", "text", "message"), BAD)
def test_an_answer_that_can_t_be_used_is_told_what_was_expected(
    read: Callable[[str], Any], text: str, message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        read(text)


@pytest.mark.parametrize("text", ["bearer:hunter2", "hunter2", "header:X-Key:hunter2", "header:hunter2=="])
def test_a_secret_that_was_typed_instead_of_a_name_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected") as raised:
        read_credentials(text)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_credentials_are_read_as_they_are_asked_for(kind: str) -> None:
    assert read_credentials(spelt(kind)) == read_credentials(kind)


def test_every_protocol_that_comes_with_upswarm_has_a_word_about_it() -> None:
    offered = answers.protocols(URL)
    assert list(offered) == plugins.names("protocol")
    assert offered["rufh"] == "Resumable Uploads for HTTP, an IETF draft"
    assert all(offered.values())


def test_the_embedded_server_is_offered_what_it_speaks() -> None:
    assert list(answers.protocols(EMBEDDED)) == ["chunked", "tus"]


@pytest.mark.parametrize(
    ("target", "region"),
    [
        ("https://b.s3.eu-central-1.amazonaws.com", "eu-central-1"),
        ("https://s3.us-gov-west-1.amazonaws.com/b", "us-gov-west-1"),
        ("http://eu-central-1.example.com", "us-east-1"),
        ("https://b.s3.amazonaws.com", "us-east-1"),
    ],
)
def test_a_region_is_taken_from_the_url_of_a_bucket(target: str, region: str) -> None:
    assert region_of(target) == region


def test_a_path_is_moved_with_the_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert answers.relocated({"corpus": {"path": "x/y"}}, Path("x")) == {"corpus": {"path": "y"}}
    assert answers.relocated({"corpus": {"path": "/x"}}, Path("x")) == {"corpus": {"path": "/x"}}
    assert answers.relocated({"corpus": {"path": "~/x"}}, Path("x")) == {"corpus": {"path": "~/x"}}
    assert answers.relocated("random", Path("x")) == "random"
