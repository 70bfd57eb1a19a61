import base64
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.protocols.azure_server import AzureServer, error, listed
from tests.protocols.steps import answered, asked, refused, unasked
from tests.transfer.lab import a_file
from upswarm.protocols.azure import Azure
from upswarm.testing.protocols import ProtocolContract
from upswarm.transfer.chunks import Grid
from upswarm.transfer.dialect import Session, UploadProtocol
from upswarm.transfer.failures import RESUMABLE, Failure, Fault
from upswarm.transfer.messages import Request, Response
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import Receipt

SESSION = Session("/a.bin", Grid(2500, 1000))
VERSION = {"x-ms-version": "2021-12-02"}
IDS = ["MDAwMDAw", "MDAwMDAx", "MDAwMDAy"]


class TestAzure(ProtocolContract):
    def protocol(self) -> UploadProtocol:
        return Azure("client-1")

    def server(self) -> Callable[[Request], Response]:
        return AzureServer()


def sending():
    return Azure("c").send(SESSION, SESSION.grid.chunk(1), a_file(), None)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "Md5Mismatch", Failure.CORRUPT),
        (400, "Crc64Mismatch", Failure.CORRUPT),
        (400, "InvalidBlockList", Failure.INCOMPLETE),
        (400, "BlockListTooLong", Failure.TOO_LARGE),
        (400, "InvalidAuthenticationInfo", Failure.DENIED),
        (400, "InvalidBlobOrBlock", Failure.REJECTED),
        (401, "NoAuthenticationInformation", Failure.DENIED),
        (403, "AuthenticationFailed", Failure.DENIED),
        (404, "BlobNotFound", Failure.GONE),
        (404, "ContainerNotFound", Failure.REJECTED),
        (409, "BlockCountExceedsLimit", Failure.TOO_LARGE),
        (409, "ContainerBeingDeleted", Failure.REJECTED),
        (412, "LeaseIdMissing", Failure.REJECTED),
        (413, "RequestBodyTooLarge", Failure.TOO_LARGE),
        (500, "OperationTimedOut", Failure.SERVER_ERROR),
        (503, "ServerBusy", Failure.THROTTLED),
    ],
)
def test_every_error_has_its_kind(status, code, kind):
    fault = refused(sending(), error(status, code))
    assert (fault.kind, fault.status, fault.message) == (kind, status, f"{status} {code}")


def test_an_error_in_a_header_alone_is_seen():
    assert refused(sending(), Response(404, {"x-ms-error-code": "ContainerNotFound"})).kind is Failure.REJECTED


@pytest.mark.parametrize(("status", "kind"), [(404, Failure.GONE), (502, Failure.SERVER_ERROR), (200, Failure.BROKEN)])
def test_without_a_code_the_status_tells(status, kind):
    fault = refused(sending(), Response(status))
    assert (fault.kind, fault.message) == (kind, f"{status} expected status 201")


def test_a_block_has_a_name_of_its_own_and_is_held():
    request = asked(sending())
    assert (request.method, request.path) == ("PUT", f"/a.bin?comp=block&blockid={IDS[1]}")
    assert request.headers == VERSION
    assert answered(sending(), Response(201)).held == Ranges(((1000, 2000),))


def test_names_of_blocks_are_equally_long_and_different():
    """Azure takes no others; and they stand in a URL as they are."""
    grid = Grid(50_000, 1)
    session = Session("/a.bin", grid)
    paths = [
        asked(Azure("c").send(session, grid.chunk(index), a_file(1), None)).path for index in (0, 9, 10, 9999, 49_999)
    ]
    names = [path.partition("blockid=")[2] for path in paths]
    assert len(set(names)) == len(names)
    assert {len(base64.b64decode(name, validate=True)) for name in names} == {6}
    assert all(name.isalnum() for name in names)


def test_a_name_is_data_and_never_a_path_or_a_query():
    file = a_file()
    file.name = "../other container/ä?comp=x#y"
    session = unasked(Azure("c").create(file, None))
    path = "/..%2Fother%20container%2F%C3%A4%3Fcomp%3Dx%23y"
    assert asked(Azure("c").probe(session)).path.startswith(f"{path}?comp=blocklist")


@pytest.mark.parametrize(("size_bytes", "found_bytes"), [(2500, 8 << 20), (50_000 * (9 << 20), 9 << 20)])
def test_blocks_are_50_000_at_most(size_bytes, found_bytes):
    session = unasked(Azure("c").create(a_file(size_bytes), None))
    assert session.grid.chunk_size_bytes == found_bytes
    assert session.grid.count <= 50_000


def test_of_a_file_that_no_50_000_blocks_can_hold_nothing_is_sent():
    assert unasked(Azure("c").create(a_file(50_000 * (4000 << 20)), None)).grid.count == 50_000
    with pytest.raises(Fault) as raised:
        unasked(Azure("c").create(a_file(50_000 * (4000 << 20) + 1), None))
    assert raised.value.kind is Failure.TOO_LARGE


@pytest.mark.parametrize("answer", [error(404, "BlobNotFound"), Response(404), listed()])
def test_a_blob_of_which_no_block_waits_holds_nothing(answer):
    assert answered(Azure("c").probe(replace(SESSION, held=Ranges(((0, 1000),)))), answer).held == NOTHING


def test_a_container_that_is_not_there_is_not_an_empty_blob():
    assert refused(Azure("c").probe(SESSION), error(404, "ContainerNotFound")).kind is Failure.REJECTED


def test_a_probe_takes_its_own_blocks_of_the_right_length_and_no_others():
    answer = listed((IDS[2], 500), ("b3RoZXI=", 1000), (IDS[1], 999), (IDS[0], 1000))
    assert answered(Azure("c").probe(SESSION), answer).held == Ranges(((0, 1000), (2000, 2500)))


@pytest.mark.parametrize(
    "answer",
    [
        Response(200),
        Response(200, {}, b"<BlockList>"),
        Response(200, {}, b"<ListPartsResult/>"),
        listed(("", 1000)),
        listed((IDS[0], "")),
        listed((IDS[0], -1)),
    ],
)
def test_a_list_that_can_not_be_true_is_broken(answer):
    assert refused(Azure("c").probe(SESSION), answer).kind is Failure.BROKEN


def test_the_list_names_every_block_in_the_order_of_the_file():
    request = asked(Azure("c").finalize(SESSION, a_file()))
    assert (request.method, request.path) == ("PUT", "/a.bin?comp=blocklist")
    assert request.headers == {"Content-Type": "application/xml", **VERSION}
    assert b"".join(request.body).decode() == (
        '<?xml version="1.0" encoding="utf-8"?><BlockList>'
        "<Latest>MDAwMDAw</Latest><Latest>MDAwMDAx</Latest><Latest>MDAwMDAy</Latest></BlockList>"
    )
    assert answered(Azure("c").finalize(SESSION, a_file()), Response(201)) == Receipt("a.bin", 2500)


def test_blocks_that_are_missing_at_the_end_are_a_reason_to_look_which():
    assert refused(Azure("c").finalize(SESSION, a_file()), error(400, "InvalidBlockList")).kind in RESUMABLE


def test_a_finalize_that_comes_again_finds_the_blocks_in_the_blob():
    server, protocol, file = AzureServer(), Azure("c"), a_file()
    for index in range(3):
        server(asked(protocol.send(SESSION, SESSION.grid.chunk(index), file, None)))
    for _ in range(2):
        request = asked(protocol.finalize(SESSION, file))
        assert answered(protocol.finalize(SESSION, file), server(request)) == Receipt("a.bin", 2500)
    assert server.blobs["/a.bin"] == b"".join(file.views(0, 2500))


def test_an_abort_touches_nothing():
    """What could be deleted is the blob that stood there before."""
    assert unasked(Azure("c").abort(SESSION)) is None
