from collections.abc import Callable

import pytest

from tests.protocols.chunked_server import reply
from tests.protocols.steps import answered, asked, refused
from tests.protocols.tus_server import TusServer
from tests.transfer.lab import a_file
from upswarm.protocols.tus import Tus
from upswarm.testing.protocols import ProtocolContract
from upswarm.transfer.dialect import ChunkDigest, Flow, InLanes, UploadProtocol
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.messages import Phase, Request, Response
from upswarm.transfer.ranges import NOTHING, Ranges

ONLY_WHOLE = "creation,termination,checksum"


def in_lanes(count: int) -> UploadProtocol:
    return Tus("client-1").in_lanes(count)


class TestTusInLanes(ProtocolContract):
    def protocol(self) -> UploadProtocol:
        return in_lanes(2)

    def server(self) -> Callable[[Request], Response]:
        return TusServer()


class TestTusInLanesThatTheServerDoesNotHave(ProtocolContract):
    def protocol(self) -> UploadProtocol:
        return in_lanes(2)

    def server(self) -> Callable[[Request], Response]:
        return TusServer(ONLY_WHOLE)


class Talk:
    """A dialect and a server that talk, and what was asked."""

    def __init__(self, lanes: int = 2, server: TusServer | None = None) -> None:
        self.server = server or TusServer()
        self.protocol = in_lanes(lanes)
        self.asked: list[Request] = []

    def drive(self, flow: Flow):
        self.asked.clear()
        try:
            request = next(flow)
            while True:
                self.asked.append(request)
                request = flow.send(self.server(request))
        except StopIteration as end:
            return end.value

    def create(self, size_bytes: int = 2500):
        return self.drive(self.protocol.create(a_file(size_bytes), 1000))

    def send(self, session, rows: range | None = None):
        """All that is missing, in these rows only."""
        for number, row in enumerate(session.grid.rows(session.held)):
            for chunk in row if rows is None or number in rows else ():
                session = self.drive(self.protocol.send(session, chunk, a_file(), None))
        return session

    @property
    def steps(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.asked]


def test_lanes_are_an_ability_of_tus_and_not_of_every_protocol_with_an_order():
    assert isinstance(Tus("c"), InLanes)
    assert Tus.caps.joined is None
    assert in_lanes(2).caps.joined is not None


def test_a_server_is_asked_once_whether_it_can_join():
    talk = Talk()
    talk.create()
    assert talk.steps == ["OPTIONS ", "POST ", "POST "]
    assert talk.asked[0].headers == {}
    assert all(request.phase is Phase.INIT for request in talk.asked)
    talk.create()
    assert talk.steps == ["POST ", "POST "]


def test_users_who_begin_at_the_same_time_each_ask():
    protocol = in_lanes(2)
    first, second = protocol.create(a_file(), 1000), protocol.create(a_file(), 1000)
    next(first), next(second)
    for flow in (first, second):
        assert flow.send(reply(204, tus_extension="concatenation")).headers["Upload-Concat"] == "partial"


def test_what_several_users_hear_at_the_same_time_is_said_once(caplog):
    protocol = in_lanes(2)
    flows = [protocol.create(a_file(), 1000) for _ in range(3)]
    assert [asked(flow).method for flow in flows] == ["OPTIONS"] * 3
    for flow in flows:
        assert flow.send(reply(204)).method == "POST"
    assert len(caplog.records) == 1


class Careful(Tus):
    """A client that looks at what it is about to send."""

    seen: list[tuple[str, int, bytes]]

    def create(self, file, chunk_size_bytes):
        self.seen.append((file.name, file.size_bytes, file.digest("crc32c", 10, 100)))
        return super().create(file, chunk_size_bytes)


def test_to_the_protocol_inside_a_part_is_a_file():
    careful, file = Careful("c"), a_file()
    careful.seen = []
    flow = careful.in_lanes(2).create(file, 1000)
    next(flow)
    flow.send(reply(204, tus_extension="concatenation"))
    flow.send(reply(201, location="/files/u1"))
    assert careful.seen == [("a.bin", 1250, file.digest("crc32c", start + 10, 100)) for start in (0, 1250)]


def test_parts_say_that_they_are_and_leave_the_name_to_the_file():
    talk = Talk()
    session = talk.create()
    assert [request.headers for request in talk.asked[1:]] == [
        {"Tus-Resumable": "1.0.0", "Upload-Length": "1250", "Upload-Concat": "partial"}
    ] * 2
    assert [part.upload_id for part in session.state] == ["/files/u1", "/files/u2"]
    talk.drive(talk.protocol.finalize(talk.send(session), a_file()))
    (final,) = talk.asked
    assert (final.phase, final.method, final.path, final.body) == (Phase.FINALIZE, "POST", "", None)
    assert final.headers == {
        "Tus-Resumable": "1.0.0",
        "Upload-Metadata": "filename YS5iaW4=,client_id Y2xpZW50LTE=",
        "Upload-Concat": "final;/files/u1 /files/u2",
    }


@pytest.mark.parametrize(
    ("size_bytes", "lanes", "sizes"),
    [
        (2500, 2, [1250, 1250]),
        (2501, 2, [1251, 1250]),
        (2500, 4, [1250, 1250]),
        (4000, 4, [1000] * 4),
        (10_000, 3, [3334, 3334, 3332]),
        (2000, 2, [1000, 1000]),
    ],
)
def test_parts_are_as_many_as_lanes_but_none_is_smaller_than_a_chunk(size_bytes, lanes, sizes):
    talk = Talk(lanes)
    session = talk.create(size_bytes)
    assert [talk.server.sizes[part.upload_id] for part in session.state] == sizes
    assert len(list(session.grid.rows(NOTHING))) == len(sizes)


@pytest.mark.parametrize("size_bytes", [0, 1, 1000, 1999])
def test_a_file_of_less_than_two_chunks_is_no_matter_for_lanes(size_bytes):
    talk = Talk(4)
    session = talk.create(size_bytes)
    assert talk.steps == ["POST "]
    assert "Upload-Concat" not in talk.asked[0].headers
    assert talk.drive(talk.protocol.finalize(session, a_file(size_bytes))).file_id == "/files/u1"
    assert talk.steps == []


def test_a_server_that_can_not_join_gets_the_file_in_one_lane_and_it_is_said_once(caplog):
    talk = Talk(4, TusServer(ONLY_WHOLE))
    for _ in range(3):
        session = talk.create()
    assert talk.server.parts == set()
    (row,) = session.grid.rows(NOTHING)
    assert [chunk.offset for chunk in row] == [0, 1000, 2000]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "expected the tus extension concatenation" in caplog.text
    assert talk.drive(talk.protocol.finalize(talk.send(session), a_file())).file_id == session.upload_id


@pytest.mark.parametrize(
    ("answer", "joins"),
    [
        (reply(200, tus_extension="creation, concatenation ,x"), True),
        (reply(204, tus_extension="concatenation"), True),
        (reply(204, tus_extension="concatenation-unfinished"), False),
        (reply(204), False),
        (reply(404, tus_extension="concatenation"), False),
        (reply(405), False),
        (reply(501), False),
    ],
)
def test_only_a_server_that_says_so_can_join(answer, joins):
    flow = in_lanes(2).create(a_file(), 1000)
    assert asked(flow).method == "OPTIONS"
    assert ("Upload-Concat" in flow.send(answer).headers) == joins


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Failure.DENIED), (503, Failure.SERVER_ERROR), (302, Failure.BROKEN)]
)
def test_a_server_that_does_not_say_is_a_fault_and_is_asked_again(status, kind):
    protocol = in_lanes(2)
    assert refused(protocol.create(a_file(), 1000), reply(status)).kind is kind
    assert asked(protocol.create(a_file(), 1000)).method == "OPTIONS"


def test_a_chunk_goes_to_its_own_part_at_the_place_that_it_has_there():
    talk = Talk()
    session = talk.create()
    chunks = list(session.grid.not_held(NOTHING))
    assert [(chunk.offset, chunk.length) for chunk in chunks] == [(0, 1000), (1000, 250), (1250, 1000), (2250, 250)]
    after = talk.drive(talk.protocol.send(session, chunks[2], a_file(), None))
    (patch,) = talk.asked
    assert (patch.path, patch.headers["Upload-Offset"]) == ("/files/u2", "0")
    assert b"".join(patch.body) == b"".join(a_file().views(1250, 1000))
    assert after.held == Ranges(((1250, 2250),))


def test_what_lanes_bring_at_the_same_time_comes_together():
    talk = Talk()
    session = talk.create()
    one, other = (talk.send(session, range(row, row + 1)) for row in (0, 1))
    for joined in (
        talk.protocol.caps.joined(one.state, other.state),
        talk.protocol.caps.joined(other.state, one.state),
    ):
        assert [part.held.total_bytes for part in joined] == [1250, 1250]


def test_a_probe_asks_each_part_for_the_very_byte():
    talk = Talk()
    session = talk.create()
    talk.server.held["/files/u1"], talk.server.held["/files/u2"] = bytes(7), bytes(1250)
    probed = talk.drive(talk.protocol.probe(session))
    assert talk.steps == ["HEAD /files/u1", "HEAD /files/u2"]
    assert probed.held == Ranges(((0, 7), (1250, 2500)))
    assert [(chunk.offset, chunk.length) for chunk in probed.grid.not_held(probed.held)] == [(7, 1000), (1007, 243)]


def test_a_probe_believes_the_server_where_it_holds_less_than_before():
    talk = Talk()
    session = talk.send(talk.create())
    talk.server.held["/files/u1"] = b""
    assert talk.drive(talk.protocol.probe(session)).held == Ranges(((1250, 2500),))


def test_the_file_is_its_parts_in_order():
    talk = Talk(3)
    receipt = talk.drive(talk.protocol.finalize(talk.send(talk.create(10_000)), a_file(10_000)))
    assert (receipt.file_id, receipt.size_bytes) == ("/files/u4", 10_000)
    assert talk.server.metadata["/files/u4"]["filename"] == "a.bin"


def test_parts_of_which_the_server_has_lost_bytes_are_not_joined():
    talk = Talk()
    session = talk.send(talk.create())
    talk.server.held["/files/u2"] = b""
    with pytest.raises(Fault) as raised:
        talk.drive(talk.protocol.finalize(session, a_file()))
    assert raised.value.status == 409


def test_an_abort_ends_every_part_that_is_there():
    talk = Talk()
    session = talk.create()
    talk.drive(talk.protocol.abort(session))
    assert talk.steps == ["DELETE /files/u1", "DELETE /files/u2"]
    assert talk.server.sizes == {}


def test_an_abort_goes_on_after_a_part_that_is_gone_and_says_so_in_the_end():
    talk = Talk()
    session = talk.create()
    del talk.server.sizes["/files/u1"]
    with pytest.raises(Fault) as raised:
        talk.drive(talk.protocol.abort(session))
    assert raised.value.kind is Failure.GONE
    assert talk.server.sizes == {}


def test_a_digest_is_of_the_chunk_wherever_its_part_begins():
    talk = Talk()
    session = talk.create()
    chunk = list(session.grid.not_held(NOTHING))[2]
    with pytest.raises(Fault) as raised:
        talk.drive(talk.protocol.send(session, chunk, a_file(), ChunkDigest("sha-256", bytes(32))))
    assert raised.value.kind is Failure.CORRUPT
    right = ChunkDigest("sha-256", a_file().digest("sha-256", chunk.offset, chunk.length))
    assert talk.drive(talk.protocol.send(session, chunk, a_file(), right)).held.total_bytes == 1000


def test_a_part_that_is_gone_is_gone_for_the_upload():
    talk = Talk()
    session = talk.create()
    assert refused(talk.protocol.probe(session), reply(404)).kind is Failure.GONE


def test_an_answer_to_a_part_may_be_relative_to_the_url_that_was_asked():
    flow = in_lanes(2).create(a_file(), 1000)
    next(flow)
    flow.send(reply(204, tus_extension="concatenation"))
    flow.send(Response(201, {"location": "p1"}, url="http://h/tus/"))
    with pytest.raises(StopIteration) as end:
        flow.send(Response(201, {"location": "p2"}, url="http://h/tus/"))
    urls = [part.upload_id for part in end.value.value.state]
    assert urls == ["http://h/tus/p1", "http://h/tus/p2"]
    assert answered(Tus("c").abort(end.value.value.state[0]), reply(204)) is None
