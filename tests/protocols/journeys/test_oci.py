"""`oci` against Debian's docker-registry 2.8, which loses an upload when a chunk of it is cut."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests.audit.lab import Lab
from tests.protocols.journeys.cutting import wire_to
from tests.protocols.journeys.engine import Engine, a_file, content, engine
from tests.protocols.journeys.servers import free_port, running
from tests.wire.format import CONVERSATIONS, Values, parse
from upswarm.audit.ledger import LedgerFile
from upswarm.content.base import File
from upswarm.protocols.oci import Oci
from upswarm.results.audit_record import Fate
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.ranges import Ranges
from upswarm.transfer.records import End

CHUNK_BYTES = 100_000
SIZE_BYTES = 250_000
PROGRAM = "docker-registry"
CONFIGURATION = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: "{folder}"}}}}
http: {{addr: "127.0.0.1:{port}", secret: only-for-tests}}
"""

pytestmark = pytest.mark.skipif(
    shutil.which(PROGRAM) is None, reason="docker-registry is not installed: apt-get install docker-registry"
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry, by the URL of a repository in it."""
    folder, port = tmp_path_factory.mktemp("registry"), free_port()
    configuration = folder / "registry.yml"
    configuration.write_text(CONFIGURATION.format(folder=folder / "blobs", port=port))
    with running([PROGRAM, "serve", configuration], f"http://127.0.0.1:{port}/v2/"):
        yield f"http://127.0.0.1:{port}/v2/team/image"


@pytest.fixture
def oci(url: str) -> Iterator[Engine]:
    with engine(Oci("client-1"), url, CHUNK_BYTES) as oci:
        yield oci


def digest_of(file: File) -> str:
    return f"sha256:{hashlib.sha256(content(file)).hexdigest()}"


@pytest.mark.parametrize("size_bytes", [0, 1, CHUNK_BYTES, SIZE_BYTES])
def test_a_file_arrives_whole_under_its_digest(oci: Engine, url: str, size_bytes: int) -> None:
    file = a_file("whole.bin", size_bytes)
    outcome = oci.upload(file)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 0), outcome.message
    assert outcome.receipt is not None
    assert outcome.receipt.file_id == digest_of(file)
    assert requests.get(f"{url}/blobs/{digest_of(file)}", timeout=10).content == content(file)


def test_a_probe_finds_what_a_left_upload_holds_and_the_url_to_go_on_at(oci: Engine, url: str) -> None:
    file = a_file("left.bin", SIZE_BYTES)
    drive, protocol = oci.uploader.exchange.drive, oci.uploader.protocol
    left = oci.begin(file, chunks=1)
    session = drive(protocol.probe(left))
    assert session.held == Ranges(((0, CHUNK_BYTES),))
    for chunk in session.grid.not_held(session.held):
        session = drive(protocol.send(session, chunk, file, None))
    receipt = drive(protocol.finalize(session, file))
    assert requests.get(f"{url}/blobs/{receipt.file_id}", timeout=10).content == content(file)


def test_a_finalize_whose_answer_was_lost_finds_the_blob(oci: Engine) -> None:
    file = a_file("lost.bin", SIZE_BYTES)
    session = oci.begin(file, chunks=3)
    first, again = (oci.uploader.exchange.drive(oci.uploader.protocol.finalize(session, file)) for _ in range(2))
    assert first == again


def test_bytes_that_are_not_those_of_the_digest_make_no_blob(oci: Engine, url: str) -> None:
    file, other = a_file("one.bin", SIZE_BYTES), a_file("other.bin", SIZE_BYTES)
    session = oci.begin(file, chunks=3)
    with pytest.raises(Fault, match="400 DIGEST_INVALID") as raised:
        oci.uploader.exchange.drive(oci.uploader.protocol.finalize(session, other))
    assert raised.value.kind is Failure.CORRUPT
    assert requests.head(f"{url}/blobs/{digest_of(other)}", timeout=10).status_code == 404


def test_an_upload_that_was_aborted_is_gone(oci: Engine) -> None:
    drive, protocol = oci.uploader.exchange.drive, oci.uploader.protocol
    session = oci.begin(a_file("aborted.bin", SIZE_BYTES), chunks=1)
    drive(protocol.abort(session))
    with pytest.raises(Fault, match="404 BLOB_UPLOAD_UNKNOWN") as raised:
        drive(protocol.probe(session))
    assert raised.value.kind is Failure.GONE


def test_this_registry_loses_an_upload_that_was_cut_so_it_begins_anew(url: str) -> None:
    with wire_to(url) as wire, engine(Oci("client-1"), wire.url, CHUNK_BYTES) as oci:
        wire.cuts = {1: 40_000}
        outcome = oci.upload(a_file("cut.bin", SIZE_BYTES))
    assert (outcome.end, outcome.resumes, outcome.restarts) == (End.FINISHED, 0, 1), outcome.message
    assert oci.phases[:5] == ["init", "chunk", "chunk", "probe", "init"]


@pytest.mark.parametrize("name", ["whole_upload", "nothing_held", "empty_file", "abort"])
def test_the_registry_answers_as_recorded(url: str, name: str) -> None:
    recorded = (CONVERSATIONS / "oci" / f"{name}.http").read_text(encoding="utf-8")
    values: Values = {}
    for exchange in parse(recorded.replace("https://registry.test/v2/team/image", url)):
        request = exchange.request.filled(values)
        where = request.path if "://" in request.path else f"{url}{request.path}"
        answer = requests.request(request.method, where, headers=request.headers, data=request.body, timeout=10)
        assert answer.status_code == exchange.response.status, answer.text
        values = exchange.response.capture(dict(answer.headers), answer.text, values)


def test_a_target_that_is_no_repository_refuses_the_upload(url: str) -> None:
    with engine(Oci("client-1"), url.replace("/v2/", "/v3/"), CHUNK_BYTES) as oci:
        outcome = oci.upload(a_file("name.bin", 10))
    assert (outcome.end, outcome.failure) == (End.FAILED, Failure.REJECTED)
    assert outcome.message == "404 expected status 202"


def test_an_audit_reads_blobs_back(url: str, tmp_path: Path) -> None:
    lab = Lab(tmp_path, Oci("client-1"), url)
    entries = lab.upload(4)
    assert lab.audit().counts == {Fate.INTACT: 4}
    other = entries[0]._replace(file_id=f"sha256:{'0' * 64}")
    with closing(LedgerFile(lab.ledger)) as ledger:
        ledger.append([other.to_document()])
    assert [(problem.fate, problem.file_id) for problem in lab.audit().problems] == [(Fate.MISSING, other.file_id)]
