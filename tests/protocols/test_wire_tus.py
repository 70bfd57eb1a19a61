"""The recorded conversations of tus, from the client's end: recorded answers go in, recorded requests come out."""

from base64 import b64decode
from pathlib import Path

import pytest

from tests.protocols.steps import replayed, unasked
from tests.wire.format import conversations, example_values, load
from upswarm.content.random import Random
from upswarm.protocols.tus import Tus
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.dialect import ChunkDigest
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.ranges import NOTHING

TARGET = "http://h"
KINDS = {404: Failure.GONE, 409: Failure.SYNC, 460: Failure.CORRUPT}
ALGORITHMS = {"sha256": "sha-256", "crc32c": "crc32c"}
PATHS = conversations("tus")


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
