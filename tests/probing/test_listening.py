"""What buffers is told by what it does: a proxy of our own everywhere, nginx where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.probing.lab import CHUNK_BYTES, NONE, ONE
from tests.probing.lab import probed as probed_in_a_hurry
from tests.probing.put_http import PutManners, put_http, signed
from tests.probing.tus_http import Manners, tus_http
from tests.probing.ways import NGINX, buffering_proxy, nginx
from tests.servers import RunningServer, running_server
from upswarm.probing.aftermath import Check, Kept
from upswarm.probing.buffering import Verdict
from upswarm.probing.sentences import sentences
from upswarm.protocols.chunked import Chunked
from upswarm.protocols.put import Put
from upswarm.protocols.tus import Tus
from upswarm.transfer.auth import Sign, unsigned
from upswarm.transfer.dialect import UploadProtocol

PROTOCOLS = [Chunked("client-1"), Tus("client-1")]
NAMES = ["chunked", "tus"]
with_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed: apt-get install nginx-light")


probed = partial(probed_in_a_hurry, silence_s=0.3)  # here a slow machine must not look like a proxy


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("probed"), workers=1) as server:
        yield server


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=NAMES)
def test_straight_to_the_reference_server_nothing_buffers(server: RunningServer, protocol: UploadProtocol) -> None:
    buffering = probed(server.url, NONE, protocol).buffering
    assert (buffering.verdict, buffering.refusal.early) == (Verdict.NOTHING_BUFFERS, True)
    assert buffering.refusal.sent_bytes < buffering.refusal.promised_bytes


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=NAMES)
def test_a_proxy_that_waits_for_whole_bodies_is_found_out(server: RunningServer, protocol: UploadProtocol) -> None:
    with buffering_proxy(server.url) as url:
        findings = probed(url, ONE, protocol)
    assert (findings.buffering.verdict, findings.buffering.refusal.early) == (Verdict.SOMETHING_BUFFERS, False)
    assert (findings.aftermaths[0].kept, findings.aftermaths[0].held_bytes) == (Kept.CHUNKS, 0)
    assert (findings.aftermaths[0].finished, findings.exit_code) == (True, 0)
    assert findings.aftermaths[0].check is (Check.RIGHT if isinstance(protocol, Chunked) else Check.UNREAD)


@with_nginx
@pytest.mark.parametrize("protocol", PROTOCOLS, ids=NAMES)
def test_nginx_is_found_out_where_it_buffers_and_cleared_where_it_does_not(
    server: RunningServer, protocol: UploadProtocol
) -> None:
    with nginx(server.url, buffering="on") as url:
        buffered = probed(url, ONE, protocol)
    with nginx(server.url, buffering="off") as url:
        passed_on = probed(url, ONE, protocol)
    verdicts = [buffered.buffering.verdict, passed_on.buffering.verdict]
    assert verdicts == [Verdict.SOMETHING_BUFFERS, Verdict.NOTHING_BUFFERS]
    kept = Kept.BYTES if isinstance(protocol, Tus) else Kept.CHUNKS
    assert [buffered.aftermaths[0].kept, passed_on.aftermaths[0].kept] == [Kept.CHUNKS, kept]


@with_nginx
def test_that_a_proxy_refuses_a_length_proves_nothing_of_what_it_lets_through(server: RunningServer) -> None:
    """Without buffering, but the server takes the rest of what it refuses: only that can be seen."""
    with nginx(server.url, buffering="off", most="1m") as url:
        findings = probed(url, NONE, Chunked("client-1"))
    assert (findings.buffering.refusal.status, findings.buffering.refusal.early) == (404, False)
    assert "takes the rest of what it refuses" in " ".join(sentences(findings))


def test_bytes_that_are_held_in_the_middle_of_a_chunk_prove_that_nothing_buffers() -> None:
    with tus_http(Manners(patient=True)) as (url, _):
        buffering = probed(url, NONE).buffering
    assert buffering.midway.held_bytes is not None
    assert 0 < buffering.midway.held_bytes <= buffering.midway.sent_bytes == CHUNK_BYTES // 2
    assert (buffering.refusal.early, buffering.verdict) == (False, Verdict.NOTHING_BUFFERS)


def test_a_server_that_waits_for_whole_bodies_itself_looks_like_a_proxy_that_does() -> None:
    with tus_http(Manners("drop", patient=True)) as (url, _):
        buffering = probed(url, NONE).buffering
    assert (buffering.midway.held_bytes, buffering.refusal.early) == (0, False)
    assert buffering.verdict is Verdict.SOMETHING_BUFFERS


def test_of_an_upload_that_is_locked_in_the_middle_of_a_chunk_nothing_is_known() -> None:
    with tus_http(Manners(locks=True)) as (url, _):
        buffering = probed(url, NONE).buffering
    assert buffering.midway.held_bytes is None
    assert buffering.midway.note == "asked in the middle of a chunk: 423 expected status 200 or 204"


def test_a_cut_upload_that_stays_locked_is_not_told_and_so_it_does_not_pass() -> None:
    with tus_http(Manners(locks=True)) as (url, _):
        findings = probed_in_a_hurry(url, ONE)
    assert (findings.aftermaths[0].kept, findings.told, findings.exit_code) == (None, [], 2)
    assert "asked what it holds: 423 expected status 200 or 204" in findings.aftermaths[0].notes


@pytest.mark.parametrize(
    ("manners", "sign", "early", "status"),
    [
        (PutManners(refuses="content-range"), unsigned, True, 501),
        (PutManners(refuses="content-range", patient=True), unsigned, False, 501),
        (PutManners(refuses="nothing"), unsigned, None, None),
        (PutManners(refuses="strangers"), signed, True, 401),
        (PutManners(refuses="strangers", patient=True), signed, False, 401),
    ],
)
def test_where_no_upload_can_be_aborted_something_else_is_hopeless(
    manners: PutManners, sign: Sign, early: bool | None, status: int | None
) -> None:
    with put_http(manners) as (url, _):
        refusal = probed(url, NONE, Put("client-1"), sign=sign).buffering.refusal
    assert (refusal.early, refusal.status) == (early, status)
    assert (refusal.note == "") is (early is not None)


def test_what_can_not_be_asked_is_not_classified_and_the_file_is_right_in_the_end() -> None:
    with put_http(PutManners(refuses="content-range")) as (url, files):
        findings = probed(url, ONE, Put("client-1"))
        assert files == {}
    assert (findings.aftermaths[0].kept, findings.aftermaths[0].check) == (None, Check.RIGHT)
    assert (findings.grid.count, findings.grid.size_bytes) == (1, CHUNK_BYTES * 5 // 2)
    assert findings.exit_code == 0
