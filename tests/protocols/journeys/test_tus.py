"""`tus` against three servers: our own, @tus/server on Node by the makers of tus, and resumable-upload in Python."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.audit.lab import Lab, flipped
from tests.protocols.journeys.cutting import wire_to
from tests.protocols.journeys.engine import Engine, a_file, content, engine
from tests.protocols.journeys.servers import NODE, environment, free_port, packages, running
from tests.servers import running_server
from upswarm.protocols.tus import Tus
from upswarm.results.audit_record import Fate
from upswarm.transfer.dialect import ChunkDigest
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.ranges import Ranges
from upswarm.transfer.records import End

CHUNK_BYTES = 100_000
SIZE_BYTES = 250_000
LARGE_CHUNK_BYTES = 1 << 20
LARGE_BYTES = 5 << 19
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Peer:
    """A server: where uploads are created, the bytes that it has under an upload's id, and what a cut may cost it."""

    url: str
    stored: Callable[[str], bytes]
    may_lose_bytes: int = 0


def id_of(url: str) -> str:
    return url.rpartition("/")[2]


@contextmanager
def ours(folder: Path) -> Iterator[Peer]:
    with running_server(folder, workers=2) as server:
        yield Peer(
            server.url, lambda url: requests.get(f"{server.url}/v1/files/{id_of(url)}/content", timeout=10).content
        )


@contextmanager
def node(folder: Path) -> Iterator[Peer]:
    url = f"http://127.0.0.1:{(port := free_port())}"
    with running([NODE, packages(HERE / "tus-server") / "server.mjs", folder, str(port)], url):
        # Of a cut chunk it drops what is still in Node's buffers.
        yield Peer(f"{url}/files", lambda url: (folder / id_of(url)).read_bytes(), may_lose_bytes=256 << 10)


@contextmanager
def python(folder: Path) -> Iterator[Peer]:
    url = f"http://127.0.0.1:{(port := free_port())}"
    program = [environment(HERE / "resumable-upload.txt") / "python", "-m", "resumable_upload", "serve"]
    options = ["--host=127.0.0.1", f"--port={port}", f"--upload-dir={folder / 'files'}", f"--db-path={folder / 'db'}"]
    with running([*program, *options], url):
        yield Peer(f"{url}/files", lambda url: (folder / "files" / id_of(url)).read_bytes())


@pytest.fixture(scope="module", params=[ours, node, python], ids=["ours", "node", "python"])
def peer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    start: Callable[[Path], AbstractContextManager[Peer]] = request.param
    with start(tmp_path_factory.mktemp("tus")) as peer:
        yield peer


@pytest.fixture
def tus(peer: Peer) -> Iterator[Engine]:
    with engine(Tus("client-1"), peer.url, CHUNK_BYTES) as tus:
        yield tus


@pytest.fixture(scope="module")
def our(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with ours(tmp_path_factory.mktemp("ours")) as our:
        yield our


@pytest.mark.parametrize(("size_bytes", "chunks"), [(0, 0), (1, 1), (CHUNK_BYTES, 1), (SIZE_BYTES, 3)])
def test_a_file_arrives_whole(tus: Engine, peer: Peer, size_bytes: int, chunks: int) -> None:
    file = a_file("whole.bin", size_bytes)
    outcome = tus.upload(file)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 0), outcome.message
    assert outcome.receipt is not None
    assert peer.stored(outcome.receipt.file_id) == content(file)
    assert tus.phases == ["init", *["chunk"] * chunks]


@pytest.mark.parametrize(("chunk", "sent_bytes"), [(0, 1), (1, 700_001), (2, 523_456)])
def test_a_chunk_that_was_cut_goes_on_at_the_very_byte(peer: Peer, chunk: int, sent_bytes: int) -> None:
    file = a_file("cut.bin", LARGE_BYTES)
    with wire_to(Tus.caps.endpoint(peer.url)) as wire, engine(Tus("client-1"), wire.url, LARGE_CHUNK_BYTES) as tus:
        wire.cuts = {chunk: sent_bytes}
        outcome = tus.upload(file)
    assert (outcome.end, outcome.resumes >= 1) == (End.FINISHED, True), outcome.message
    assert outcome.receipt is not None
    assert peer.stored(outcome.receipt.file_id) == content(file)
    probed = max(place for place, head in enumerate(wire.heads) if head.method == "HEAD")
    rest = wire.heads[probed + 1 :]
    offset, cut = int(rest[0].headers["upload-offset"]), chunk * LARGE_CHUNK_BYTES + sent_bytes
    assert max(chunk * LARGE_CHUNK_BYTES, cut - peer.may_lose_bytes) <= offset <= cut
    assert sum(head.body_bytes for head in rest) == LARGE_BYTES - offset


def test_what_was_left_behind_is_found_and_brought_to_its_end(tus: Engine, peer: Peer) -> None:
    file = a_file("left.bin", SIZE_BYTES)
    drive, protocol = tus.uploader.exchange.drive, tus.uploader.protocol
    session = drive(protocol.probe(tus.begin(file, chunks=1)))
    assert session.held == Ranges(((0, CHUNK_BYTES),))
    for chunk in session.grid.not_held(session.held):
        session = drive(protocol.send(session, chunk, file, None))
    assert peer.stored(drive(protocol.finalize(session, file)).file_id) == content(file)


def test_a_chunk_that_was_sent_again_is_told_so_and_changes_nothing(tus: Engine) -> None:
    file = a_file("again.bin", SIZE_BYTES)
    drive, protocol = tus.uploader.exchange.drive, tus.uploader.protocol
    session = tus.begin(file, chunks=2)
    with pytest.raises(Fault) as raised:
        drive(protocol.send(session, session.grid.chunk(0), file, None))
    assert raised.value.kind is Failure.SYNC
    assert drive(protocol.probe(session)).held == Ranges(((0, 2 * CHUNK_BYTES),))


def test_an_upload_that_was_aborted_is_gone(tus: Engine) -> None:
    drive, protocol = tus.uploader.exchange.drive, tus.uploader.protocol
    session = tus.begin(a_file("aborted.bin", SIZE_BYTES), chunks=1)
    drive(protocol.abort(session))
    with pytest.raises(Fault) as raised:
        drive(protocol.probe(session))
    assert raised.value.kind is Failure.GONE


@pytest.mark.parametrize("algorithm", sorted(Tus.caps.digests))
def test_a_damaged_chunk_is_noticed_where_checksums_are_spoken(our: Peer, algorithm: str) -> None:
    file = a_file("damaged.bin", SIZE_BYTES)
    with engine(Tus("client-1"), our.url, CHUNK_BYTES) as tus:
        drive, protocol = tus.uploader.exchange.drive, tus.uploader.protocol
        session = tus.begin(file, chunks=0)
        chunk = session.grid.chunk(0)
        right = file.digest(algorithm, chunk.offset, chunk.length)
        with pytest.raises(Fault) as raised:
            drive(protocol.send(session, chunk, file, ChunkDigest(algorithm, bytes(len(right)))))
        assert raised.value.kind is Failure.CORRUPT
        assert drive(protocol.probe(session)).held == session.held
        assert drive(protocol.send(session, chunk, file, ChunkDigest(algorithm, right))).held.covers(0, CHUNK_BYTES)


def test_our_server_knows_the_file_by_what_was_told_at_its_creation(our: Peer) -> None:
    with engine(Tus("client-1"), our.url, CHUNK_BYTES) as tus:
        outcome = tus.upload(a_file("known.bin", 1))
    assert outcome.receipt is not None
    assert urlsplit(outcome.receipt.file_id).path.startswith("/tus/")
    record = requests.get(f"{our.url}/v1/files/{id_of(outcome.receipt.file_id)}", timeout=10).json()
    assert (record["filename"], record["client_id"], record["size_bytes"]) == ("known.bin", "client-1", 1)


@pytest.mark.parametrize("path", ["/elsewhere", "/v1/files"])
def test_a_target_that_is_no_creation_url_is_said_so(our: Peer, path: str) -> None:
    with engine(Tus("client-1"), our.url + path, CHUNK_BYTES) as tus:
        outcome = tus.upload(a_file("lost.bin", 1))
    assert (outcome.end, outcome.failure) == (End.FAILED, Failure.REJECTED), outcome.message


def test_an_audit_reads_back_where_the_server_answers_a_get(tmp_path: Path) -> None:
    with node(tmp_path) as peer:
        lab = Lab(tmp_path, Tus("client-1"), peer.url)
        gone, bent, *_ = (entry.file_id for entry in lab.upload(5) if entry.size_bytes > 1000)
        assert lab.audit().counts == {Fate.INTACT: 5}
        requests.delete(gone, headers={"Tus-Resumable": "1.0.0"}, timeout=10)
        path = tmp_path / id_of(bent)
        path.write_bytes(flipped(path.read_bytes()))
        assert {problem.file_id: problem.fate for problem in lab.audit().problems} == {
            gone: Fate.MISSING, bent: Fate.CORRUPT,
        }  # fmt: skip
