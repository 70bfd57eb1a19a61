"""The worked examples of docs/custom-http.md against the servers that they are for."""

from collections.abc import Iterator

import pytest
import requests

from tests.protocols.custom_http import example
from tests.protocols.journeys.cutting import wire_to
from tests.protocols.journeys.engine import Engine, a_file, content, engine
from tests.protocols.journeys.form_service import FormService, form_service
from tests.servers import RunningServer, running_server
from upswarm.transfer.dialect import UploadProtocol
from upswarm.transfer.failures import Fault
from upswarm.transfer.records import End

CHUNK_BYTES = 5 << 20
SIZE_BYTES = 2 * CHUNK_BYTES + 12345
FORM_CHUNK_BYTES = 100_000
FORM_SIZE_BYTES = 250_000


def protocol(number: int) -> UploadProtocol:
    return example(number).target.protocol.build("client-1")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("http"), workers=1) as server:
        yield server


@pytest.fixture
def chunked(server: RunningServer) -> Iterator[Engine]:
    with engine(protocol(0), server.url, CHUNK_BYTES) as chunked:
        yield chunked


def stored(server: RunningServer, file_id: str) -> bytes:
    return requests.get(f"{server.url}/v1/files/{file_id}/content", timeout=10).content


@pytest.mark.parametrize("size_bytes", [0, 1, SIZE_BYTES])
def test_the_chunked_protocol_in_yaml_brings_a_file_to_the_reference_server(
    chunked: Engine, server: RunningServer, size_bytes: int
) -> None:
    file = a_file(f"whole-{size_bytes}.bin", size_bytes)
    outcome = chunked.upload(file)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 0), outcome.message
    assert outcome.receipt is not None
    assert stored(server, outcome.receipt.file_id) == content(file)
    assert chunked.phases == ["init", *["chunk"] * -(-size_bytes // CHUNK_BYTES), "finalize"]


def test_an_upload_in_yaml_that_was_cut_goes_on_behind_a_probe(server: RunningServer) -> None:
    file = a_file("cut.bin", SIZE_BYTES)
    with wire_to(server.url) as wire, engine(protocol(0), wire.url, CHUNK_BYTES) as chunked:
        wire.cuts = {2: 10_000}  # the first body is that of the init
        outcome = chunked.upload(file)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 1), outcome.message
    assert chunked.phases == ["init", "chunk", "chunk", "probe", "chunk", "chunk", "finalize"]
    assert outcome.receipt is not None
    assert stored(server, outcome.receipt.file_id) == content(file)


def test_an_upload_in_yaml_that_was_aborted_is_gone(chunked: Engine) -> None:
    drive, dialect = chunked.uploader.exchange.drive, chunked.uploader.protocol
    session = chunked.begin(a_file("aborted.bin", SIZE_BYTES), chunks=1)
    drive(dialect.abort(session))
    with pytest.raises(Fault, match="404"):
        drive(dialect.probe(session))


@pytest.fixture
def service() -> Iterator[FormService]:
    with form_service() as service:
        yield service


@pytest.mark.parametrize("size_bytes", [0, 1, FORM_SIZE_BYTES])
def test_a_form_with_a_file_in_it_is_understood(service: FormService, size_bytes: int) -> None:
    file = a_file("form.bin", size_bytes)
    with engine(protocol(1), service.url, FORM_CHUNK_BYTES) as form:
        outcome = form.upload(file)
    assert outcome.end is End.FINISHED, outcome.message
    assert outcome.receipt is not None
    assert service.files == {outcome.receipt.file_id: content(file)}
    assert form.phases == [*["chunk"] * -(-size_bytes // FORM_CHUNK_BYTES), "finalize"]


def test_where_nothing_can_be_asked_a_cut_chunk_is_sent_again_and_no_other(service: FormService) -> None:
    file = a_file("form.bin", FORM_SIZE_BYTES)
    with wire_to(service.url) as wire, engine(protocol(1), wire.url, FORM_CHUNK_BYTES) as form:
        wire.cuts = {1: 10_000}
        outcome = form.upload(file)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 1), outcome.message
    assert form.phases == ["chunk", "chunk", "chunk", "chunk", "finalize"]
    assert list(service.files.values()) == [content(file)]
