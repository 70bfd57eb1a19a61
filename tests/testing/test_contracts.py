"""A contract that nothing can break is no contract: each of these plugins breaks one claim, and is found out."""

import os
import time
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from tests.protocols.chunked_server import ChunkedServer
from upswarm.content.base import VIEW_BYTES
from upswarm.content.random import Random, RandomFile
from upswarm.protocols.chunked import Chunked
from upswarm.testing.content import ContentContract
from upswarm.testing.protocols import ProtocolContract
from upswarm.transfer.messages import Body, Phase, Request
from upswarm.transfer.ranges import NOTHING


class TooShort(RandomFile):
    def views(self, offset, length):
        return super().views(offset, max(0, length - 1))


class OneLongView(RandomFile):
    def views(self, offset, length):
        yield memoryview(b"".join(super().views(offset, length)))


class NewBytesEachTime(RandomFile):
    reads = count(1)

    def views(self, offset, length):
        yield from super().views(offset + next(self.reads), length)


class DigestOfSomethingElse(RandomFile):
    def digest(self, algorithm, offset, length):
        return super().digest(algorithm, offset, length + 1)


class OneCursorForAll(RandomFile):
    reading = None

    def views(self, offset, length):
        OneCursorForAll.reading, end = self, offset + length
        while offset < end:
            yield (view := next(RandomFile.views(OneCursorForAll.reading, offset, end - offset)))
            offset += len(view)


class LeftOpen(RandomFile):
    left = []  # noqa: RUF012

    def views(self, offset, length):
        self.left.append(open(os.devnull, "rb"))  # noqa: SIM115, PTH123
        return super().views(offset, length)


class LeftOnDisk(RandomFile):
    def close(self):
        Path(self.scratch, self.name).touch()


class LessThanNothing(RandomFile):
    allocated_bytes = -1


def claims(contract):
    return [name for name in dir(contract) if name.startswith("test_")]


def broken_claims(contract):
    broken = set()
    for name in claims(contract):
        try:
            getattr(contract, name)()
        except (AssertionError, StopIteration):
            broken.add(name)
    return broken


@pytest.mark.parametrize(
    ("broken", "claim"),
    [
        (TooShort, "test_a_file_knows_its_name_and_its_exact_size"),
        (OneLongView, "test_no_view_is_empty_or_longer_than_a_view_may_be"),
        (NewBytesEachTime, "test_a_range_can_be_read_again"),
        (DigestOfSomethingElse, "test_a_digest_is_that_of_the_bytes"),
        (OneCursorForAll, "test_files_that_are_read_in_turns_do_not_disturb_each_other"),
        (LeftOpen, "test_a_closed_file_leaves_nothing_open_and_nothing_on_disk"),
        (LeftOnDisk, "test_a_closed_file_leaves_nothing_open_and_nothing_on_disk"),
        (LessThanNothing, "test_a_file_says_what_it_takes_on_disk"),
    ],
)
def test_the_content_contract_finds_what_is_broken(broken, claim):
    class Content(Random):
        def __init__(self, scratch):
            self.scratch = scratch

        def open(self, name, size_bytes, seed):
            file = broken(name, size_bytes, seed)
            file.scratch = self.scratch
            return file

    contract = ContentContract()
    contract.content = Content
    assert claim in broken_claims(contract)
    while LeftOpen.left:
        LeftOpen.left.pop().close()


def test_the_content_contract_is_kept_by_what_is_whole():
    contract = ContentContract()
    contract.content = Random
    assert broken_claims(contract) == set()
    assert len(list(Random(Path()).open("a", VIEW_BYTES, 1).views(0, VIEW_BYTES))) == 2


class Sleeping(Chunked):
    def create(self, file, chunk_size_bytes):
        time.sleep(0)
        return (yield from super().create(file, chunk_size_bytes))


class Forgetful(Chunked):
    def send(self, session, chunk, file, digest):
        return replace((yield from super().send(session, chunk, file, digest)), held=NOTHING)


class Eager(Chunked):
    def create(self, file, chunk_size_bytes):
        session = yield from super().create(file, chunk_size_bytes)
        return replace(session, held=session.grid.ranges([(0, 0)]))


class Mislabelled(Chunked):
    def probe(self, session):
        flow = super().probe(session)
        response = yield replace(next(flow), phase=Phase.INIT)
        try:
            flow.send(response)
        except StopIteration as end:
            return end.value


class WrongBytes(Chunked):
    def send(self, session, chunk, file, digest):
        flow = super().send(session, chunk, file, digest)
        response = yield replace(next(flow), body=Body.of_bytes(bytes(chunk.length)))
        try:
            flow.send(response)
        except StopIteration as end:
            return end.value


class Stumbling(Chunked):
    def abort(self, session):
        response = yield Request(Phase.ABORT, "DELETE", "/x")
        assert response.json()["freed"]


@pytest.mark.parametrize(
    ("broken", "claim"),
    [
        (Sleeping, "test_a_step_is_a_generator_that_does_no_io"),
        (Forgetful, "test_a_chunk_that_was_sent_is_held"),
        (Eager, "test_a_new_upload_holds_nothing"),
        (Mislabelled, "test_every_request_says_what_it_is_for"),
        (WrongBytes, "test_chunk_requests_carry_exactly_the_bytes_of_the_file"),
        (Stumbling, "test_an_unusable_answer_is_a_fault_and_nothing_else"),
    ],
)
def test_the_protocol_contract_finds_what_is_broken(broken, claim):
    class Contract(ProtocolContract):
        def protocol(self):
            return broken("client-1")

        def server(self):
            return ChunkedServer()

    with pytest.raises(AssertionError):
        getattr(Contract(), claim)()
