"""Chunks of one upload that travel at the same time: each once, whatever happens in another lane."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from typing import Any

import pytest

from tests.protocols.chunked_server import ChunkedServer
from tests.protocols.s3_server import S3Server
from tests.protocols.tus_server import TusServer
from tests.transfer.lab import EXACT, a_file, threads
from upswarm.protocols.chunked import Chunked
from upswarm.protocols.s3 import S3
from upswarm.protocols.tus import Tus
from upswarm.testing.clock import FakeClock
from upswarm.testing.observer import Notebook
from upswarm.transfer.dialect import UploadProtocol
from upswarm.transfer.exchange import Exchange
from upswarm.transfer.failures import Failure, Interrupted
from upswarm.transfer.messages import Phase, Request, Response
from upswarm.transfer.records import End, Outcome
from upswarm.transfer.uploader import Uploader, UploadSettings

CHUNK_BYTES = 100


class Meeting:
    """A transport of each lane to one server; chunk requests wait for each other, as many as there are lanes."""

    def __init__(self, server: Any, lanes: int) -> None:
        self._server = server
        self._one_at_a_time = threading.Lock()
        self._met = threading.Barrier(lanes)
        self.together = 0
        self.chunks: list[str] = []
        self.cut: set[str] = set()

    def send(self, request: Request) -> Response:
        if request.phase is Phase.CHUNK:
            try:
                self._met.wait(0.5)
                self.together += 1
            except threading.BrokenBarrierError:
                """The last ones are fewer than lanes."""
            self.chunks.append(request.path)
            if request.path in self.cut:
                self.cut.discard(request.path)
                raise Interrupted(Failure.TORN)
        with self._one_at_a_time:
            answer: Response = self._server(request)
        return answer

    def close(self) -> None:
        """Nothing is open."""


def upload(protocol: UploadProtocol, transport: Meeting, lanes: int, size_bytes: int = 1000) -> Outcome:
    clock = FakeClock()
    exchanges = [Exchange(transport, Notebook(), clock=clock, dice=random.Random(1), retry=EXACT) for _ in range(lanes)]
    uploader = Uploader(
        protocol=protocol,
        exchange=exchanges[0],
        more_lanes=exchanges[1:],
        together=threads,
        observer=Notebook(),
        settings=UploadSettings(EXACT, CHUNK_BYTES),
        clock=clock,
        dice=random.Random(1),
    )
    return uploader.upload(a_file(size_bytes))


def test_chunks_travel_at_the_same_time_and_each_once() -> None:
    transport = Meeting(ChunkedServer(CHUNK_BYTES), 4)
    assert upload(Chunked("client-1"), transport, 4, 800).end is End.FINISHED
    assert len(transport.chunks) == len(set(transport.chunks)) == 8
    assert transport.together == 8


def test_what_each_lane_remembers_comes_together() -> None:
    """S3 wants the tags of all parts in the end."""
    transport = Meeting(S3Server(), 2)
    protocol = S3("client-1")
    protocol.caps = replace(protocol.caps, min_chunk_bytes=1)
    assert upload(protocol, transport, 2).end is End.FINISHED
    assert len(set(transport.chunks)) == 10


@pytest.mark.parametrize("index", range(4))
def test_a_cut_in_one_lane_is_resumed_and_sends_no_other_chunk_again(index: int) -> None:
    transport = Meeting(ChunkedServer(CHUNK_BYTES), 2)
    probe = Meeting(ChunkedServer(CHUNK_BYTES), 1)
    upload(Chunked("client-1"), probe, 1)
    transport.cut = {sorted(probe.chunks)[index]}
    outcome = upload(Chunked("client-1"), transport, 2)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 1)
    assert len(transport.chunks) == 11
    assert len(set(transport.chunks)) == 10


def test_a_protocol_that_wants_its_chunks_in_order_has_one_lane() -> None:
    in_order = Chunked("client-1")
    in_order.caps = replace(in_order.caps, joined=None)
    transport = Meeting(ChunkedServer(CHUNK_BYTES), 2)
    assert upload(in_order, transport, 2).end is End.FINISHED
    assert transport.chunks == sorted(transport.chunks)
    assert transport.together == 0


def content(server: TusServer, outcome: Outcome) -> bytes:
    assert outcome.receipt is not None, outcome.message
    return server.held[outcome.receipt.file_id]


def test_parts_of_a_file_travel_at_the_same_time_and_each_of_them_in_order() -> None:
    """The server refuses whatever is out of order within a part."""
    server = TusServer()
    transport = Meeting(server, 3)
    outcome = upload(Tus("client-1").in_lanes(3), transport, 3, 1200)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 0), outcome.message
    assert transport.together == 12
    assert {part: transport.chunks.count(part) for part in server.parts} == dict.fromkeys(server.parts, 4)
    assert content(server, outcome) == b"".join(a_file(1200).views(0, 1200))


@pytest.mark.parametrize("part", [1, 2, 3])
def test_a_cut_in_one_part_sends_no_byte_of_the_others_again(part: int) -> None:
    server = TusServer()
    transport = Meeting(server, 3)
    transport.cut = {f"/files/u{part}"}
    outcome = upload(Tus("client-1").in_lanes(3), transport, 3, 1200)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 1), outcome.message
    assert len(transport.chunks) == 13
    assert content(server, outcome) == b"".join(a_file(1200).views(0, 1200))


def test_where_parts_can_not_be_joined_one_lane_has_them_all() -> None:
    server = TusServer("creation")
    transport = Meeting(server, 2)
    outcome = upload(Tus("client-1").in_lanes(2), transport, 2)
    assert (outcome.end, transport.together, len(transport.chunks)) == (End.FINISHED, 0, 10), outcome.message
    assert content(server, outcome) == b"".join(a_file(1000).views(0, 1000))
