from collections.abc import Callable

import pytest

from tests.protocols.chunked_server import reply
from tests.protocols.rufh_server import RufhServer
from tests.protocols.steps import answered, asked, refused, unasked
from tests.transfer.lab import a_file
from upswarm.protocols.rufh import Rufh
from upswarm.testing.protocols import ProtocolContract
from upswarm.transfer.chunks import Chunk, Grid
from upswarm.transfer.dialect import ChunkDigest, Session, UploadProtocol
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase, Request, Response
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import Receipt

SESSION = Session("/uploads/u1", Grid(2500, 1000, fixed=False), state=False)
FIRST, LAST = SESSION.grid.chunk(0), SESSION.grid.chunk(2)
TYPES = "https://iana.org/assignments/http-problem-types#"


class TestRufh(ProtocolContract):
    def protocol(self) -> UploadProtocol:
        return Rufh("client-1")

    def server(self) -> Callable[[Request], Response]:
        return RufhServer()


def create(size_bytes=2500, chunk_size_bytes=1000):
    return Rufh("c").create(a_file(size_bytes), chunk_size_bytes)


def send(chunk=FIRST, digest=None):
    return Rufh("c").send(SESSION, chunk, a_file(), digest)


def probe():
    return Rufh("c").probe(SESSION)


def finalize(session=SESSION):
    return Rufh("c").finalize(session, a_file())


def abort():
    return Rufh("c").abort(SESSION)


def test_a_creation_has_no_bytes_and_says_that_they_will_come():
    request = asked(create())
    assert (request.method, request.path, request.body) == ("POST", "", None)
    assert request.headers == {
        "Upload-Draft-Interop-Version": "8",
        "Content-Type": "application/octet-stream",
        "Content-Disposition": "inline; filename*=UTF-8''a.bin",
        "Upload-Length": "2500",
        "Upload-Complete": "?0",
    }


def test_a_location_is_seen_from_the_url_that_was_asked():
    session = answered(create(), Response(201, {"location": "u1"}, url="http://h/uploads/"))
    assert session.upload_id == "http://h/uploads/u1"


@pytest.mark.parametrize(
    ("limit", "size_bytes"),
    [
        ("", 1000),
        ("max-age=3600", 1000),
        ("max-append-size=500", 500),
        ("max-size=7, max-append-size=500;x=1, max-age=60", 500),
        ("min-append-size=2000,max-append-size=3000", 2000),
        ("min-append-size=500, max-append-size=3000", 1000),
        ("xmax-append-size=500", 1000),
        ("max-append-size=0", 1),
        ("max-append-size=-5", 1000),
    ],
)
def test_chunks_keep_to_the_servers_limits(limit, size_bytes):
    session = answered(create(), reply(201, location="/uploads/u1", upload_limit=limit))
    assert session.grid == Grid(2500, size_bytes, fixed=False)


@pytest.mark.parametrize(("chunk", "complete"), [(FIRST, "?0"), (LAST, "?1"), (Chunk(1, 1700, 800), "?1")])
def test_the_chunk_with_the_last_byte_says_so(chunk, complete):
    request = asked(send(chunk))
    assert (request.method, request.path) == ("PATCH", "/uploads/u1")
    assert request.headers == {
        "Upload-Draft-Interop-Version": "8",
        "Content-Type": "application/partial-upload",
        "Upload-Offset": str(chunk.offset),
        "Upload-Complete": complete,
    }


def test_a_digest_goes_out_as_rfc_9530_has_it():
    assert asked(send(digest=ChunkDigest("crc32c", b"abcd"))).headers["Content-Digest"] == "crc32c=:YWJjZA==:"


def test_a_version_of_ones_own_is_a_class_of_ones_own():
    class Rufh6(Rufh):
        interop_version = 6

    steps = [Rufh6("c").create(a_file(), None), Rufh6("c").send(SESSION, FIRST, a_file(), None)]
    steps += [Rufh6("c").probe(SESSION), Rufh6("c").finalize(SESSION, a_file()), Rufh6("c").abort(SESSION)]
    assert {asked(step).headers["Upload-Draft-Interop-Version"] for step in steps} == {"6"}


@pytest.mark.parametrize(
    ("chunk", "headers", "complete"),
    [
        (FIRST, {}, False),
        (FIRST, {"upload_complete": "?0"}, False),
        (LAST, {"upload_complete": "?1"}, True),
        (LAST, {}, True),  # as older versions have it
        (LAST, {"upload_complete": "?0"}, False),
        (LAST, {"upload_complete": "?1", "upload_offset": "2500"}, True),
    ],
)
def test_a_chunk_completes_the_upload_if_the_server_does_not_object(chunk, headers, complete):
    session = answered(send(chunk), reply(204, **headers))
    assert (session.held, session.state) == (Ranges(((chunk.offset, chunk.end),)), complete)


def test_chunks_add_up():
    session = SESSION
    for chunk in SESSION.grid.not_held(NOTHING):
        session = answered(Rufh("c").send(session, chunk, a_file(), None), reply(204))
    assert session.held == Ranges(((0, 2500),))


def test_an_offset_in_the_answer_to_a_chunk_must_be_the_chunks_end():
    assert refused(send(), reply(204, upload_offset="999")).kind is Failure.SYNC
    assert refused(send(), reply(204, upload_offset="-1")).kind is Failure.BROKEN


@pytest.mark.parametrize(
    ("headers", "held_bytes", "complete"),
    [
        ({"upload_offset": "0", "upload_complete": "?0"}, 0, False),
        ({"upload_offset": "1234", "upload_complete": "?0"}, 1234, False),
        ({"upload_offset": "2500", "upload_complete": "?0"}, 2500, False),
        ({"upload_offset": "2500", "upload_complete": "?1"}, 2500, True),
        ({"upload_offset": "2500"}, 2500, False),
    ],
)
def test_a_probe_finds_the_very_byte_and_whether_it_is_the_last(headers, held_bytes, complete):
    session = answered(probe(), reply(204, **headers))
    assert (session.held.total_bytes, session.state) == (held_bytes, complete)


@pytest.mark.parametrize("offset", [None, "", "-1", "2501", "?1"])
def test_an_offset_that_can_not_be_true_is_broken(offset):
    headers = {} if offset is None else {"upload_offset": offset}
    assert refused(probe(), reply(204, **headers)).kind is Failure.BROKEN


def test_nothing_is_asked_at_the_end_of_what_is_complete():
    session = answered(probe(), reply(204, upload_offset="2500", upload_complete="?1"))
    assert unasked(finalize(session)) == Receipt("/uploads/u1", 2500)


def test_what_is_all_there_and_not_complete_is_completed_without_a_byte():
    session = answered(probe(), reply(204, upload_offset="2500", upload_complete="?0"))
    request = asked(finalize(session))
    assert (request.phase, request.method, request.body) == (Phase.FINALIZE, "PATCH", None)
    assert (request.headers["Upload-Offset"], request.headers["Upload-Complete"]) == ("2500", "?1")
    assert answered(finalize(session), reply(200, upload_complete="?1")) == Receipt("/uploads/u1", 2500)


def test_a_finalize_whose_first_answer_was_lost_succeeds():
    completed = {"type": f"{TYPES}completed-upload"}
    assert answered(finalize(), reply(400, completed)) == Receipt("/uploads/u1", 2500)
    assert refused(send(), reply(400, completed)).kind is Failure.REJECTED


@pytest.mark.parametrize(
    ("status", "problem", "headers", "kind"),
    [
        (409, "mismatching-upload-offset", {"upload_offset": "0"}, Failure.SYNC),
        (409, None, {"upload_offset": "0"}, Failure.SYNC),
        (400, "mismatching-upload-offset", {}, Failure.SYNC),
        (400, "digest-mismatching-values", {}, Failure.CORRUPT),
        (400, "inconsistent-upload-length", {}, Failure.REJECTED),
        (400, None, {}, Failure.REJECTED),
        (401, None, {}, Failure.DENIED),
        (403, None, {}, Failure.DENIED),
        (413, None, {}, Failure.TOO_LARGE),
        (415, None, {}, Failure.REJECTED),
        (429, None, {}, Failure.THROTTLED),
        (500, None, {}, Failure.SERVER_ERROR),
        (507, None, {}, Failure.FULL),
        (104, None, {}, Failure.BROKEN),
        (307, None, {"location": "/elsewhere"}, Failure.BROKEN),
        (422, None, {"upload_complete": "?1"}, Failure.REJECTED),
        (409, None, {"upload_complete": "?1"}, Failure.REJECTED),
        (500, None, {"upload_complete": "?1"}, Failure.REJECTED),
    ],
)
@pytest.mark.parametrize("step", [create, send, probe, finalize, abort])
def test_every_answer_has_its_kind(step, status, problem, headers, kind):
    fault = refused(step(), reply(status, {"type": f"{TYPES}{problem}"} if problem else None, **headers))
    assert (fault.kind, fault.status) == (kind, status)
    assert fault.message == f"{status} {problem or 'expected status 2xx'}"


@pytest.mark.parametrize("status", [404, 410])
def test_what_was_not_created_yet_can_not_be_gone(status):
    assert refused(create(), reply(status)).kind is Failure.REJECTED
    assert {refused(step(), reply(status)).kind for step in (send, probe, finalize, abort)} == {Failure.GONE}


@pytest.mark.parametrize("kind", [None, 7, ["completed-upload"], "", "about:blank", "completed-upload"])
def test_a_problem_of_another_type_is_none_of_the_drafts(kind):
    assert refused(finalize(), reply(400, {"type": kind})).kind is Failure.REJECTED
