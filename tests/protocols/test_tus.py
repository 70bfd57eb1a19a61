from collections.abc import Callable

import pytest

from tests.protocols.chunked_server import reply
from tests.protocols.steps import answered, asked, refused, unasked
from tests.protocols.tus_server import TusServer
from tests.transfer.lab import a_file
from upswarm.protocols.tus import Tus
from upswarm.testing.protocols import ProtocolContract
from upswarm.transfer.chunks import Chunk, Grid
from upswarm.transfer.dialect import ChunkDigest, Session, UploadProtocol
from upswarm.transfer.failures import RESUMABLE, Failure
from upswarm.transfer.messages import Request, Response
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import Receipt

SESSION = Session("/files/u1", Grid(2500, 1000, fixed=False))
FIRST = SESSION.grid.chunk(0)
TARGET = "http://h:1080/files"


class TestTus(ProtocolContract):
    def protocol(self) -> UploadProtocol:
        return Tus("client-1")

    def server(self) -> Callable[[Request], Response]:
        return TusServer()


def create(file=None, chunk_size_bytes=None):
    return Tus("client-1").create(file or a_file(), chunk_size_bytes)


def send(chunk=FIRST, digest=None):
    return Tus("c").send(SESSION, chunk, a_file(), digest)


def probe():
    return Tus("c").probe(SESSION)


def test_a_creation_tells_the_length_and_whose_file_it_is():
    request = asked(create())
    assert (request.method, request.path, request.body) == ("POST", "", None)
    assert request.headers == {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": "2500",
        "Upload-Metadata": "filename YS5iaW4=,client_id Y2xpZW50LTE=",
    }


@pytest.mark.parametrize(
    ("location", "upload_id"),
    [
        ("http://elsewhere/files/7", "http://elsewhere/files/7"),
        ("//elsewhere/7?x=1", "http://elsewhere/7?x=1"),
        ("/files/7", "http://h:1080/files/7"),
        ("7", "http://h:1080/7"),
        ("./7", "http://h:1080/7"),
        ("?id=7", "http://h:1080/files?id=7"),
    ],
)
def test_a_location_is_seen_from_the_url_that_was_asked(location, upload_id):
    session = answered(create(), Response(201, {"location": location}, url=TARGET))
    assert session.upload_id == upload_id


@pytest.mark.parametrize("location", [None, "", " ", "ftp://h/7", "http://[", "mailto:a@b"])
def test_a_location_that_leads_nowhere_is_broken(location):
    headers = {} if location is None else {"location": location}
    assert refused(create(), Response(201, headers, url=TARGET)).kind is Failure.BROKEN


@pytest.mark.parametrize(("wish", "size_bytes"), [(None, 8 << 20), (1, 1), (1 << 30, 1 << 30)])
def test_the_client_chooses_the_size_of_chunks(wish, size_bytes):
    session = answered(create(a_file(100_000), wish), reply(201, location="/files/u1"))
    assert session.grid == Grid(100_000, size_bytes, fixed=False)


def test_a_chunk_is_sent_to_its_offset():
    request = asked(send(SESSION.grid.chunk(1)))
    assert (request.method, request.path) == ("PATCH", "/files/u1")
    assert request.headers == {
        "Tus-Resumable": "1.0.0",
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": "1000",
    }
    assert b"".join(request.body) == b"".join(a_file().views(1000, 1000))


@pytest.mark.parametrize(
    ("algorithm", "value", "header"),
    [
        ("sha-256", bytes(32), "sha256 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("crc32c", b"abcd", "crc32c YWJjZA=="),
    ],
)
def test_a_digest_goes_out_under_the_name_that_tus_has_for_it(algorithm, value, header):
    assert algorithm in Tus.caps.digests
    assert asked(send(digest=ChunkDigest(algorithm, value))).headers["Upload-Checksum"] == header


@pytest.mark.parametrize("status", [200, 204])
@pytest.mark.parametrize(
    ("offset", "held"), [("0", NOTHING), ("1234", Ranges(((0, 1234),))), ("2500", Ranges(((0, 2500),)))]
)
def test_a_probe_finds_the_very_byte(status, offset, held):
    assert asked(probe()).method == "HEAD"
    assert answered(probe(), reply(status, upload_offset=offset, upload_length="2500")).held == held


@pytest.mark.parametrize("offset", [None, "", "-1", "2501", "1.0", "0x10", "²", "1 0", "9" * 5000])
def test_an_offset_that_can_not_be_true_is_broken(offset):
    headers = {} if offset is None else {"upload_offset": offset}
    assert refused(probe(), reply(200, **headers)).kind is Failure.BROKEN
    assert refused(send(), reply(204, **headers)).kind is Failure.BROKEN


@pytest.mark.parametrize("offset", ["0", "999", "1001", "2500"])
def test_another_offset_than_the_chunks_end_is_to_be_looked_into(offset):
    fault = refused(send(), reply(204, upload_offset=offset))
    assert (fault.kind, fault.message) == (Failure.SYNC, f"204 expected 1000 bytes to be held, found {offset}")
    assert fault.kind in RESUMABLE


def test_the_last_byte_is_the_end_and_nothing_more_is_asked():
    session = answered(send(Chunk(2, 1700, 800)), reply(204, upload_offset="2500"))
    assert session.held.covers(0, 2500)
    assert unasked(Tus("c").finalize(session, a_file())) == Receipt("/files/u1", 2500)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Failure.REJECTED),
        (401, Failure.DENIED),
        (403, Failure.DENIED),
        (404, Failure.GONE),
        (409, Failure.SYNC),
        (410, Failure.GONE),
        (412, Failure.REJECTED),
        (413, Failure.TOO_LARGE),
        (415, Failure.REJECTED),
        (423, Failure.BUSY),
        (429, Failure.THROTTLED),
        (460, Failure.CORRUPT),
        (500, Failure.SERVER_ERROR),
        (503, Failure.SERVER_ERROR),
        (507, Failure.FULL),
        (302, Failure.BROKEN),
        (201, Failure.BROKEN),
    ],
)
def test_every_answer_has_its_kind(status, kind):
    fault = refused(send(), reply(status, upload_offset="1000"))
    assert (fault.kind, fault.status, fault.message) == (kind, status, f"{status} expected status 204")


@pytest.mark.parametrize(
    ("step", "status", "kind"),
    [
        (create, 413, Failure.TOO_LARGE),
        (create, 404, Failure.REJECTED),
        (create, 410, Failure.REJECTED),
        (create, 409, Failure.REJECTED),
        (create, 200, Failure.BROKEN),
        (probe, 410, Failure.GONE),
        (lambda: Tus("c").abort(SESSION), 404, Failure.GONE),
        (lambda: Tus("c").abort(SESSION), 405, Failure.REJECTED),
    ],
)
def test_so_has_every_answer_to_the_other_steps(step, status, kind):
    assert refused(step(), reply(status, location="/files/u1", upload_offset="0")).kind is kind


def test_an_abort_is_a_termination():
    request = asked(Tus("c").abort(SESSION))
    assert (request.method, request.path, request.headers) == ("DELETE", "/files/u1", {"Tus-Resumable": "1.0.0"})


def test_a_damaged_chunk_is_not_held():
    server, tus = TusServer(), Tus("client-1")
    session = answered(tus.create(a_file(), 1000), server(asked(tus.create(a_file(), 1000))))
    for digest, status in ((b"wrong".ljust(32), 460), (a_file().digest("sha-256", 0, 1000), 204)):
        assert server(asked(tus.send(session, FIRST, a_file(), ChunkDigest("sha-256", digest)))).status == status
    assert server.held[session.upload_id] == b"".join(a_file().views(0, 1000))
