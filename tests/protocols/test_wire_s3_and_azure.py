"""The recorded conversations of two object stores, from the client's end."""

from contextlib import closing
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.transfer.lab import EXACT, Lab
from tests.wire.format import conversations, example_values, load
from upswarm.content.sparse import Sparse
from upswarm.protocols.azure import Azure
from upswarm.protocols.s3 import S3
from upswarm.transfer.dialect import Session
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.messages import Phase, Response
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import End, Receipt
from upswarm.transfer.uploader import UploadSettings

CHUNK_BYTES = 5 << 20
SIZE_BYTES = 6 << 20
PATHS = [*conversations("s3"), *conversations("azure")]
FAULTS = {
    "s3/abort": [Failure.GONE],
    "s3/error_in_200": [Failure.SERVER_ERROR],
    "azure/incomplete": [Failure.INCOMPLETE],
}
"""How the steps end that do not end well."""


def name_of(path):
    return f"{path.parent.name}/{path.stem}"


class Client:
    """Takes the steps that recorded requests belong to, and keeps the session as the uploader would."""

    def __init__(self, protocol, file):
        self.protocol = protocol
        self.file = file
        self.session = None
        self.results = []
        self._flow = protocol.create(file, CHUNK_BYTES)

    def asks(self, recorded):
        """The request that the client has here; a step that has none is over at once."""
        if self.session is None:
            try:
                return next(self._flow)
            except StopIteration as end:
                self.session = end.value
        self._flow = self._step(recorded)
        return next(self._flow)

    def hears(self, answer):
        headers = {name.lower(): value for name, value in answer.headers.items()}
        try:
            self._flow.send(Response(answer.status, headers, answer.body.encode()))
        except StopIteration as end:
            self.results.append(end.value)
        except Fault as fault:
            self.results.append(fault)
        if isinstance(self.results[-1], Session):
            self.session = self.results[-1]

    def _step(self, recorded):
        query = parse_qs(urlsplit(recorded.path).query)
        match recorded.method:
            case "GET":
                return self.protocol.probe(self.session)
            case "DELETE":
                return self.protocol.abort(self.session)
            case "PUT" if "partNumber" in query:
                return self._sends(int(query["partNumber"][0]) - 1)
            case "PUT" if "blockid" in query:
                return self._sends(["MDAwMDAw", "MDAwMDAx"].index(query["blockid"][0]))
        return self.protocol.finalize(self.session, self.file)

    def _sends(self, index):
        return self.protocol.send(self.session, self.session.grid.chunk(index), self.file, None)


def replay(path, scratch):
    exchanges = load(path)
    values = example_values(exchanges)
    protocol = {"s3": S3, "azure": Azure}[path.parent.name]("client-1")
    file = Sparse(scratch).open("sample.bin", 0 if path.stem == "empty_file" else SIZE_BYTES, seed=1)
    client = Client(protocol, file)
    for exchange in exchanges:
        recorded = exchange.request.filled(values)
        assert_same_request(client.asks(recorded), recorded)
        client.hears(exchange.response.filled(values))
    file.close()
    return client


def assert_same_request(asked, recorded):
    headers = {name: value for name, value in recorded.headers.items() if name != "Content-Length"}
    assert (asked.method, asked.path, dict(asked.headers)) == (recorded.method, recorded.path, headers)
    body = b"".join(asked.body) if asked.body is not None else b""
    assert body == recorded.body


@pytest.mark.parametrize("path", PATHS, ids=name_of)
def test_the_client_asks_as_recorded_and_takes_every_answer_for_what_it_is(path, tmp_path):
    results = replay(path, tmp_path).results
    assert len(results) == len(load(path))
    assert [result.kind for result in results if isinstance(result, Fault)] == FAULTS.get(name_of(path), [])


@pytest.mark.parametrize("path", [path for path in PATHS if path.stem != "abort"], ids=name_of)
def test_a_conversation_that_ends_well_ends_with_a_receipt(path, tmp_path):
    client = replay(path, tmp_path)
    assert client.results[-1] == Receipt("sample.bin", client.file.size_bytes)
    assert client.session.held.missing(client.file.size_bytes) == NOTHING


@pytest.mark.parametrize("path", [path for path in PATHS if path.stem == "resume"], ids=name_of)
def test_the_client_believes_what_the_server_says_it_holds(path, tmp_path):
    answers = zip(load(path), replay(path, tmp_path).results, strict=True)
    *_, probed = [result for exchange, result in answers if exchange.request.method == "GET"]
    assert probed.held == Ranges(((CHUNK_BYTES, SIZE_BYTES),))


def test_an_error_under_a_200_is_a_reason_to_ask_again(tmp_path):
    """What an answer means only the dialect knows; that it may be otherwise in a moment, the engine."""
    (path,) = [path for path in PATHS if path.stem == "error_in_200"]
    exchanges = load(path)
    values = example_values(exchanges)
    answers = [exchange.response.filled(values) for exchange in exchanges]
    lab = Lab([Response(each.status, lowered(each.headers), each.body.encode()) for each in answers])
    uploader = replace(lab.uploader, protocol=S3("client-1"), settings=UploadSettings(EXACT, CHUNK_BYTES))
    with closing(Sparse(tmp_path).open("sample.bin", SIZE_BYTES, seed=1)) as file:
        outcome = uploader.upload(file)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 0), outcome.message
    assert [sent.request.path for sent in lab.transport.sent] == [
        each.request.filled(values).path for each in exchanges
    ]
    finals = [(each.number, each.failure) for each in lab.notebook.attempts if each.phase is Phase.FINALIZE]
    assert finals == [(1, Failure.SERVER_ERROR), (2, None)]


def lowered(headers):
    return {name.lower(): value for name, value in headers.items()}


def test_there_are_conversations():
    assert len(PATHS) >= 11
