import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transfer.lab import a_file
from upswarm.transfer.auth import bearer, unsigned
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.clock import SystemClock
from upswarm.transfer.failures import RESUMABLE, Failure, Fault, Interrupted, TransferError, kind_of_status
from upswarm.transfer.messages import Body, Phase, Request, Response


@given(st.lists(st.binary()))
def test_a_body_tells_every_view_that_was_taken_and_stays_the_same(parts):
    told = []
    body = Body(sum(map(len, parts)), lambda: iter([memoryview(part) for part in parts])).told(told.append)
    assert b"".join(body) == b"".join(parts)
    assert told == [len(part) for part in parts]
    assert len(body) == sum(told)


def test_a_view_is_told_only_when_the_next_is_asked_for():
    told = []
    views = iter(Body.of_chunk(a_file(3 << 20), Chunk(0, 0, 3 << 20)).told(told.append))
    next(views)
    assert told == []
    next(views)
    assert told == [16]


def test_a_body_can_be_read_again():
    for body in (Body.of_bytes(b"abc"), Body.of_chunk(a_file(), Chunk(1, 1000, 1000))):
        assert b"".join(body) == b"".join(body)


@pytest.mark.parametrize(
    ("body", "document"),
    [(b'{"a": 1}', {"a": 1}), (b"", {}), (b"not json", {}), (b"[1]", {}), (b"7", {}), (b"\xff\xfe", {}), (b"null", {})],
)
def test_an_answer_without_a_json_object_reads_as_an_empty_one(body, document):
    assert Response(200, {}, body).json() == document


def test_a_json_request_says_so():
    request = Request.with_json(Phase.INIT, "POST", "/x", {"a": "ä"})
    assert request.headers == {"Content-Type": "application/json"}
    assert Response(200, {}, b"".join(request.body)).json() == {"a": "ä"}


def test_signing_adds_to_a_request_and_does_not_change_it():
    request = Request(Phase.PROBE, "GET", "/x", {"A": "b"})
    assert bearer("t", "http://h:1")(request).headers == {"A": "b", "Authorization": "Bearer t"}
    assert request.headers == {"A": "b"}
    assert unsigned(request) is request


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_has_a_meaning(failure):
    assert failure.meaning
    assert str(TransferError(failure)) == failure.meaning


def test_what_is_resumable_is_neither_the_servers_last_word_nor_the_end_of_the_run():
    last_words = {Failure.GONE, Failure.DENIED, Failure.REJECTED, Failure.SERVER_ERROR, Failure.THROTTLED}
    assert not RESUMABLE & {*last_words, Failure.STOPPED}


@pytest.mark.parametrize(
    ("status", "names_a_time", "kind"),
    [
        (302, False, Failure.BROKEN),
        (418, False, Failure.REJECTED),
        (423, False, Failure.BUSY),
        (429, False, Failure.THROTTLED),
        (500, True, Failure.SERVER_ERROR),
        (501, False, Failure.REJECTED),
        (503, False, Failure.SERVER_ERROR),
        (503, True, Failure.THROTTLED),
        (504, False, Failure.SERVER_ERROR),
    ],
)
def test_a_server_that_asks_to_wait_is_told_apart_from_one_that_fails(status, names_a_time, kind):
    assert kind_of_status(status, names_a_time=names_a_time) is kind


def test_an_error_keeps_its_kind_and_status():
    fault = Fault(Failure.GONE, "404 upload_not_found", status=404)
    assert (fault.kind, fault.status, fault.message) == (Failure.GONE, 404, "404 upload_not_found")
    assert Interrupted(Failure.TORN).status is None


def test_the_clock_of_the_machine_goes_on():
    clock = SystemClock()
    before_s, before_wall_s = clock.now(), clock.wall()
    clock.sleep(0)
    assert clock.now() >= before_s
    assert clock.wall() >= before_wall_s > 1_700_000_000


@pytest.mark.parametrize(
    ("path", "signed"),
    [
        ("/v1/uploads", True),
        ("http://h:1/files/7", True),
        ("http://h:2/files/7", False),
        ("https://h:1/files/7", False),
        ("http://elsewhere/files/7", False),
    ],
)
def test_a_token_does_not_follow_a_url_to_another_host(path, signed):
    request = bearer("t", "http://h:1")(Request(Phase.CHUNK, "PATCH", path))
    assert ("Authorization" in request.headers) is signed
