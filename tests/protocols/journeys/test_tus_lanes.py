"""`tus` in lanes: parts over connections of their own, to two servers that can join them and one that can't."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.protocols.journeys.cutting import wire_to
from tests.protocols.journeys.engine import Engine, a_file, content, engine
from tests.protocols.journeys.test_tus import Peer, node, ours, python
from upswarm.protocols.tus import Tus
from upswarm.transfer.dialect import UploadProtocol
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.records import End

LANES = 3
CHUNK_BYTES = 256 << 10
SIZE_BYTES = 2_500_001


@pytest.fixture(scope="module", params=[ours, python], ids=["ours", "python"])
def peer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    start: Callable[[Path], AbstractContextManager[Peer]] = request.param
    with start(tmp_path_factory.mktemp("lanes")) as peer:
        yield peer


@pytest.fixture
def tus(peer: Peer) -> Iterator[Engine]:
    with engine(in_lanes(), peer.url, CHUNK_BYTES, lanes=LANES) as tus:
        yield tus


def in_lanes() -> UploadProtocol:
    return Tus("client-1").in_lanes(LANES)


def test_a_file_in_parts_arrives_whole(tus: Engine, peer: Peer) -> None:
    file = a_file("parts.bin", SIZE_BYTES)
    outcome = tus.upload(file)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 0), outcome.message
    assert outcome.receipt is not None
    assert peer.stored(outcome.receipt.file_id) == content(file)
    assert tus.phases == ["init"] * (1 + LANES) + ["chunk"] * 12 + ["finalize"]


@pytest.mark.parametrize("cuts", [{0: 1}, {4: 200_001}, {2: 0, 5: 77_777, 9: 130_000}])
def test_parts_that_were_cut_go_on_and_the_file_is_whole(peer: Peer, cuts: dict[int, int]) -> None:
    file = a_file("cut parts.bin", SIZE_BYTES)
    with (
        wire_to(Tus.caps.endpoint(peer.url)) as wire,
        engine(in_lanes(), wire.url, CHUNK_BYTES, lanes=LANES) as tus,
    ):
        wire.cuts = cuts
        outcome = tus.upload(file)
    assert (outcome.end, outcome.resumes >= 1) == (End.FINISHED, True), outcome.message
    assert outcome.receipt is not None
    assert peer.stored(outcome.receipt.file_id) == content(file)


def test_each_chunk_of_a_part_has_its_digest(tmp_path: Path) -> None:
    file = a_file("digests.bin", SIZE_BYTES)
    with ours(tmp_path) as peer, engine(in_lanes(), peer.url, CHUNK_BYTES, lanes=LANES, digest="sha-256") as tus:
        outcome = tus.upload(file)
        assert (outcome.end, outcome.resumes) == (End.FINISHED, 0), outcome.message
        assert outcome.receipt is not None
        assert peer.stored(outcome.receipt.file_id) == content(file)


def test_what_was_left_behind_in_parts_is_found_and_brought_to_its_end(tus: Engine, peer: Peer) -> None:
    file = a_file("left parts.bin", SIZE_BYTES)
    drive, protocol = tus.uploader.exchange.drive, tus.uploader.protocol
    begun = tus.begin(file, chunks=5)
    session = drive(protocol.probe(begun))
    assert session.held == begun.held
    assert 0 < session.held.total_bytes < SIZE_BYTES
    for chunk in session.grid.not_held(session.held):
        session = drive(protocol.send(session, chunk, file, None))
    assert peer.stored(drive(protocol.finalize(session, file)).file_id) == content(file)


def test_parts_that_were_aborted_are_gone(tus: Engine) -> None:
    drive, protocol = tus.uploader.exchange.drive, tus.uploader.protocol
    session = tus.begin(a_file("aborted parts.bin", SIZE_BYTES), chunks=2)
    drive(protocol.abort(session))
    for part in session.state:
        with pytest.raises(Fault) as raised:
            drive(Tus("client-1").probe(part))
        assert raised.value.kind is Failure.GONE


def test_a_server_that_joins_nothing_gets_one_lane_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = a_file("whole after all.bin", SIZE_BYTES)
    with node(tmp_path) as peer, engine(in_lanes(), peer.url, CHUNK_BYTES, lanes=LANES) as tus:
        outcome = tus.upload(file)
        assert (outcome.end, outcome.resumes) == (End.FINISHED, 0), outcome.message
        assert outcome.receipt is not None
        assert peer.stored(outcome.receipt.file_id) == content(file)
    assert tus.phases == ["init"] * 2 + ["chunk"] * 10
    assert caplog.text.count("uploads have one lane each") == 1
