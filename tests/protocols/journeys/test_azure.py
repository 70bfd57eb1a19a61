"""`azure` against azurite, Microsoft's emulator: it checks every signature, and keeps the rules for blocks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from tests.audit.lab import PREFIX, Lab
from tests.protocols.journeys.cutting import wire_to
from tests.protocols.journeys.engine import Engine, a_file, content, engine
from tests.protocols.journeys.replay import replay
from tests.protocols.journeys.servers import NODE, free_port, packages, running
from tests.wire.format import conversations
from upswarm.protocols.azure import Azure
from upswarm.results.audit_record import Fate
from upswarm.transfer.auth import Sign, unsigned
from upswarm.transfer.azure_auth import azure_sas, azure_shared_key
from upswarm.transfer.clock import SystemClock
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.messages import Phase, Request, Response
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import End
from upswarm.transfer.transport import Timeouts
from upswarm.transfer.transport_requests import RequestsTransport

BLOCK_BYTES = 1 << 20
SIZE_BYTES = 2 * BLOCK_BYTES + 12345
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # known to the world
VERSION = "2021-12-02"


@dataclass(frozen=True, slots=True)
class Container:
    """A container on a running server."""

    url: str

    def ask(self, method: str, path: str) -> Response:
        """One request, signed with the account's key."""
        transport = RequestsTransport(self.url, Timeouts())
        try:
            return transport.send(with_key(self.url)(Request(Phase.PROBE, method, path, {"x-ms-version": VERSION})))
        finally:
            transport.close()

    def stored(self, name: str) -> bytes | None:
        answer = self.ask("GET", f"/{quote(name, safe='')}")
        assert answer.status in {200, 404}, answer
        return answer.body if answer.status == 200 else None


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    folder, port = tmp_path_factory.mktemp("azurite"), free_port()
    program = packages(Path(__file__).parent / "azurite") / "node_modules/azurite/dist/src/blob/main.js"
    options = ["--disableTelemetry", "--skipApiVersionCheck", "--silent", "--location", folder]
    address = f"http://127.0.0.1:{port}"
    with running([NODE, program, "--blobHost", "127.0.0.1", "--blobPort", str(port), *options], address):
        container = Container(f"{address}/{ACCOUNT}/container")
        assert container.ask("PUT", "?restype=container").status == 201
        yield container


def with_key(url: str) -> Sign:
    return azure_shared_key(ACCOUNT, KEY, url, SystemClock())


def with_sas(url: str) -> Sign:
    return azure_sas(shared_access_signature(KEY), url)


def shared_access_signature(key: str) -> str:
    """A token that may read and write in the container, as a portal would make it ("Create a service SAS")."""
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 600))
    text = "\n".join(["rcw", "", ends, f"/blob/{ACCOUNT}/container", "", "", "", VERSION, "c", *[""] * 7])
    signature = hmac.digest(base64.b64decode(key), text.encode(), hashlib.sha256)
    return urlencode({"sv": VERSION, "sr": "c", "sp": "rcw", "se": ends, "sig": base64.b64encode(signature).decode()})


@pytest.fixture
def azure(container: Container) -> Iterator[Engine]:
    with engine(Azure("client-1"), container.url, BLOCK_BYTES, with_key(container.url)) as azure:
        yield azure


@pytest.mark.parametrize("size_bytes", [0, 1, BLOCK_BYTES, SIZE_BYTES])
@pytest.mark.parametrize("credentials", [with_key, with_sas])
def test_a_file_arrives_whole(container: Container, credentials, size_bytes: int) -> None:
    file = a_file(f"whole-{credentials.__name__}-{size_bytes}.bin", size_bytes)
    with engine(Azure("client-1"), container.url, BLOCK_BYTES, credentials(container.url)) as azure:
        outcome = azure.upload(file)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 0), outcome.message
    assert outcome.receipt is not None
    assert outcome.receipt.file_id == file.name
    assert container.stored(file.name) == content(file)
    assert azure.phases == [*["chunk"] * -(-size_bytes // BLOCK_BYTES), "finalize"]


@pytest.mark.parametrize("credentials", [with_key, with_sas])
def test_a_name_with_anything_in_it_is_signed_as_it_is_sent(container: Container, credentials) -> None:
    file = a_file("ä b+c&d%/e.bin", 1000)
    with engine(Azure("client-1"), container.url, BLOCK_BYTES, credentials(container.url)) as azure:
        outcome = azure.upload(file)
    assert outcome.end is End.FINISHED, outcome.message
    assert container.stored(file.name) == content(file)


@pytest.mark.parametrize("block", [0, 1, 2])
def test_an_upload_that_was_cut_in_a_block_goes_on(container: Container, block: int) -> None:
    file = a_file(f"cut-{block}.bin", SIZE_BYTES)
    with (
        wire_to(container.url) as wire,
        engine(Azure("client-1"), wire.url, BLOCK_BYTES, with_key(wire.url)) as azure,
    ):
        wire.cuts = {block: 10_000}
        outcome = azure.upload(file)
        assert (outcome.end, outcome.resumes) == (End.FINISHED, 1), outcome.message
    assert container.stored(file.name) == content(file)
    assert azure.phases.count("chunk") == 4


def test_a_probe_finds_the_blocks_of_a_left_upload(azure: Engine, container: Container) -> None:
    file = a_file("left.bin", SIZE_BYTES)
    drive, protocol = azure.uploader.exchange.drive, azure.uploader.protocol
    left = azure.begin(file, chunks=2)
    session = drive(protocol.probe(replace(left, held=NOTHING)))
    assert session == left
    assert session.held == Ranges(((0, 2 * BLOCK_BYTES),))
    (chunk,) = session.grid.not_held(session.held)
    drive(protocol.finalize(drive(protocol.send(session, chunk, file, None)), file))
    assert container.stored(file.name) == content(file)


def test_a_blob_of_which_nothing_came_holds_nothing(azure: Engine) -> None:
    session = azure.begin(a_file("nothing.bin", SIZE_BYTES), chunks=0)
    assert azure.uploader.exchange.drive(azure.uploader.protocol.probe(session)).held == NOTHING


def test_a_finalize_whose_answer_was_lost_may_come_again(azure: Engine, container: Container) -> None:
    file = a_file("lost.bin", SIZE_BYTES)
    session = azure.begin(file, chunks=3)
    first, again = (azure.uploader.exchange.drive(azure.uploader.protocol.finalize(session, file)) for _ in range(2))
    assert first == again
    assert container.stored(file.name) == content(file)


@pytest.mark.parametrize("path", conversations("azure"), ids=lambda path: path.stem)
def test_the_server_answers_as_recorded(container: Container, path: Path) -> None:
    assert container.ask("DELETE", "/sample.bin").status in {202, 404}
    replay(path, container.url, with_key(container.url))


def test_a_block_that_is_not_there_makes_no_blob(azure: Engine, container: Container) -> None:
    file = a_file("missing.bin", SIZE_BYTES)
    session = azure.begin(file, chunks=2)
    with pytest.raises(Fault, match="400 InvalidBlockList") as raised:
        azure.uploader.exchange.drive(azure.uploader.protocol.finalize(session, file))
    assert raised.value.kind is Failure.INCOMPLETE
    assert container.stored(file.name) is None


def test_what_stood_there_before_is_neither_held_nor_lost_by_an_abort(azure: Engine, container: Container) -> None:
    file = a_file("before.bin", SIZE_BYTES)
    azure.upload(file)
    drive, protocol = azure.uploader.exchange.drive, azure.uploader.protocol
    session = azure.begin(file, chunks=0)
    assert drive(protocol.probe(session)).held == NOTHING
    drive(protocol.abort(azure.begin(file, chunks=1)))
    assert container.stored(file.name) == content(file)


@pytest.mark.parametrize(
    "sign",
    [
        lambda url: unsigned,
        lambda url: azure_shared_key(ACCOUNT, "d3Jvbmc=", url, SystemClock()),
        lambda url: azure_sas(shared_access_signature("d3Jvbmc="), url),
    ],
    ids=["none", "wrong key", "wrong signature"],
)
def test_without_the_right_credentials_nothing_is_taken(container: Container, sign) -> None:
    with engine(Azure("client-1"), container.url, BLOCK_BYTES, sign(container.url)) as azure:
        outcome = azure.upload(a_file("denied.bin", 10))
    assert outcome.failure is Failure.DENIED, outcome.message
    assert container.stored("denied.bin") is None


def test_a_container_that_is_not_there_is_said_so(container: Container) -> None:
    url = f"{container.url}-none"
    with engine(Azure("client-1"), url, BLOCK_BYTES, with_key(url)) as azure:
        outcome = azure.upload(a_file("nowhere.bin", 10))
    assert (outcome.failure, outcome.message) == (Failure.REJECTED, "404 ContainerNotFound")


def test_an_audit_finds_what_was_planted(container: Container, tmp_path: Path) -> None:
    lab = Lab(tmp_path, Azure("client-1"), container.url, with_key(container.url))
    gone, short, *_ = (entry.file_id for entry in lab.upload(5) if entry.size_bytes > 1000)
    assert lab.audit().counts == {Fate.INTACT: 5}
    assert container.ask("DELETE", f"/{gone}").status == 202
    with engine(Azure("client-1"), container.url, BLOCK_BYTES, with_key(container.url)) as azure:
        for name in (short, f"{PREFIX}000099"):
            assert azure.upload(a_file(name, 1000)).end is End.FINISHED
    assert {problem.file_id: problem.fate for problem in lab.audit().problems} == {
        gone: Fate.MISSING, short: Fate.TRUNCATED, f"{PREFIX}000099": Fate.ORPHANED,
    }  # fmt: skip
