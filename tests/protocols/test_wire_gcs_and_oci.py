"""The recorded conversations of two protocols in which chunks say where they belong, from the client's end."""

import re

import pytest

from tests.wire.format import conversations, example_values, load
from upswarm.content.sparse import Sparse
from upswarm.protocols.gcs import Gcs
from upswarm.protocols.oci import Oci
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.dialect import Session
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.messages import Response
from upswarm.transfer.ranges import NOTHING, Ranges

PATHS = [*conversations("gcs"), *conversations("oci")]
PROTOCOLS = {"gcs": Gcs, "oci": Oci}
KINDS = {
    "gcs/gap": [Failure.SYNC],
    "gcs/part_kept": [Failure.SYNC],
    "gcs/abort": [Failure.GONE],
    "oci/abort": [Failure.GONE],
    "oci/digest_mismatch": [Failure.CORRUPT, Failure.GONE],
    "oci/out_of_order": [Failure.SYNC],
}
"""How the steps end that do not end well."""


class Client:
    """Takes the steps that recorded requests belong to, and keeps the session as the uploader would."""

    def __init__(self, path, file):
        self.protocol = PROTOCOLS[path.parent.name]("client-1")
        self.chunk_size_bytes = first_chunk(load(path))
        self.file = file
        self.session = None
        self.flow = None
        self.results = []

    def ask(self, recorded):
        """The request that the client has; a step that goes on after an answer has it already."""
        if self.flow is None:
            self.flow = self._step(recorded)
            self.asked = next(self.flow)
        return self.asked

    def answer(self, response):
        headers = {name.lower(): value for name, value in response.headers.items()}
        try:
            self.asked = self.flow.send(Response(response.status, headers, response.body.encode()))
        except StopIteration as end:
            self._take(end.value)
        except Fault as fault:
            self._take(fault)

    def _take(self, result):
        self.results.append(result)
        self.flow = None
        if isinstance(result, Session):
            self.session = result

    def _step(self, recorded):
        place = place_of(recorded)
        match recorded.method:
            case "POST":
                return self.protocol.create(self.file, self.chunk_size_bytes)
            case "DELETE":
                return self.protocol.abort(self.session)
            case "GET":
                return self.protocol.probe(self.session)
            case "PUT" if place is None and (self.file.size_bytes == 0 or "digest=" in recorded.path):
                return self.protocol.finalize(self.session, self.file)
            case "PUT" if place is None:
                return self.protocol.probe(self.session)
        start, end = place
        chunk = next(chunk for chunk in self.session.grid.not_held(Ranges.of([(0, start)])))
        assert chunk == Chunk(chunk.index, start, end - start)
        return self.protocol.send(self.session, chunk, self.file, None)


def place_of(request):
    """The bytes that a request says it carries."""
    found = re.fullmatch(r"(?:bytes )?([0-9]+)-([0-9]+)(?:/[0-9]+)?", request.headers.get("Content-Range", ""))
    return (int(found[1]), int(found[2]) + 1) if found else None


def places(exchanges):
    return [place for exchange in exchanges if (place := place_of(exchange.request))]


def first_chunk(exchanges):
    return max([end - start for start, end in places(exchanges)[:1]], default=None)


def size_of(exchanges):
    """GCS is told the size at the beginning; a registry never is, but the last chunk ends there."""
    told = exchanges[0].request.headers.get("X-Upload-Content-Length")
    return int(told) if told else (2500 if places(exchanges) else 0)


def replay(path, scratch):
    exchanges = load(path)
    values = example_values(exchanges)
    file = Sparse(scratch).open("sample.bin", size_of(exchanges), seed=1)
    client = Client(path, file)
    for exchange in exchanges:
        recorded, answer = exchange.request.filled(values), exchange.response.filled(values)
        assert_same_request(client.ask(recorded), recorded)
        client.answer(answer)
    file.close()
    return client


def assert_same_request(asked, recorded):
    headers = {name: value for name, value in recorded.headers.items() if name != "Content-Length"}
    assert (asked.method, asked.path, dict(asked.headers)) == (recorded.method, recorded.path, headers)
    body = b"".join(asked.body) if asked.body is not None else b""
    assert body == recorded.body
    assert len(body) == int(recorded.headers.get("Content-Length", 0))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_client_asks_as_recorded_and_takes_every_answer_for_what_it_is(path, tmp_path):
    client = replay(path, tmp_path)
    faults = [result.kind for result in client.results if isinstance(result, Fault)]
    assert faults == KINDS.get(f"{path.parent.name}/{path.stem}", [])


@pytest.mark.parametrize("name", ["gcs/whole_upload", "gcs/resume", "gcs/part_kept", "gcs/nothing_held"])
def test_a_conversation_that_ends_with_a_file_needs_no_finalize(name, tmp_path):
    (path,) = [path for path in PATHS if f"{path.parent.name}/{path.stem}" == name]
    client = replay(path, tmp_path)
    with pytest.raises(StopIteration) as ended:
        next(client.protocol.finalize(client.session, client.file))
    assert ended.value.value.size_bytes == client.file.size_bytes
    assert client.session.held.missing(client.file.size_bytes) == NOTHING


@pytest.mark.parametrize("name", ["whole_upload", "resume", "empty_file", "lost_answer"])
def test_a_conversation_with_a_digest_ends_with_a_receipt(name, tmp_path):
    (path,) = [path for path in conversations("oci") if path.stem == name]
    client = replay(path, tmp_path)
    assert client.results[-1].file_id in load(path)[-1].request.path + str(load(path)[-1].response.headers)
    assert client.results[-1].size_bytes == client.file.size_bytes


def test_there_are_conversations():
    assert len(PATHS) >= 12
