"""`gcs` against gcp-storage-emulator: a server by others, which answers in HTTP/1.0 and one request after the other."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.audit.lab import Lab
from tests.protocols.journeys.cutting import wire_to
from tests.protocols.journeys.engine import Engine, a_file, content, engine
from tests.protocols.journeys.servers import environment, free_port, running
from upswarm.protocols.gcs import Gcs
from upswarm.results.audit_record import Fate
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.ranges import Ranges
from upswarm.transfer.records import End

REQUIREMENTS = Path(__file__).parent / "gcp-storage-emulator.txt"
STEP_BYTES = 256 << 10
SIZE_BYTES = 2 * STEP_BYTES + 12345


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An emulator with a bucket, in memory."""
    programs, port = environment(REQUIREMENTS), free_port()
    address = f"http://127.0.0.1:{port}"
    arguments = ["start", "--host=127.0.0.1", f"--port={port}", "--in-memory", "--default-bucket=bucket"]
    with running([programs / "gcp-storage-emulator", *arguments], address):
        yield address


@pytest.fixture
def gcs(url: str) -> Iterator[Engine]:
    with engine(Gcs("client-1"), f"{url}/upload/storage/v1/b/bucket", STEP_BYTES) as gcs:
        yield gcs


def stored(url: str, name: str) -> bytes:
    return requests.get(f"{url}/download/storage/v1/b/bucket/o/{name}?alt=media", timeout=10).content


def about(url: str, name: str) -> dict[str, str]:
    return dict(requests.get(f"{url}/storage/v1/b/bucket/o/{name}", timeout=10).json())


@pytest.mark.parametrize("size_bytes", [0, 1, STEP_BYTES, SIZE_BYTES])
def test_a_file_arrives_whole(gcs: Engine, url: str, size_bytes: int) -> None:
    file = a_file(f"whole-{size_bytes}.bin", size_bytes)
    outcome = gcs.upload(file)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 0), outcome.message
    assert outcome.receipt is not None
    assert outcome.receipt.file_id == file.name
    assert stored(url, file.name) == content(file)
    digest = base64.b64encode(hashlib.md5(content(file)).digest()).decode()
    assert (about(url, file.name)["md5Hash"], about(url, file.name)["size"]) == (digest, str(size_bytes))


def test_chunks_go_one_after_the_other_and_nothing_follows_the_last(gcs: Engine) -> None:
    gcs.upload(a_file("phases.bin", SIZE_BYTES))
    assert gcs.phases == ["init", "chunk", "chunk", "chunk"]


@pytest.mark.parametrize("chunk", [0, 1, 2])
def test_an_upload_that_was_cut_in_a_chunk_goes_on(url: str, chunk: int) -> None:
    file = a_file(f"cut-{chunk}.bin", SIZE_BYTES)
    with wire_to(f"{url}/upload/storage/v1/b/bucket") as wire, engine(Gcs("client-1"), wire.url, STEP_BYTES) as gcs:
        wire.cuts = {chunk: 10_000}
        outcome = gcs.upload(file)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 1), outcome.message
    assert stored(url, file.name) == content(file)


def test_a_probe_finds_what_a_left_upload_holds(gcs: Engine) -> None:
    session = gcs.begin(a_file("left.bin", SIZE_BYTES), chunks=1)
    probed = gcs.uploader.exchange.drive(gcs.uploader.protocol.probe(session))
    assert probed.held == Ranges(((0, STEP_BYTES),))


def test_a_bucket_that_is_not_there_is_said_so(url: str) -> None:
    with engine(Gcs("client-1"), f"{url}/upload/storage/v1/b/none", STEP_BYTES) as gcs:
        outcome = gcs.upload(a_file("lost.bin", 10))
    assert (outcome.end, outcome.failure) == (End.FAILED, Failure.REJECTED)


def test_the_emulator_does_not_know_aborts(gcs: Engine) -> None:
    """GCS does; here the journey only shows that a refusal is a fault, and that it is asked once."""
    session = gcs.begin(a_file("aborted.bin", SIZE_BYTES), chunks=1)
    with pytest.raises(Fault, match="501 expected status 499"):
        gcs.uploader.exchange.drive(gcs.uploader.protocol.abort(session))
    assert gcs.phases.count("abort") == 1


def test_an_audit_compares_the_services_own_digest(url: str, tmp_path: Path) -> None:
    lab = Lab(tmp_path, Gcs("client-1"), f"{url}/upload/storage/v1/b/bucket", chunk_size_bytes=STEP_BYTES)
    gone, *_ = (entry.file_id for entry in lab.upload(3))
    untouched = lab.audit()
    assert untouched.counts == {Fate.INTACT: 3}
    assert "3 files: the bytes are known by the server's own crc32c, not read back" in untouched.notes
    requests.delete(f"{url}/storage/v1/b/bucket/o/{gone}", timeout=10)
    assert {problem.file_id: problem.fate for problem in lab.audit().problems} == {gone: Fate.MISSING}
