import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.protocols.chunked_server import reply
from tests.protocols.oci_server import OciServer, refusal
from tests.protocols.steps import answered
from tests.transfer.lab import CUT, Lab, a_file
from upswarm.protocols.oci import Oci
from upswarm.testing.protocols import ProtocolContract
from upswarm.transfer.chunks import Chunk, Grid
from upswarm.transfer.dialect import Session, UploadProtocol
from upswarm.transfer.failures import RESUMABLE, Failure, Fault
from upswarm.transfer.messages import Phase, Request, Response
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import End, Receipt

URL = "https://registry.test/v2/team/image/blobs/uploads/u1?_state=s1"
NEW = "https://registry.test/v2/team/image/blobs/uploads/u1?_state=s2"
SESSION = Session(URL, Grid(2500, 1000, fixed=False), state=URL)


class TestOci(ProtocolContract):
    def protocol(self) -> UploadProtocol:
        return Oci("client-1")

    def server(self) -> Callable[[Request], Response]:
        return OciServer()


def sent(response):
    return answered(Oci("c").send(SESSION, SESSION.grid.chunk(0), a_file(), None), response)


def digest_of(file):
    return f"sha256:{hashlib.sha256(b''.join(file.views(0, file.size_bytes))).hexdigest()}"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "BLOB_UPLOAD_INVALID", Failure.GONE),
        (404, "BLOB_UPLOAD_UNKNOWN", Failure.GONE),
        (400, "DIGEST_INVALID", Failure.CORRUPT),
        (400, "SIZE_INVALID", Failure.SYNC),
        (416, "RANGE_INVALID", Failure.SYNC),
        (404, "NAME_UNKNOWN", Failure.REJECTED),
        (400, "NAME_INVALID", Failure.REJECTED),
        (401, "UNAUTHORIZED", Failure.DENIED),
        (403, "DENIED", Failure.DENIED),
        (405, "UNSUPPORTED", Failure.REJECTED),
        (429, "TOOMANYREQUESTS", Failure.THROTTLED),
        (413, None, Failure.TOO_LARGE),
        (416, None, Failure.SYNC),
        (500, "UNKNOWN", Failure.SERVER_ERROR),
        (507, None, Failure.FULL),
        (201, None, Failure.BROKEN),
        (302, None, Failure.BROKEN),
    ],
)
def test_every_answer_has_its_kind(status, code, kind):
    with pytest.raises(Fault) as raised:
        sent(refusal(status, code) if code else reply(status))
    assert (raised.value.kind, raised.value.status) == (kind, status)
    assert raised.value.message == f"{status} {code or 'expected status 202'}"


@pytest.mark.parametrize("errors", [None, [], {}, "DENIED", [7], [{}], [{"code": 7}], [{"code": None}]])
def test_errors_of_another_form_leave_the_status_to_speak(errors):
    with pytest.raises(Fault, match="403 expected status 202") as raised:
        sent(reply(403, {"errors": errors}))
    assert raised.value.kind is Failure.DENIED


def test_a_chunk_says_where_it_belongs_without_a_unit():
    request = next(Oci("c").send(SESSION, Chunk(1, 1000, 1000), a_file(), None))
    assert (request.method, request.path) == ("PATCH", URL)
    assert request.headers["Content-Range"] == "1000-1999"


def test_every_request_goes_to_the_url_of_the_answer_before():
    """Also to that of a probe's answer: a registry may keep in it what it knows of the upload."""
    server, oci, file = OciServer(), Oci("c"), a_file()
    asked, given = [], []

    def drive(flow):
        try:
            request = next(flow)
            while True:
                asked.append(request.path)
                answer = server(request)
                given.append(answer.headers.get("location"))
                request = flow.send(answer)
        except StopIteration as end:
            return end.value

    session = drive(oci.create(file, 1000))
    for chunk in session.grid.not_held(NOTHING):
        session = drive(oci.send(session, chunk, file, None))
        session = drive(oci.probe(session))
    drive(oci.finalize(session, file))
    assert len(asked) == 8
    assert asked[1:-1] == given[:-2]
    assert asked[-1].startswith(f"{given[-2]}&digest=")
    assert len(set(given)) == len(given)


@pytest.mark.parametrize(("text", "end"), [("0-999", 1000), ("bytes=0-999", 1000), (" 0-2499 ", 2500), ("0-1", 2)])
def test_a_probe_reads_how_much_is_held(text, end):
    session = answered(Oci("c").probe(SESSION), reply(204, location=NEW, range=text))
    assert (session.held, session.state) == (Ranges(((0, end),)), NEW)


def test_nothing_held_is_spelt_as_a_single_byte():
    assert answered(Oci("c").probe(SESSION), reply(204, location=NEW, range="0-0")).held == NOTHING


def test_a_file_of_a_single_byte_is_held_when_it_was_sent():
    session = Session(URL, Grid(1, 1000, fixed=False), state=URL)
    after = answered(
        Oci("c").send(session, session.grid.chunk(0), a_file(1), None), reply(202, location=NEW, range="0-0")
    )
    assert after.held == Ranges(((0, 1),))


@pytest.mark.parametrize("text", ["", "999", "1-999", "0-2500", "0-", "0-x", "0-٣", "bytes 0-9"])
def test_a_range_that_can_not_be_true_is_broken(text):
    with pytest.raises(Fault) as raised:
        answered(Oci("c").probe(SESSION), reply(204, location=NEW, range=text))
    assert raised.value.kind is Failure.BROKEN
    assert raised.value.message == f"204 expected a Range within 2500 bytes, found {text!r}"


@pytest.mark.parametrize("held", ["0-599", "0-0"])
def test_a_chunk_of_which_only_a_part_is_kept_is_out_of_sync(held):
    with pytest.raises(Fault, match="202 expected 1000 bytes to be held, found") as raised:
        sent(reply(202, location=NEW, range=held))
    assert raised.value.kind in RESUMABLE


def test_an_answer_without_the_next_url_is_broken():
    with pytest.raises(Fault, match="202 without a usable Location") as raised:
        sent(reply(202, range="0-999"))
    assert raised.value.kind is Failure.BROKEN


@pytest.mark.parametrize(
    ("header", "wish_bytes", "found_bytes"),
    [({}, 1000, 1000), ({"oci-chunk-min-length": "4096"}, 1000, 4096), ({"oci-chunk-min-length": "4096"}, 5000, 5000)],
)
def test_chunks_are_as_large_as_the_registry_wants_them_at_least(header, wish_bytes, found_bytes):
    answer = reply(202, location=URL)
    session = answered(Oci("c").create(a_file(), wish_bytes), replace(answer, headers={**answer.headers, **header}))
    assert session.grid.chunk_size_bytes == found_bytes


@pytest.mark.parametrize("text", ["many", "-1", "", "0"])
def test_a_least_size_that_says_nothing_is_passed_over(text):
    answer = Response(202, {"location": URL, "oci-chunk-min-length": text})
    assert answered(Oci("c").create(a_file(), 1000), answer).grid.chunk_size_bytes == 1000


@pytest.mark.parametrize(("url", "joint"), [(URL, "&"), ("https://registry.test/u1", "?")])
def test_finalize_promises_the_digest_of_the_whole_file(url, joint):
    flow = Oci("c").finalize(replace(SESSION, state=url), a_file())
    digest = digest_of(a_file())
    assert next(flow) == Request(Phase.FINALIZE, "PUT", f"{url}{joint}digest={digest}")
    with pytest.raises(StopIteration) as ended:
        flow.send(reply(201))
    assert ended.value.value == Receipt(digest, 2500)


def finalized_again(status):
    """A finalize whose first answer was lost: the upload is not there any more; then the answer about the file."""
    flow = Oci("c").finalize(SESSION, a_file())
    next(flow)
    request = flow.send(refusal(404, "BLOB_UPLOAD_UNKNOWN"))
    assert (request.method, request.path) == ("HEAD", f"/blobs/{digest_of(a_file())}")
    flow.send(reply(status))


def test_a_finalize_whose_answer_was_lost_finds_its_file():
    with pytest.raises(StopIteration) as ended:
        finalized_again(200)
    assert ended.value.value == Receipt(digest_of(a_file()), 2500)


def test_an_upload_that_is_gone_and_left_no_file_is_gone():
    with pytest.raises(Fault, match="404 BLOB_UPLOAD_UNKNOWN") as raised:
        finalized_again(404)
    assert raised.value.kind is Failure.GONE


@pytest.mark.parametrize(
    ("status", "kind"), [(404, Failure.REJECTED), (401, Failure.DENIED), (503, Failure.SERVER_ERROR)]
)
def test_before_there_is_an_upload_nothing_can_be_gone(status, kind):
    with pytest.raises(Fault, match=f"{status} expected status 202") as raised:
        answered(Oci("c").create(a_file(), None), reply(status))
    assert raised.value.kind is kind


def test_an_upload_that_was_cut_goes_on_at_the_very_byte_that_the_registry_kept():
    server, cuts = OciServer(), iter([600])

    def registry(request):
        if request.headers.get("Content-Range") == "1000-1999" and (kept_bytes := next(cuts, None)):
            server.held["u1"] += b"".join(request.body)[:kept_bytes]
            raise CUT
        return server(request)

    lab = Lab(registry, chunk_size_bytes=1000)
    outcome = replace(lab.uploader, protocol=Oci("client-1")).upload(a_file())
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 1)
    places = [sent.request.headers.get("Content-Range") for sent in lab.transport.sent]
    assert places == [None, "0-999", "1000-1999", None, "1600-2499", None]
    assert server.blobs == {digest_of(a_file()): b"".join(a_file().views(0, 2500))}
