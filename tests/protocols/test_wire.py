"""The recorded conversations, from the client's end: the recorded answers go in, the recorded requests come out."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.protocols.steps import replayed
from tests.wire.format import CONVERSATIONS, conversations, example_values, load
from upswarm.content.random import Random
from upswarm.digests import parse_header
from upswarm.protocols.chunked import Chunked
from upswarm.transfer.dialect import ChunkDigest, Session
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.ranges import NOTHING
from upswarm.transfer.records import Receipt
from upswarm.transfer.stored import Listed, Page, Stored

KINDS = {
    "upload_not_found": Failure.GONE,
    "file_not_found": Failure.GONE,
    "digest_mismatch": Failure.CORRUPT,
    "upload_incomplete": Failure.INCOMPLETE,
}


class Client:
    """Takes the step that a recorded request belongs to, and keeps the session as the uploader would."""

    def __init__(self):
        self.session = None
        self.file = None
        self.receipt = None
        self.found = []

    def step(self, request):
        if request.path.startswith("/v1/files"):
            return self.audit(urlsplit(request.path))
        match request.method, request.path.split("/")[3:]:
            case "POST", []:
                about = json.loads(request.body)
                self.file = Random(Path()).open(about["filename"], about["size_bytes"], seed=1)
                self.chunked = Chunked(about["client_id"])
                return self.chunked.create(self.file, about.get("chunk_size_bytes"))
            case "PUT", [_, "chunks", index]:
                chunk = self.session.grid.chunk(int(index))
                return self.chunked.send(self.session, chunk, self.file, promised(request))
            case "GET", [_]:
                return self.chunked.probe(self.session)
            case "POST", [_, "finalize"]:
                return self.chunked.finalize(self.session, self.file)
            case "DELETE", [_]:
                return self.chunked.abort(self.session)
        raise AssertionError(f"no step for {request.method} {request.path}")

    def audit(self, url):
        file_id = url.path.removeprefix("/v1/files").strip("/")
        if file_id:
            return self.chunked.inspect(Receipt(file_id, self.file.size_bytes))
        return self.chunked.listing(parse_qs(url.query)["prefix"][0], "")

    def take(self, method, result):
        if isinstance(result, Stored | Page):
            self.found.append(result)
        elif method in {"PUT", "GET"} or self.session is None:
            self.session = result
        elif method == "POST":
            self.receipt = result


def promised(request):
    """The digest that the recorded request promises, right or wrong."""
    header = request.headers.get("Content-Digest")
    return ChunkDigest(*next(iter(parse_header(header).items()))) if header else None


def assert_same_request(asked, recorded):
    body = b"".join(asked.body) if asked.body is not None else b""
    headers = {name: value for name, value in recorded.headers.items() if name != "Content-Length"}
    assert (asked.method, asked.path, dict(asked.headers)) == (recorded.method, recorded.path, headers)
    assert len(body) == int(recorded.headers.get("Content-Length", len(body)))
    if headers.get("Content-Type") == "application/json":
        assert json.loads(body) == json.loads(recorded.body)
    else:
        assert len(body) == len(recorded.body)


def replay(path):
    exchanges = load(path)
    values = example_values(exchanges)
    client = Client()
    for exchange in exchanges:
        recorded, answer = exchange.request.filled(values), exchange.response.filled(values)
        flow = client.step(recorded)
        assert_same_request(next(flow), recorded)
        yield client, recorded, answer, (result := replayed(flow, answer))
        if not isinstance(result, Fault):
            client.take(recorded.method, result)


@pytest.mark.parametrize("path", conversations("chunked"), ids=lambda path: path.stem)
def test_the_client_asks_as_recorded(path):
    for _, _, answer, result in replay(path):
        assert isinstance(result, Fault) == (answer.status >= 400)
        if isinstance(result, Fault):
            assert (result.kind, result.status) == (KINDS[json.loads(answer.body)["code"]], answer.status)


@pytest.mark.parametrize("path", conversations("chunked"), ids=lambda path: path.stem)
def test_the_client_believes_what_the_server_says_it_holds(path):
    for client, request, answer, result in replay(path):
        if request.method == "GET" and isinstance(result, Session):
            assert result.held.total_bytes == json.loads(answer.body)["received_bytes"]
            missing = [chunk.index for chunk in result.grid.not_held(result.held)]
            spans = json.loads(answer.body)["missing_chunks"]
            assert missing == [index for first, last in spans for index in range(first, last + 1)]
        if "Upload-Received-Bytes" in answer.headers:
            assert result.held.covers(*span(client, request))


def span(client, request):
    chunk = client.session.grid.chunk(int(request.path.rpartition("/")[2]))
    return chunk.offset, chunk.end


@pytest.mark.parametrize("name", ["whole_upload", "resume", "empty_file"])
def test_a_conversation_that_ends_well_ends_with_a_receipt(name):
    (path,) = [path for path in conversations("chunked") if path.stem == name]
    *_, (client, _, answer, receipt) = replay(path)
    assert receipt.file_id == json.loads(answer.body)["file_id"]
    assert receipt.size_bytes == client.file.size_bytes
    assert client.session.held.missing(receipt.size_bytes) == NOTHING


def test_an_audit_believes_what_the_server_says_of_a_file():
    *_, (client, _, _, gone) = replay(CONVERSATIONS / "chunked" / "audit.http")
    receipt = client.receipt
    assert client.found == [Stored(0), Page((Listed(receipt.file_id, client.file.name, 0),))]
    assert gone.kind is Failure.GONE


def test_there_are_conversations():
    assert len(conversations("chunked")) >= 5
