"""`s3` against moto, a server by others that keeps the rules for parts; Amazon's own botocore compares signatures."""

from __future__ import annotations

import calendar
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests

from tests.audit.lab import PREFIX, Lab, flipped, shorter
from tests.protocols.journeys.cutting import wire_to
from tests.protocols.journeys.engine import Engine, a_file, content, engine
from tests.protocols.journeys.replay import replay
from tests.protocols.journeys.servers import environment, free_port, running
from tests.protocols.s3_server import error
from tests.wire.format import conversations
from upswarm.protocols.s3 import S3, Parts
from upswarm.results.audit_record import Fate
from upswarm.transfer.auth import Sign, unsigned
from upswarm.transfer.clock import SystemClock
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.messages import Phase, Request, Response
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import End, Receipt
from upswarm.transfer.sigv4 import AwsKeys, presigned, signed, sigv4, sigv4_presigned
from upswarm.transfer.transport import Timeouts
from upswarm.transfer.transport_requests import RequestsTransport

PROGRAMS = Path(__file__).parent / "moto.txt"
WITNESS = Path(__file__).parent / "botocore_signs.py"
PART_BYTES = 5 << 20
SIZE_BYTES = 2 * PART_BYTES + 12345
KEYS = AwsKeys("an-id", "a secret/+=")


class SmallParts(S3):
    """A client that does not know how small parts may be."""

    caps = replace(S3.caps, min_chunk_bytes=1)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server with a bucket, by the bucket's URL."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with running([environment(PROGRAMS) / "moto_server", "-H", "127.0.0.1", "-p", str(port)], address):
        assert requests.put(f"{address}/bucket", timeout=10).status_code == 200
        yield f"{address}/bucket"


@pytest.fixture
def s3(url: str) -> Iterator[Engine]:
    with engine(S3("client-1"), url, PART_BYTES, sigv4(KEYS, "us-east-1", url, SystemClock())) as s3:
        yield s3


def stored(url: str, name: str) -> bytes:
    return requests.get(f"{url}/{name}", timeout=10).content


@pytest.mark.parametrize("size_bytes", [0, 1, PART_BYTES, SIZE_BYTES])
def test_a_file_arrives_whole(s3: Engine, url: str, size_bytes: int) -> None:
    file = a_file(f"whole-{size_bytes}.bin", size_bytes)
    outcome = s3.upload(file)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 0), outcome.message
    assert outcome.receipt is not None
    assert outcome.receipt.file_id == file.name
    assert stored(url, file.name) == content(file)
    parts = ["init", *["chunk"] * -(-size_bytes // PART_BYTES)] if size_bytes else []
    assert s3.phases == [*parts, "finalize"]


def test_a_prefix_and_a_name_with_anything_in_it_make_a_key(url: str) -> None:
    file = a_file("ä b+c&d%.bin", 1000)
    with engine(S3("client-1"), f"{url}/some/prefix", PART_BYTES) as s3:
        assert s3.upload(file).end is End.FINISHED
    assert stored(url, "some/prefix/%C3%A4%20b%2Bc%26d%25.bin") == content(file)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_an_upload_that_was_cut_in_a_part_goes_on(url: str, part: int) -> None:
    file = a_file(f"cut-{part}.bin", SIZE_BYTES)
    with wire_to(url) as wire, engine(S3("client-1"), wire.url, PART_BYTES) as s3:
        wire.cuts = {part: 10_000}
        outcome = s3.upload(file)
        assert (outcome.end, outcome.resumes) == (End.FINISHED, 1), outcome.message
    assert stored(url, file.name) == content(file)
    assert s3.phases.count("chunk") == 4


def test_a_probe_finds_the_parts_of_a_left_upload_and_their_tags(s3: Engine, url: str) -> None:
    file = a_file("left.bin", SIZE_BYTES)
    drive, protocol = s3.uploader.exchange.drive, s3.uploader.protocol
    left = s3.begin(file, chunks=2)
    forgotten = replace(left, held=NOTHING, state=Parts(left.state.path))
    session = drive(protocol.probe(forgotten))
    assert session == left
    assert session.held == Ranges(((0, 2 * PART_BYTES),))
    (chunk,) = session.grid.not_held(session.held)
    drive(protocol.finalize(drive(protocol.send(session, chunk, file, None)), file))
    assert stored(url, file.name) == content(file)


def test_a_finalize_whose_answer_was_lost_may_come_again(s3: Engine) -> None:
    file = a_file("lost.bin", SIZE_BYTES)
    session = s3.begin(file, chunks=3)
    first, again = (s3.uploader.exchange.drive(s3.uploader.protocol.finalize(session, file)) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("completed", [True, False])
def test_where_the_upload_is_forgotten_by_then_the_object_is_looked_for(s3: Engine, url: str, completed: bool) -> None:
    """MinIO forgets it and moto does not: only that one answer is ours."""
    file = a_file(f"forgotten-{completed}.bin", SIZE_BYTES)
    session = s3.begin(file, chunks=3)
    if completed:
        s3.uploader.exchange.drive(s3.uploader.protocol.finalize(session, file))
    flow = s3.uploader.protocol.finalize(session, file)
    next(flow)
    head = sent(url, flow.send(error(404, "NoSuchUpload")))
    with pytest.raises(StopIteration if completed else Fault) as ended:
        flow.send(head)
    assert getattr(ended.value, "value", None) == (Receipt(file.name, SIZE_BYTES) if completed else None)


def sent(url: str, request: Request) -> Response:
    transport = RequestsTransport(url, Timeouts())
    try:
        return transport.send(request)
    finally:
        transport.close()


@pytest.mark.parametrize(
    "path", [path for path in conversations("s3") if path.stem != "error_in_200"], ids=lambda path: path.stem
)
def test_the_server_answers_as_recorded(url: str, path: Path) -> None:
    replay(path, url, sigv4(KEYS, "us-east-1", url, SystemClock()))


def test_a_part_that_is_not_there_makes_no_object(s3: Engine, url: str) -> None:
    file = a_file("missing.bin", SIZE_BYTES)
    session = s3.begin(file, chunks=3)
    session = replace(session, state=replace(session.state, tags={**session.state.tags, 4: '"none"'}))
    with pytest.raises(Fault, match="400 InvalidPart") as raised:
        s3.uploader.exchange.drive(s3.uploader.protocol.finalize(session, file))
    assert raised.value.kind is Failure.INCOMPLETE
    assert requests.head(f"{url}/{file.name}", timeout=10).status_code == 404


def test_parts_that_are_too_small_are_said_to_be(url: str) -> None:
    with engine(SmallParts("client-1"), url, 1 << 20) as s3:
        outcome = s3.upload(a_file("small.bin", 3 << 20))
    assert (outcome.failure, outcome.message) == (Failure.TOO_SMALL, "400 EntityTooSmall")


def test_an_upload_that_was_aborted_is_gone(s3: Engine) -> None:
    drive, protocol = s3.uploader.exchange.drive, s3.uploader.protocol
    session = s3.begin(a_file("aborted.bin", SIZE_BYTES), chunks=1)
    drive(protocol.abort(session))
    with pytest.raises(Fault, match="404 NoSuchUpload") as raised:
        drive(protocol.probe(session))
    assert raised.value.kind is Failure.GONE


def test_a_bucket_that_is_not_there_is_said_so(url: str) -> None:
    with engine(S3("client-1"), f"{url}-none", PART_BYTES) as s3:
        outcome = s3.upload(a_file("nowhere.bin", 10))
    assert (outcome.failure, outcome.message) == (Failure.REJECTED, "404 NoSuchBucket")


@pytest.mark.parametrize("signs", [sigv4_presigned, None], ids=["presigned", "anonymous"])
def test_a_file_arrives_whole_without_a_header_of_auth(url: str, signs: Callable[..., Sign] | None) -> None:
    file = a_file("presigned.bin" if signs else "anonymous.bin", SIZE_BYTES)
    with wire_to(url) as wire:
        sign = signs(KEYS, "us-east-1", wire.url, SystemClock()) if signs else unsigned
        with engine(S3("client-1"), wire.url, PART_BYTES, sign) as s3:
            outcome = s3.upload(file)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 0), outcome.message
    assert stored(url, file.name) == content(file)
    assert [head for head in wire.heads if "authorization" in head.headers] == []
    assert all(("X-Amz-Signature=" in head.path) == bool(signs) for head in wire.heads)


@pytest.mark.parametrize("way", ["header", "url"])
def test_botocore_signs_as_we_do(way: str) -> None:
    """Whatever the dialect asks, with keys of both kinds. For a URL botocore signs a body's type too; nobody must."""
    witness = [
        ("POST", "/b/k?uploads", {}),
        ("PUT", "/b/k?partNumber=2&uploadId=u%2F1%2B%3D", {"x-amz-checksum-crc32c": "AQIDBA=="}),
        ("GET", "/b/k?uploadId=u&part-number-marker=1000", {}),
        ("POST", "/b/k?uploadId=u", {"Content-Type": "application/xml"} if way == "header" else {}),
        ("DELETE", "/b/%C3%A4%20b%2Bc%26d%25.bin?uploadId=~u-._", {}),
        ("HEAD", "/b/k", {}),
    ]
    keys = [KEYS, replace(KEYS, session_token="token/+=")]
    asked = [(key, *each) for key in keys for each in witness]
    theirs = by_botocore(way, [[named(key), "eu-west-1", method, f"https://s3.test:9000{path}", headers]
                               for key, method, path, headers in asked])  # fmt: skip
    for (key, method, path, headers), expected in zip(asked, theirs, strict=True):
        said = expected if way == "header" else dict(parse_qsl(urlsplit(expected).query))
        wall_s = calendar.timegm(time.strptime(said["X-Amz-Date"], "%Y%m%dT%H%M%SZ"))
        request = Request(Phase.PROBE, method, path, headers)
        ours = signed if way == "header" else presigned
        found = ours(request, f"https://s3.test:9000{path}", key, "eu-west-1", wall_s)
        if way == "header":
            assert found.headers["Authorization"] == expected["Authorization"], path
        else:
            assert signature_of(found.path) == signature_of(expected), path


def signature_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["X-Amz-Signature"][0]


def named(keys: AwsKeys) -> dict[str, str]:
    token = {"token": keys.session_token} if keys.session_token else {}
    return {"access_key": keys.access_key, "secret_key": keys.secret_key, **token}


def by_botocore(way: str, requests_: list[list[object]]) -> list[Any]:
    done = subprocess.run(
        [environment(PROGRAMS) / "python", WITNESS, way],
        input=json.dumps(requests_), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_an_audit_finds_what_was_planted(url: str, tmp_path: Path) -> None:
    signing = sigv4(KEYS, "us-east-1", url, SystemClock())
    lab = Lab(tmp_path, S3("client-1"), url, signing, chunk_size_bytes=PART_BYTES)
    gone, short, bent, *_ = (entry.file_id for entry in lab.upload(9) if entry.size_bytes > 1000)
    assert lab.audit().counts == {Fate.INTACT: 9}
    requests.delete(f"{url}/{gone}", timeout=10)
    damaged = {short: shorter(stored(url, short)), bent: flipped(stored(url, bent)), f"{PREFIX}000099": b"orphan"}
    for name, data in damaged.items():
        requests.put(f"{url}/{name}", data=data, timeout=10)
    assert {problem.file_id: problem.fate for problem in lab.audit().problems} == {
        gone: Fate.MISSING, short: Fate.TRUNCATED, bent: Fate.CORRUPT, f"{PREFIX}000099": Fate.ORPHANED,
    }  # fmt: skip
