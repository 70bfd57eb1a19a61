import pytest

from tests.protocols.chunked_server import reply
from tests.transfer.lab import a_file
from upswarm.protocols.chunked import Chunked
from upswarm.transfer.chunks import Grid
from upswarm.transfer.dialect import Session
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.ranges import Ranges

SESSION = Session("u1", Grid(2500, 1000))


def answered(flow, response):
    next(flow)
    try:
        flow.send(response)
    except StopIteration as end:
        return end.value


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "chunk_torn", Failure.CORRUPT),
        (422, "digest_mismatch", Failure.CORRUPT),
        (422, "chunk_length_mismatch", Failure.SYNC),
        (422, "chunk_out_of_range", Failure.SYNC),
        (409, "upload_incomplete", Failure.INCOMPLETE),
        (409, "upload_finalized", Failure.REJECTED),
        (401, None, Failure.DENIED),
        (403, None, Failure.DENIED),
        (404, None, Failure.GONE),
        (410, None, Failure.GONE),
        (413, None, Failure.TOO_LARGE),
        (429, None, Failure.THROTTLED),
        (500, None, Failure.SERVER_ERROR),
        (507, "storage_full", Failure.FULL),
        (418, None, Failure.REJECTED),
        (200, None, Failure.BROKEN),
        (302, None, Failure.BROKEN),
    ],
)
def test_every_answer_has_its_kind(status, code, kind):
    chunk = SESSION.grid.chunk(0)
    with pytest.raises(Fault) as raised:
        answered(Chunked("c").send(SESSION, chunk, a_file(), None), reply(status, {"code": code} if code else None))
    assert (raised.value.kind, raised.value.status) == (kind, status)
    assert raised.value.message == f"{status} {code or 'expected status 204'}"


def test_an_upload_id_is_data_and_never_a_path():
    flow = Chunked("c").abort(Session("../v1/files?x=1#y z", Grid(0, 1)))
    assert next(flow).path == "/v1/uploads/..%2Fv1%2Ffiles%3Fx%3D1%23y%20z"


def test_a_probe_reads_index_ranges_with_both_ends():
    session = answered(Chunked("c").probe(SESSION), reply(200, {"received_chunks": [[0, 0], [2, 2]]}))
    assert session.held == Ranges(((0, 1000), (2000, 2500)))


@pytest.mark.parametrize("spans", [[[0, 3]], [[2, 1]], [[-1, 0]], [[0]], [0], ["01"], [[0.0, 1]], "", None, {}])
def test_a_probe_that_can_not_be_true_is_broken(spans):
    with pytest.raises(Fault) as raised:
        answered(Chunked("c").probe(SESSION), reply(200, {"received_chunks": spans}))
    assert (raised.value.kind, raised.value.message) == (Failure.BROKEN, "200 without a usable 'received_chunks'")


@pytest.mark.parametrize("chunk_size_bytes", [0, -1, True, 1.5, "1000", None])
def test_a_chunk_size_that_cuts_nothing_is_broken(chunk_size_bytes):
    with pytest.raises(Fault) as raised:
        answered(
            Chunked("c").create(a_file(), None), reply(201, {"upload_id": "u1", "chunk_size_bytes": chunk_size_bytes})
        )
    assert raised.value.kind is Failure.BROKEN
