"""`rufh` over real sockets, interim answers included, against the test server; and a witness for that server."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.protocols.journeys.cutting import wire_to
from tests.protocols.journeys.engine import Engine, a_file, content, engine
from tests.protocols.journeys.rufh_http import rufh_server
from tests.protocols.rufh_server import RufhServer
from tests.server.tus_witnesses.conftest import Witness
from upswarm.protocols.rufh import Rufh
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.records import End

CHUNK_BYTES = 100_000
SIZE_BYTES = 250_000


class Rufh6(Rufh):
    interop_version = 6


@dataclass(frozen=True, slots=True)
class Peer:
    """A server of one interop version."""

    protocol: type[Rufh]
    url: str
    uploads: RufhServer

    def stored(self, upload_id: str) -> bytes:
        """Of what is complete, the bytes."""
        path = urlsplit(upload_id).path
        assert path in self.uploads.complete
        return self.uploads.held[path]


@pytest.fixture(scope="module", params=[Rufh, Rufh6], ids=["8", "6"])
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    protocol: type[Rufh] = request.param
    with rufh_server(protocol.interop_version) as (url, uploads):
        yield Peer(protocol, url, uploads)


@pytest.fixture
def rufh(peer: Peer) -> Iterator[Engine]:
    with engine(peer.protocol("client-1"), peer.url, CHUNK_BYTES) as rufh:
        yield rufh


@pytest.mark.parametrize(
    ("size_bytes", "phases"),
    [
        (0, ["init", "finalize"]),
        (1, ["init", "chunk"]),
        (CHUNK_BYTES, ["init", "chunk"]),
        (SIZE_BYTES, ["init", "chunk", "chunk", "chunk"]),
    ],
)
def test_a_file_arrives_whole(rufh: Engine, peer: Peer, size_bytes: int, phases: list[str]) -> None:
    file = a_file("whole.bin", size_bytes)
    outcome = rufh.upload(file)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 0), outcome.message
    assert outcome.receipt is not None
    assert peer.stored(outcome.receipt.file_id) == content(file)
    assert rufh.phases == phases


@pytest.mark.parametrize(("chunk", "sent_bytes"), [(0, 1), (1, 70_001), (2, 49_999)])
def test_a_chunk_that_was_cut_goes_on_at_the_very_byte(peer: Peer, chunk: int, sent_bytes: int) -> None:
    file = a_file("cut.bin", SIZE_BYTES)
    with wire_to(peer.url) as wire, engine(peer.protocol("client-1"), wire.url, CHUNK_BYTES) as rufh:
        wire.cuts = {chunk: sent_bytes}
        outcome = rufh.upload(file)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 1), outcome.message
    assert outcome.receipt is not None
    assert peer.stored(outcome.receipt.file_id) == content(file)
    patches = [head for head in wire.heads if head.method == "PATCH"]
    assert patches[chunk + 1].headers["upload-offset"] == str(chunk * CHUNK_BYTES + sent_bytes)
    assert rufh.phases.count("finalize") == 0


def test_an_upload_that_was_aborted_is_gone(rufh: Engine) -> None:
    drive, protocol = rufh.uploader.exchange.drive, rufh.uploader.protocol
    session = rufh.begin(a_file("aborted.bin", SIZE_BYTES), chunks=1)
    drive(protocol.abort(session))
    with pytest.raises(Fault) as raised:
        drive(protocol.probe(session))
    assert raised.value.kind is Failure.GONE


@pytest.mark.parametrize(("chunk_size_bytes", "completed"), [(10 * SIZE_BYTES, 1), (CHUNK_BYTES, 0)])
def test_a_witness_takes_the_test_server_for_one_of_the_draft(
    witness: Witness, tmp_path: Path, chunk_size_bytes: int, completed: int
) -> None:
    """Of several chunks tus-js-client 4.3.1 says of none that it is the last one, and the server believes it."""
    file = a_file("witness.bin", SIZE_BYTES)
    path = tmp_path / file.name
    path.write_bytes(content(file))
    with rufh_server(6) as (url, uploads):
        *_, done = witness.run(endpoint=url, file=str(path), protocol="ietf-draft-05", chunkSize=chunk_size_bytes)
        assert done["event"] == "done", done
        assert uploads.held[urlsplit(done["url"]).path] == content(file)
        assert len(uploads.complete) == completed
