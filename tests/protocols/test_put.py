from collections.abc import Callable

import pytest

from tests.protocols.chunked_server import reply
from tests.protocols.put_server import PutServer
from tests.protocols.steps import answered, asked, refused, unasked
from tests.transfer.lab import a_file
from upswarm.content.random import Random
from upswarm.protocols.put import Put
from upswarm.testing.protocols import ProtocolContract
from upswarm.transfer.chunks import Grid
from upswarm.transfer.dialect import Session, UploadProtocol
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase, Request, Response
from upswarm.transfer.ranges import NOTHING
from upswarm.transfer.records import Receipt

SESSION = Session("/a.bin", Grid(2500, 2500))


class TestPut(ProtocolContract):
    def protocol(self) -> UploadProtocol:
        return Put("client-1")

    def server(self) -> Callable[[Request], Response]:
        return PutServer()


def send():
    return Put("c").send(SESSION, SESSION.grid.chunk(0), a_file(), None)


def abort():
    return Put("c").abort(SESSION)


@pytest.mark.parametrize("wish", [None, 1, 1000, 1 << 30])
@pytest.mark.parametrize(("size_bytes", "lengths"), [(0, []), (1, [1]), (20_000_000, [20_000_000])])
def test_a_file_is_one_chunk_whatever_is_wished_for(wish, size_bytes, lengths):
    session = unasked(Put("c").create(a_file(size_bytes), wish))
    assert [chunk.length for chunk in session.grid.not_held(NOTHING)] == lengths


def test_a_name_is_data_and_never_a_path(tmp_path):
    file = Random(tmp_path).open("../a b?c#d%/e", 1, seed=1)
    assert unasked(Put("c").create(file, None)).upload_id == "/..%2Fa%20b%3Fc%23d%25%2Fe"


def test_the_put_is_the_file():
    request = asked(send())
    assert (request.phase, request.method, request.path) == (Phase.CHUNK, "PUT", "/a.bin")
    assert request.headers == {"Content-Type": "application/octet-stream"}
    assert b"".join(request.body) == b"".join(a_file().views(0, 2500))
    session = answered(send(), reply(201))
    assert unasked(Put("c").finalize(session, a_file())) == Receipt("/a.bin", 2500)


def test_an_empty_file_is_put_at_the_end():
    flow = Put("c").finalize(SESSION, a_file(0))
    assert (request := asked(flow)).phase is Phase.FINALIZE
    assert (request.method, request.path, request.body) == ("PUT", "/a.bin", None)
    assert refused(Put("c").finalize(SESSION, a_file(0)), reply(507)).kind is Failure.FULL


def test_after_a_cut_nothing_is_asked_and_all_is_sent_again():
    session = unasked(Put("c").probe(answered(send(), reply(204))))
    assert list(session.grid.not_held(session.held)) == [SESSION.grid.chunk(0)]
    assert not Put.caps.resumes


@pytest.mark.parametrize("status", [200, 201, 204])
def test_all_of_these_are_success(status):
    assert answered(send(), reply(status)).held.covers(0, 2500)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Failure.REJECTED),
        (401, Failure.DENIED),
        (403, Failure.DENIED),
        (404, Failure.REJECTED),
        (405, Failure.REJECTED),
        (409, Failure.REJECTED),
        (413, Failure.TOO_LARGE),
        (429, Failure.THROTTLED),
        (500, Failure.SERVER_ERROR),
        (507, Failure.FULL),
        (202, Failure.BROKEN),
        (302, Failure.BROKEN),
    ],
)
def test_every_other_answer_has_its_kind(status, kind):
    fault = refused(send(), reply(status))
    assert (fault.kind, fault.status, fault.message) == (kind, status, f"{status} expected status 200, 201, 204")


@pytest.mark.parametrize("status", [200, 202, 204, 404])
def test_what_is_not_there_need_not_be_deleted(status):
    assert asked(abort()).method == "DELETE"
    assert answered(abort(), reply(status)) is None


def test_what_can_not_be_deleted_is_a_failure():
    assert refused(abort(), reply(405)).kind is Failure.REJECTED
