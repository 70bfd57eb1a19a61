from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.protocols.s3_server import S3Server, document, error, page, part, tag_of
from tests.protocols.steps import answered, asked, refused, unasked
from tests.transfer.lab import a_file
from upswarm.protocols.s3 import S3, Parts
from upswarm.testing.protocols import ProtocolContract
from upswarm.transfer.chunks import Grid
from upswarm.transfer.dialect import ChunkDigest, Session, UploadProtocol
from upswarm.transfer.failures import RESUMABLE, Failure, Fault
from upswarm.transfer.messages import Request, Response
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import Receipt

SESSION = Session("u/1", Grid(2500, 1000), state=Parts("/a.bin"))
WHOLE = replace(SESSION, held=Ranges(((0, 2500),)), state=Parts("/a.bin", {1: '"x"', 2: '"y"', 3: '"z"'}))
EMPTY = Session("", Grid(0, 1000), state=Parts("/a.bin"))
DONE = document("CompleteMultipartUploadResult", '<Key>a.bin</Key><ETag>"abc-3"</ETag>')
CHUNK = SESSION.grid.chunk(1)


class SmallParts(S3):
    """Parts of any size, so that the contract's small file has several."""

    caps = replace(S3.caps, min_chunk_bytes=1)


class TestS3(ProtocolContract):
    def protocol(self) -> UploadProtocol:
        return S3("client-1")

    def server(self) -> Callable[[Request], Response]:
        return S3Server()


class TestS3InSmallParts(ProtocolContract):
    def protocol(self) -> UploadProtocol:
        return SmallParts("client-1")

    def server(self) -> Callable[[Request], Response]:
        return S3Server()


def sending(digest=None):
    return S3("c").send(SESSION, CHUNK, a_file(), digest)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "BadDigest", Failure.CORRUPT),
        (400, "XAmzContentSHA256Mismatch", Failure.CORRUPT),
        (400, "XAmzContentChecksumMismatch", Failure.CORRUPT),
        (400, "IncompleteBody", Failure.CORRUPT),
        (400, "RequestTimeout", Failure.CORRUPT),
        (400, "EntityTooSmall", Failure.TOO_SMALL),
        (400, "EntityTooLarge", Failure.TOO_LARGE),
        (400, "InvalidPart", Failure.INCOMPLETE),
        (400, "InvalidPartOrder", Failure.INCOMPLETE),
        (400, "ExpiredToken", Failure.DENIED),
        (400, "InvalidToken", Failure.DENIED),
        (403, "AccessDenied", Failure.DENIED),
        (403, "SignatureDoesNotMatch", Failure.DENIED),
        (403, "QuotaExceeded", Failure.FULL),
        (404, "NoSuchUpload", Failure.GONE),
        (404, "NoSuchBucket", Failure.REJECTED),
        (409, "OperationAborted", Failure.BUSY),
        (429, "TooManyRequests", Failure.THROTTLED),
        (500, "InternalError", Failure.SERVER_ERROR),
        (501, "NotImplemented", Failure.REJECTED),
        (503, "SlowDown", Failure.THROTTLED),
        (503, "ServiceUnavailable", Failure.SERVER_ERROR),
        (507, "XMinioStorageFull", Failure.FULL),
        (400, "MalformedXML", Failure.REJECTED),
        (301, "PermanentRedirect", Failure.REJECTED),
        (200, "SlowDown", Failure.THROTTLED),
    ],
)
def test_every_error_has_its_kind(status, code, kind):
    fault = refused(sending(), error(status, code))
    assert (fault.kind, fault.status, fault.message) == (kind, status, f"{status} {code}")


def test_an_error_in_a_namespace_is_one_too():
    fault = refused(sending(), document("Error", "<Code> SlowDown </Code>"))
    assert (fault.kind, fault.message) == (Failure.THROTTLED, "200 SlowDown")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, Failure.DENIED),
        (404, Failure.GONE),
        (413, Failure.TOO_LARGE),
        (502, Failure.SERVER_ERROR),
        (201, Failure.BROKEN),
    ],
)
def test_without_a_code_the_status_tells(status, kind):
    fault = refused(sending(), Response(status, {}, b"<html>something between us</html>"))
    assert (fault.kind, fault.message) == (kind, f"{status} expected status 200")


def test_a_part_without_a_tag_could_not_be_listed_and_is_broken():
    fault = refused(sending(), Response(200))
    assert (fault.kind, fault.message) == (Failure.BROKEN, "200 without a usable 'ETag'")


def test_a_part_is_counted_from_one_and_its_tag_is_kept():
    request = asked(sending())
    assert (request.method, request.path) == ("PUT", "/a.bin?partNumber=2&uploadId=u%2F1")
    session = answered(sending(), Response(200, {"etag": '"b"'}))
    assert session == replace(SESSION, held=Ranges(((1000, 2000),)), state=Parts("/a.bin", {2: '"b"'}))


@pytest.mark.parametrize(
    ("digest", "headers"),
    [
        (None, {}),
        (ChunkDigest("crc32c", bytes([1, 2, 3, 4])), {"x-amz-checksum-crc32c": "AQIDBA=="}),
        (ChunkDigest("sha-256", bytes([0, 255])), {"x-amz-content-sha256": "00ff"}),
    ],
)
def test_a_digest_stands_where_s3_looks_for_it(digest, headers):
    assert asked(sending(digest)).headers == headers


def test_a_name_is_data_and_never_a_path_or_a_query():
    file = a_file()
    file.name = "../other bucket/ä?x=1#y"
    request = asked(S3("c").create(file, None))
    assert request.path == "/..%2Fother%20bucket%2F%C3%A4%3Fx%3D1%23y?uploads"


@pytest.mark.parametrize(
    ("wish_bytes", "size_bytes", "found_bytes"),
    [(1000, 2500, 5 << 20), (None, 2500, 8 << 20), (6 << 20, 1 << 30, 6 << 20), (5 << 20, 10_000 << 23, 8 << 20)],
)
def test_parts_have_5_mib_and_are_10_000_at_most(wish_bytes, size_bytes, found_bytes):
    begun = document("InitiateMultipartUploadResult", "<UploadId>u</UploadId>")
    session = answered(S3("c").create(a_file(size_bytes), wish_bytes), begun)
    assert session.grid.chunk_size_bytes == found_bytes
    assert session.grid.count <= 10_000


def test_of_a_file_that_no_10_000_parts_can_hold_nothing_is_sent():
    most_bytes = 10_000 * (5 << 30)
    assert asked(S3("c").create(a_file(most_bytes), None)).method == "POST"
    with pytest.raises(Fault, match=r"expected at most 10000 chunks of 5\.0 GiB, found a file of 48\.8 TiB") as raised:
        asked(S3("c").create(a_file(most_bytes + 1), None))
    assert raised.value.kind is Failure.TOO_LARGE


@pytest.mark.parametrize(
    "answer",
    [document("InitiateMultipartUploadResult", "<UploadId> </UploadId>"), document("Other", ""), Response(200)],
)
def test_an_upload_without_an_id_is_broken(answer):
    assert refused(S3("c").create(a_file(), None), answer).kind is Failure.BROKEN


def test_a_probe_goes_through_all_pages_and_finds_the_tags_again():
    flow = S3("c").probe(SESSION)
    assert asked(flow).path == "/a.bin?uploadId=u%2F1"
    assert flow.send(page(part(1, 1000, '"x"'), following=1)).path == "/a.bin?uploadId=u%2F1&part-number-marker=1"
    with pytest.raises(StopIteration) as ended:
        flow.send(page(part(3, 500, '"z"')))
    assert ended.value.value == replace(
        SESSION, held=Ranges(((0, 1000), (2000, 2500))), state=Parts("/a.bin", {1: '"x"', 3: '"z"'})
    )


def test_a_part_of_another_length_is_not_held_and_will_be_sent_anew():
    session = answered(S3("c").probe(WHOLE), page(part(1, 999), part(2, 1000), part(3, 1000)))
    assert (session.held, dict(session.state.tags)) == (Ranges(((1000, 2000),)), {2: '"t"'})


@pytest.mark.parametrize(
    "answer",
    [
        page(part(0, 1000)),
        page(part(4, 1000)),
        page(part("-1", 1000)),
        page(part("٣", 500)),
        page(part("9" * 5000, 500)),
        page(part(1, "1_000")),
        page(part(1, "")),
        page(part(1, 1000, "")),
        page(following=0),
        page(following="x"),
        page(following=""),
        document("ListBucketResult", ""),
        document("Error", ""),
        Response(200, {}, b"<ListPartsResult>"),
        Response(200, {}, b'<?xml version="1.0" encoding="none-such"?><ListPartsResult/>'),
        Response(200, {}, b'<?xml version="1.0" encoding="utf-7"?><ListPartsResult/>'),
    ],
)
def test_a_list_that_can_not_be_true_is_broken(answer):
    assert refused(S3("c").probe(SESSION), answer).kind is Failure.BROKEN


def test_pages_that_do_not_get_on_are_broken():
    flow = S3("c").probe(SESSION)
    asked(flow)
    flow.send(page(following=2))
    assert fault_after(flow, page(following=2)).message == "200 expected a page behind part 2, found 2"


def fault_after(flow, answer):
    """The fault of a step that has asked already."""
    with pytest.raises(Fault) as raised:
        flow.send(answer)
    return raised.value


def test_the_list_names_every_part_once_in_their_order():
    session = replace(WHOLE, state=Parts("/a.bin", {3: '"<&>"', 1: '"x"', 2: "y"}))
    request = asked(S3("c").finalize(session, a_file()))
    assert (request.method, request.path) == ("POST", "/a.bin?uploadId=u%2F1")
    assert request.headers == {"Content-Type": "application/xml"}
    assert b"".join(request.body).decode() == (
        '<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        '<Part><PartNumber>1</PartNumber><ETag>"x"</ETag></Part>'
        "<Part><PartNumber>2</PartNumber><ETag>y</ETag></Part>"
        '<Part><PartNumber>3</PartNumber><ETag>"&lt;&amp;&gt;"</ETag></Part>'
        "</CompleteMultipartUpload>"
    )


def test_blanks_before_the_answer_are_patience_and_no_error():
    patient = replace(DONE, body=b"\n \r\n   " + DONE.body)
    assert answered(S3("c").finalize(WHOLE, a_file()), patient) == Receipt("a.bin", 2500)


def test_an_error_under_a_200_is_seen():
    fault = refused(S3("c").finalize(WHOLE, a_file()), error(200, "InternalError"))
    assert (fault.kind, fault.message) == (Failure.SERVER_ERROR, "200 InternalError")


@pytest.mark.parametrize("answer", [Response(200), document("ListPartsResult", ""), Response(200, {}, b"<Error/>")])
def test_a_finalize_that_does_not_say_so_has_made_no_file(answer):
    assert refused(S3("c").finalize(WHOLE, a_file()), answer).kind is Failure.BROKEN


def test_parts_that_are_missing_at_the_end_are_a_reason_to_look_which():
    assert refused(S3("c").finalize(WHOLE, a_file()), error(400, "InvalidPart")).kind in RESUMABLE


def looking():
    """A finalize that found no upload any more, and looks whether the object is there."""
    flow = S3("c").finalize(WHOLE, a_file())
    asked(flow)
    request = flow.send(error(404, "NoSuchUpload"))
    assert (request.method, request.path) == ("HEAD", "/a.bin")
    return flow


def test_a_finalize_whose_answer_was_lost_finds_its_object():
    with pytest.raises(StopIteration) as ended:
        looking().send(Response(200, {"content-length": "2500", "etag": '"abc-3"'}))
    assert ended.value.value == Receipt("a.bin", 2500)


@pytest.mark.parametrize(
    "head",
    [
        Response(404),
        Response(206, {"content-length": "2500", "etag": '"abc-3"'}),
        Response(200, {"content-length": "2499", "etag": '"abc-3"'}),
        Response(200, {"content-length": "2500", "etag": '"abc-2"'}),
        Response(200, {"content-length": "2500", "etag": '"abc"'}),
        Response(200),
    ],
)
def test_an_object_that_is_not_of_this_upload_does_not_count(head):
    fault = fault_after(looking(), head)
    assert (fault.kind, fault.message) == (Failure.GONE, "404 NoSuchUpload")


def test_an_empty_file_is_one_put_and_nothing_else():
    protocol, file = S3("c"), a_file(0)
    session = unasked(protocol.create(file, None))
    assert unasked(protocol.probe(session)).held == NOTHING
    assert unasked(protocol.abort(session)) is None
    request = asked(protocol.finalize(session, file))
    assert (request.method, request.path, request.body) == ("PUT", "/a.bin", None)
    assert answered(protocol.finalize(session, file), Response(200, {"etag": tag_of(b"")})) == Receipt("a.bin", 0)
    assert refused(protocol.finalize(session, file), error(403, "AccessDenied")).kind is Failure.DENIED


def test_an_abort_names_the_upload():
    request = asked(S3("c").abort(SESSION))
    assert (request.method, request.path) == ("DELETE", "/a.bin?uploadId=u%2F1")
    assert refused(S3("c").abort(SESSION), error(404, "NoSuchUpload")).kind is Failure.GONE
