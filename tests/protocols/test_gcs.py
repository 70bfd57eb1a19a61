from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.protocols.chunked_server import reply
from tests.protocols.gcs_server import BUCKET, GcsServer
from tests.protocols.steps import answered
from tests.transfer.lab import a_file
from upswarm.protocols.gcs import Gcs
from upswarm.testing.protocols import ProtocolContract
from upswarm.transfer.chunks import Chunk, Grid
from upswarm.transfer.dialect import Session, UploadProtocol
from upswarm.transfer.failures import RESUMABLE, Failure, Fault
from upswarm.transfer.messages import Request, Response
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import Receipt

URL = f"{BUCKET}/o?uploadType=resumable&upload_id=u1"
SESSION = Session(URL, Grid(2500, 1000, fixed=False))
OBJECT = {"name": "a.bin", "size": "2500"}


class SmallGcs(Gcs):
    """Chunks of any size, so that the contract's small file has several."""

    caps = replace(Gcs.caps, min_chunk_bytes=1, multiple_bytes=1)


class TestGcs(ProtocolContract):
    def protocol(self) -> UploadProtocol:
        return Gcs("client-1")

    def server(self) -> Callable[[Request], Response]:
        return GcsServer()


class TestGcsInSmallChunks(ProtocolContract):
    def protocol(self) -> UploadProtocol:
        return SmallGcs("client-1")

    def server(self) -> Callable[[Request], Response]:
        return GcsServer()


def sent(response):
    return answered(Gcs("c").send(SESSION, SESSION.grid.chunk(0), a_file(), None), response)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Failure.REJECTED),
        (401, Failure.DENIED),
        (403, Failure.DENIED),
        (404, Failure.GONE),
        (410, Failure.GONE),
        (412, Failure.REJECTED),
        (413, Failure.TOO_LARGE),
        (416, Failure.SYNC),
        (429, Failure.THROTTLED),
        (500, Failure.SERVER_ERROR),
        (501, Failure.REJECTED),
        (503, Failure.SERVER_ERROR),
        (204, Failure.BROKEN),
        (302, Failure.BROKEN),
    ],
)
def test_every_answer_has_its_kind(status, kind):
    with pytest.raises(Fault) as raised:
        sent(reply(status))
    assert (raised.value.kind, raised.value.status) == (kind, status)
    assert raised.value.message == f"{status} expected status 200 or 308"


def test_an_upload_that_somebody_cancelled_is_gone():
    with pytest.raises(Fault, match="499 the upload was cancelled") as raised:
        sent(reply(499))
    assert raised.value.kind is Failure.GONE


def test_a_gap_is_told_from_a_busy_server_by_its_words():
    """GCS says 503 to both; after a gap no waiting helps, but a probe does."""
    body = b"Invalid request.  According to the Content-Range header, the upload offset is 1000 byte(s), "
    with pytest.raises(Fault) as raised:
        sent(Response(503, {}, body + b"which exceeds already uploaded size of 0 byte(s)."))
    assert raised.value.kind is Failure.SYNC


def test_a_chunk_says_where_it_belongs():
    chunk = Chunk(1, 1000, 1000)
    request = next(Gcs("c").send(SESSION, chunk, a_file(), None))
    assert (request.method, request.path) == ("PUT", URL)
    assert request.headers["Content-Range"] == "bytes 1000-1999/2500"


@pytest.mark.parametrize(
    ("header", "held"),
    [
        ({}, NOTHING),
        ({"range": "bytes=0-0"}, NOTHING),
        ({"range": "bytes=0-999"}, Ranges(((0, 1000),))),
        ({"range": " bytes=0-2499 "}, Ranges(((0, 2500),))),
    ],
)
def test_a_probe_reads_how_much_is_held(header, held):
    assert answered(Gcs("c").probe(SESSION), reply(308, **header)).held == held


@pytest.mark.parametrize("text", ["", "0-999", "bytes=1-999", "bytes=0-2500", "bytes=0-", "bytes=0-x", "bytes=0-٣"])
def test_a_range_that_can_not_be_true_is_broken(text):
    with pytest.raises(Fault) as raised:
        answered(Gcs("c").probe(SESSION), reply(308, range=text))
    assert raised.value.kind is Failure.BROKEN
    assert raised.value.message == f"308 expected a Range within 2500 bytes, found {text!r}"


def test_a_chunk_of_which_only_a_part_is_kept_is_out_of_sync():
    """The next chunk would begin behind a gap; a probe finds where to go on."""
    with pytest.raises(Fault, match="308 expected 1000 bytes to be held, found 600") as raised:
        sent(reply(308, range="bytes=0-599"))
    assert raised.value.kind in RESUMABLE


def test_a_probe_of_an_upload_that_is_complete_brings_its_receipt():
    session = answered(Gcs("c").probe(SESSION), reply(200, OBJECT))
    assert session.held == Ranges(((0, 2500),))
    with pytest.raises(StopIteration) as ended:
        next(Gcs("c").finalize(session, a_file()))
    assert ended.value.value == Receipt("a.bin", 2500)


def test_finalize_asks_for_an_empty_file():
    session = Session(URL, Grid(0, 1000, fixed=False))
    flow = Gcs("c").finalize(session, a_file(0))
    assert next(flow).headers == {"Content-Range": "bytes */0"}
    with pytest.raises(StopIteration) as ended:
        flow.send(reply(200, {"name": "a.bin", "size": "0"}))
    assert ended.value.value == Receipt("a.bin", 0)


def test_a_server_that_still_waits_for_bytes_has_no_file():
    with pytest.raises(Fault) as raised:
        answered(Gcs("c").finalize(SESSION, a_file()), reply(308, range="bytes=0-999"))
    assert raised.value.kind is Failure.INCOMPLETE


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"name": "a.bin", "size": "0"}, "200 sent 2500 bytes, the server has 0"),
        ({"name": "a.bin"}, "200 sent 2500 bytes, the server has None"),
        ({"name": "", "size": "2500"}, "200 expected a file with a 'name'"),
        ({"size": "2500"}, "200 expected a file with a 'name'"),
    ],
)
def test_a_file_that_is_not_the_one_that_was_sent_is_broken(document, message):
    with pytest.raises(Fault) as raised:
        answered(Gcs("c").probe(SESSION), reply(200, document))
    assert (raised.value.kind, raised.value.message) == (Failure.BROKEN, message)


@pytest.mark.parametrize("url", ["", "u1", "ftp://host/u1", "javascript:0"])
def test_an_upload_without_a_usable_url_is_broken(url):
    with pytest.raises(Fault, match="200 without a usable Location") as raised:
        answered(Gcs("c").create(a_file(), None), reply(200, location=url))
    assert raised.value.kind is Failure.BROKEN


@pytest.mark.parametrize(("wish_bytes", "found_bytes"), [(1, 256 << 10), (300_000, 512 << 10), (None, 8 << 20)])
def test_chunks_are_multiples_of_256_kib(wish_bytes, found_bytes):
    session = answered(Gcs("c").create(a_file(), wish_bytes), reply(200, location=URL))
    assert session.grid.chunk_size_bytes == found_bytes


def test_a_name_is_data_and_never_a_part_of_the_url():
    file = a_file()
    file.name = "a&uploadType=media/../ß?.bin"
    request = next(Gcs("c").create(file, None))
    assert request.path == "/o?uploadType=resumable&name=a%26uploadType%3Dmedia%2F..%2F%C3%9F%3F.bin"


@pytest.mark.parametrize("status", [499, 204])
def test_an_abort_succeeds_with_the_status_of_a_cancelled_request(status):
    assert answered(Gcs("c").abort(SESSION), reply(status)) is None


def test_an_abort_that_the_server_does_not_know_is_a_fault():
    with pytest.raises(Fault, match="501 expected status 499"):
        answered(Gcs("c").abort(SESSION), reply(501))


@pytest.mark.parametrize(
    ("status", "kind"), [(404, Failure.REJECTED), (401, Failure.DENIED), (503, Failure.SERVER_ERROR)]
)
def test_before_there_is_an_upload_nothing_can_be_gone(status, kind):
    with pytest.raises(Fault, match=f"{status} expected status 200") as raised:
        answered(Gcs("c").create(a_file(), None), reply(status))
    assert raised.value.kind is kind
