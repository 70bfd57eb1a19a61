"""The recorded conversations of tus, from the client's end: recorded answers go in, recorded requests come out."""

from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest

from tests.protocols.steps import replayed, unasked
from tests.wire.format import CONVERSATIONS, conversations, example_values, load
from upswarm import digests
from upswarm.content.random import Random
from upswarm.protocols.tus import Tus
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.dialect import ChunkDigest
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.messages import Response
from upswarm.transfer.ranges import NOTHING, Ranges

TARGET = "http://h"
KINDS = {404: Failure.GONE, 409: Failure.SYNC, 460: Failure.CORRUPT}
ALGORITHMS = {"sha256": "sha-256", "crc32c": "crc32c"}
IN_PARTS = {"concatenation", "abort_parts"}
PATHS = [path for path in conversations("tus") if path.stem not in IN_PARTS]


class Client:
    """Takes the step that a recorded request belongs to, and keeps the session as the uploader would."""

    def __init__(self):
        self.session = None

    def step(self, request):
        match request.method:
            case "POST":
                told = dict(pair.split(" ") for pair in request.headers["Upload-Metadata"].split(","))
                name, client_id = (b64decode(told[key]).decode() for key in ("filename", "client_id"))
                self.file = Random(Path()).open(name, int(request.headers["Upload-Length"]), seed=1)
                self.tus = Tus(client_id)
                return self.tus.create(self.file, None)
            case "PATCH":
                chunk = Chunk(0, int(request.headers["Upload-Offset"]), int(request.headers["Content-Length"]))
                return self.tus.send(self.session, chunk, self.file, promised(request))
            case "HEAD":
                return self.tus.probe(self.session)
            case "DELETE":
                return self.tus.abort(self.session)
        raise AssertionError(f"no step for {request.method} {request.path}")

    def take(self, result):
        if result is not None and not isinstance(result, Fault):
            self.session = result


def promised(request):
    """The digest that the recorded request promises, right or wrong."""
    algorithm, _, value = request.headers.get("Upload-Checksum", "").partition(" ")
    return ChunkDigest(ALGORITHMS[algorithm], b64decode(value)) if algorithm else None


def url_of(path):
    """Where a transport would send it."""
    return path if "://" in path else Tus.caps.endpoint(TARGET) + path


def replay(path):
    exchanges = load(path)
    values = example_values(exchanges)
    client = Client()
    for exchange in exchanges:
        recorded, answer = exchange.request.filled(values), exchange.response.filled(values)
        flow = client.step(recorded)
        asked = next(flow)
        yield client, asked, recorded, answer, (result := replayed(flow, answer, url_of(asked.path)))
        client.take(result)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_client_asks_as_recorded(path):
    for _, asked, recorded, _, _ in replay(path):
        headers = {name: value for name, value in recorded.headers.items() if name != "Content-Length"}
        assert (asked.method, url_of(asked.path)) == (recorded.method, TARGET + recorded.path)
        assert asked.headers == headers
        assert len(asked.body or b"") == len(recorded.body)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_client_believes_what_the_server_says_it_holds(path):
    for *_, answer, result in replay(path):
        assert isinstance(result, Fault) == (answer.status >= 400)
        if isinstance(result, Fault):
            assert (result.kind, result.status) == (KINDS[answer.status], answer.status)
        elif "Upload-Offset" in answer.headers:
            assert result.held.total_bytes == int(answer.headers["Upload-Offset"])


@pytest.mark.parametrize("name", ["whole_upload", "resume", "empty_file", "checksum_mismatch", "crc32c"])
def test_a_conversation_that_ends_well_ends_with_the_last_byte(name):
    (path,) = [path for path in PATHS if path.stem == name]
    *_, (client, *_, result) = replay(path)
    assert result.held.missing(client.file.size_bytes) == NOTHING
    receipt = unasked(client.tus.finalize(result, client.file))
    assert (receipt.file_id, receipt.size_bytes) == (f"{TARGET}/tus/example-upload-id", client.file.size_bytes)


class Conversation:
    """A recorded one in which a step may take several exchanges; each of them is compared."""

    def __init__(self, name):
        exchanges = load(CONVERSATIONS / "tus" / f"{name}.http")
        values = example_values(exchanges)
        self.left = [(each.request.filled(values), each.response.filled(values)) for each in exchanges]

    def drive(self, flow):
        try:
            request = next(flow)
            while True:
                recorded, answer = self.left.pop(0)
                headers = {name: value for name, value in recorded.headers.items() if name != "Content-Length"}
                assert (request.method, url_of(request.path)) == (recorded.method, TARGET + recorded.path)
                assert (request.headers, len(request.body or b"")) == (headers, len(recorded.body))
                said = {name.lower(): value for name, value in answer.headers.items()}
                request = flow.send(Response(answer.status, said, b"", url_of(request.path)))
        except StopIteration as end:
            return end.value


def test_a_file_in_parts_travels_as_recorded():
    talk, tus = Conversation("concatenation"), Tus("client-1").in_lanes(2)
    file = Random(Path()).open("sample.bin", 2500, seed=1)
    session = talk.drive(tus.create(file, 1000))
    (first, rest), (last, _) = (list(row) for row in session.grid.rows(NOTHING))
    session = talk.drive(tus.send(session, replace(last, length=1250), file, None))
    promise = ChunkDigest("sha-256", digests.digest_of("sha-256", [bytes(1000)]))
    assert talk.drive(tus.send(session, first, file, promise)).held == Ranges(((0, 1000), (1250, 2500)))
    session = talk.drive(tus.probe(session))
    assert session.held == Ranges(((0, 1000), (1250, 2500)))
    session = talk.drive(tus.send(session, rest, file, None))
    receipt = talk.drive(tus.finalize(session, file))
    assert (receipt.file_id, receipt.size_bytes) == (f"{TARGET}/tus/example-upload-id", 2500)
    assert talk.left == []


def test_a_file_in_parts_is_given_up_as_recorded():
    talk, tus = Conversation("abort_parts"), Tus("client-1").in_lanes(2)
    session = talk.drive(tus.create(Random(Path()).open("sample.bin", 2500, seed=1), 1000))
    talk.drive(tus.abort(session))
    with pytest.raises(Fault) as raised:
        talk.drive(tus.probe(session))
    assert (raised.value.kind, talk.left) == (Failure.GONE, [])
