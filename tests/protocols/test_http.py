"""A service's own API: what the dialect asks, and what it makes of the answers."""

import json
from collections.abc import Callable
from uuid import UUID

import pytest

from tests.protocols.chunked_server import ChunkedServer, reply
from tests.protocols.custom_http import example, service
from tests.protocols.steps import answered, asked, refused, unasked
from tests.transfer.lab import a_file
from upswarm.testing.protocols import ProtocolContract
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.dialect import UploadProtocol
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.messages import Phase, Request, Response
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import Receipt


class TestTheChunkedProtocolInYaml(ProtocolContract):
    def protocol(self) -> UploadProtocol:
        return example(0).target.protocol.build("client-1")

    def server(self) -> Callable[[Request], Response]:
        return ChunkedServer()


class TestAFormWithoutInitAndProbe(ProtocolContract):
    def protocol(self) -> UploadProtocol:
        return example(1).target.protocol.build("client-1")

    def server(self) -> Callable[[Request], Response]:
        return lambda request: reply(200, {"file_id": "f1", "index": 0})

    def test_chunk_requests_carry_exactly_the_bytes_of_the_file(self) -> None:
        """Here each chunk is in a form of its own, between its head and its end; test_payloads.py takes one apart."""
        protocol, file = self.protocol(), a_file()
        session = unasked(protocol.create(file, 1000))
        for chunk in session.grid.not_held(NOTHING):
            body = b"".join(asked(protocol.send(session, chunk, file, None)).body or ())
            _, _, rest = body.partition(b"application/octet-stream\r\n\r\n")
            assert rest.partition(b"\r\n--upswarm-")[0] == b"".join(file.views(chunk.offset, chunk.length))


BY_OFFSET = """
create:
  method: POST
  path: /files?name={filename}
  headers: {X-Size: "{size}"}
  expect: [201]
  extract: {url: "header:Location"}
send:
  method: PATCH
  path: "{url}"
  headers: {Content-Range: "bytes {offset}-{last}/{size}", X-Chunk: "{number} {index} {length} {end}"}
  body: "@chunk"
  extract: {url: "header:Location"}
  failures: {409: sync}
probe:
  method: HEAD
  path: "{url}"
  held: {offset: "header:X-Offset"}
"""
CHUNK = Chunk(1, 1000, 1000)


@pytest.fixture
def by_offset():
    return service(BY_OFFSET)


@pytest.fixture
def session(by_offset):
    return answered(by_offset.create(a_file(), 1000), reply(201, location="https://h/u?s=1"))


def test_a_request_is_made_of_its_templates(by_offset):
    assert asked(by_offset.create(a_file(), 1000)) == Request(
        Phase.INIT, "POST", "/files?name=a.bin", {"X-Size": "2500"}
    )


def test_a_chunk_says_all_of_its_places(by_offset, session):
    request = asked(by_offset.send(session, CHUNK, a_file(), None))
    assert (request.phase, request.method, request.path) == (Phase.CHUNK, "PATCH", "https://h/u?s=1")
    assert request.headers == {
        "Content-Type": "application/octet-stream",
        "Content-Range": "bytes 1000-1999/2500",
        "X-Chunk": "2 1 1000 2000",
    }


def test_what_a_step_extracts_anew_holds_from_then_on(by_offset, session):
    after = answered(by_offset.send(session, CHUNK, a_file(), None), reply(200, location="https://h/u?s=2"))
    assert asked(by_offset.probe(after)).path == "https://h/u?s=2"
    assert asked(by_offset.probe(session)).path == "https://h/u?s=1"


def test_a_probe_may_find_a_new_place_to_go_on_at():
    protocol = service(BY_OFFSET.replace("held:", 'extract: {url: "header:Location"}\n  held:'))
    begun = answered(protocol.create(a_file(), 1000), reply(201, location="https://h/u?s=1"))
    probed = answered(protocol.probe(begun), Response(200, {"x-offset": "0", "location": "https://h/u?s=2"}))
    assert asked(protocol.send(probed, CHUNK, a_file(), None)).path == "https://h/u?s=2"


def test_a_header_of_the_scenario_stands_before_the_usual_one():
    protocol = service('send: {method: PUT, path: /x, body: "@chunk", headers: {Content-Type: image/png}}')
    begun = unasked(protocol.create(a_file(), 1000))
    assert asked(protocol.send(begun, CHUNK, a_file(), None)).headers == {"Content-Type": "image/png"}


@pytest.mark.parametrize(
    ("text", "held"), [("0", NOTHING), ("1234", Ranges(((0, 1234),))), ("2500", Ranges(((0, 2500),)))]
)
def test_an_offset_says_how_much_is_held(by_offset, session, text, held):
    probed = answered(by_offset.probe(session), Response(200, {"x-offset": text}))
    assert probed.held == held
    assert [chunk.offset for chunk in probed.grid.not_held(held)][:1] == [held.total_bytes] * (held.total_bytes < 2500)


@pytest.mark.parametrize("text", ["2501", "-1", "x", "", "1.5", "٣", "9" * 19])
def test_an_offset_that_can_not_be_true_is_broken(by_offset, session, text):
    assert refused(by_offset.probe(session), Response(200, {"x-offset": text})).kind is Failure.BROKEN


def test_an_offset_that_is_not_there_is_broken(by_offset, session):
    fault = refused(by_offset.probe(session), Response(200))
    assert (fault.kind, fault.message) == (Failure.BROKEN, "200 without a usable 'offset' (header:X-Offset)")


@pytest.fixture
def by_index():
    return example(0).target.protocol.build("client-1")


@pytest.fixture
def indexed(by_index):
    return answered(by_index.create(a_file(), 1000), reply(201, {"upload_id": "u1", "chunk_size_bytes": 1000}))


@pytest.mark.parametrize(
    ("found", "spans"),
    [
        ([], ()),
        ([0, 2], ((0, 1000), (2000, 2500))),
        ([[0, 1]], ((0, 2000),)),
        ([[0, 0], 1, 1, [2, 2]], ((0, 2500),)),
    ],
)
def test_indexes_come_one_by_one_or_as_pairs(by_index, indexed, found, spans):
    assert answered(by_index.probe(indexed), reply(200, {"received_chunks": found})).held == Ranges(spans)


@pytest.mark.parametrize(
    "found",
    [[3], [-1], [True], [[False, True]], ["0"], [[0, 3]], [[1, 0]], [[0]], [[0, 1, 2]], [None], {}, "01", 7, None],
)
def test_indexes_that_can_not_be_true_are_broken(by_index, indexed, found):
    assert refused(by_index.probe(indexed), reply(200, {"received_chunks": found})).kind is Failure.BROKEN


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"chunk_size_bytes": 1000}, "'upload_id' (json:upload_id)"),
        ({"upload_id": {}, "chunk_size_bytes": 1000}, "'upload_id' (json:upload_id)"),
        ({"upload_id": "u1"}, "'chunk_size' (json:chunk_size_bytes)"),
    ],
)
def test_an_answer_without_what_should_be_in_it_is_broken(by_index, document, name):
    fault = refused(by_index.create(a_file(), None), reply(201, document))
    assert (fault.kind, fault.message) == (Failure.BROKEN, f"201 without a usable {name}")


@pytest.mark.parametrize("chunk_size", [0, -1, "x"])
def test_a_chunk_size_that_cuts_nothing_is_broken(by_index, chunk_size):
    fault = refused(by_index.create(a_file(), None), reply(201, {"upload_id": "u1", "chunk_size_bytes": chunk_size}))
    assert fault.kind is Failure.BROKEN


def test_the_servers_chunk_size_holds_and_without_one_the_wish_does(by_index):
    answer = reply(201, {"upload_id": "u1", "chunk_size_bytes": "700"})
    assert answered(by_index.create(a_file(), 1000), answer).grid.chunk_size_bytes == 700
    assert unasked(example(1).target.protocol.build("c").create(a_file(), 1000)).grid.chunk_size_bytes == 1000


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (409, Failure.SYNC),
        (401, Failure.DENIED),
        (404, Failure.GONE),
        (413, Failure.TOO_LARGE),
        (422, Failure.REJECTED),
        (503, Failure.SERVER_ERROR),
        (302, Failure.BROKEN),
    ],
)
def test_an_answer_means_what_the_scenario_says_and_else_the_usual(by_offset, session, status, kind):
    fault = refused(by_offset.send(session, CHUNK, a_file(), None), reply(status))
    assert (fault.kind, fault.status) == (kind, status)
    assert fault.message == f"{status} expected status 200 or 201 or 202 or 204"


def test_before_there_is_an_upload_nothing_can_be_gone(by_index):
    assert refused(by_index.create(a_file(), None), reply(404)).kind is Failure.REJECTED


def test_a_url_to_go_on_at_that_is_none_is_broken(by_offset):
    session = answered(by_offset.create(a_file(), 1000), reply(201, location="ftp://h/u"))
    with pytest.raises(Exception, match="expected a path or a URL to go on at, found 'ftp://h/u'") as raised:
        asked(by_offset.probe(session))
    assert raised.value.kind is Failure.BROKEN


def test_a_service_without_a_finalize_and_an_abort_is_asked_for_neither(by_offset, session):
    assert unasked(by_offset.finalize(session, a_file())) == Receipt(session.upload_id, 2500)
    assert unasked(by_offset.abort(session)) is None


def test_an_empty_file_without_a_finalize_is_sent_as_an_empty_chunk():
    protocol = service('send: {method: PUT, path: "/u/{uuid}", body: "@chunk"}')
    session = unasked(protocol.create(a_file(0), None))
    request = asked(protocol.finalize(session, a_file(0)))
    assert (request.phase, request.method, len(request.body)) == (Phase.FINALIZE, "PUT", 0)
    assert unasked(protocol.finalize(session, a_file(1))) == Receipt(session.upload_id, 1)


def test_without_a_probe_what_was_answered_is_what_is_held():
    protocol = example(1).target.protocol.build("client-1")
    session = unasked(protocol.create(a_file(), 1000))
    after = answered(protocol.send(session, CHUNK, a_file(), None), reply(200))
    assert unasked(protocol.probe(after)).held == Ranges(((1000, 2000),))


def test_an_id_of_ones_own_is_the_same_for_the_same_upload_only():
    first, same, other = (
        unasked(service('send: {method: PUT, path: "/u/{uuid}", body: "@chunk"}').create(file, None)).upload_id
        for file in (a_file(), a_file(), renamed("b.bin"))
    )
    assert UUID(first)
    assert (first == same, first == other) == (True, False)


def renamed(name):
    file = a_file()
    file.name = name
    return file


def test_a_receipt_has_the_files_id(by_index, indexed):
    answer = reply(201, {"file_id": "f1", "size_bytes": 2500})
    assert answered(by_index.finalize(indexed, a_file()), answer) == Receipt("f1", 2500)


def test_a_file_of_another_size_is_broken(by_index, indexed):
    fault = refused(by_index.finalize(indexed, a_file()), reply(201, {"file_id": "f1", "size_bytes": 2499}))
    assert (fault.kind, fault.message) == (Failure.BROKEN, "sent 2500 bytes, the server has 2499")


def test_a_file_of_another_size_is_broken_also_when_the_last_chunk_made_it():
    protocol = service('send: {method: PUT, path: /u, body: "@chunk", extract: {file_size: "json:size"}}')
    begun = unasked(protocol.create(a_file(), None))
    session = answered(protocol.send(begun, begun.grid.chunk(0), a_file(), None), reply(200, {"size": "2499"}))
    with pytest.raises(Fault, match="sent 2500 bytes, the server has 2499"):
        unasked(protocol.finalize(session, a_file()))


def test_json_says_numbers_as_numbers(by_index):
    request = asked(by_index.create(a_file(), 1000))
    about = json.loads(b"".join(request.body))
    assert about == {"filename": "a.bin", "size_bytes": 2500, "client_id": "client-1"}


def test_what_the_engine_has_to_know_follows_from_the_steps(by_offset, by_index):
    assert (by_offset.caps.sequential, by_offset.caps.resumes) == (True, True)
    assert (by_index.caps.sequential, by_index.caps.resumes) == (False, True)
    plain = service('{sequential: true, send: {method: PUT, path: /x, body: "@chunk"}}')
    assert (plain.caps.sequential, plain.caps.resumes) == (True, False)
