"""The arithmetic of chunks, and the choice of their size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm_server.model import MISSING, RECEIVED, IllegalStep, Upload, UploadState, runs
from upswarm_server.problems import Problem
from upswarm_server.rules import choose_chunk_size
from upswarm_server.settings import Settings

MIB = 1 << 20


def an_upload(size_bytes: int, chunk_size_bytes: int) -> Upload:
    return Upload("id", "name", size_bytes, chunk_size_bytes, created_at_s=0.0, expires_at_s=10.0)


@given(st.integers(0, 10_000), st.integers(1, 500))
def test_chunks_cover_the_file_exactly_once(size_bytes: int, chunk_size_bytes: int) -> None:
    upload = an_upload(size_bytes, chunk_size_bytes)
    at = 0
    for index in range(upload.chunk_count):
        assert upload.offset_bytes(index) == at
        assert 1 <= upload.length_bytes(index) <= chunk_size_bytes
        at += upload.length_bytes(index)
    assert at == size_bytes


@given(st.integers(1, 10_000), st.integers(1, 500), st.randoms())
def test_received_bytes_are_those_of_the_marked_chunks(size_bytes: int, chunk_size_bytes: int, random) -> None:
    upload = an_upload(size_bytes, chunk_size_bytes)
    marks = bytes(random.choice((0, 1)) for _ in range(upload.chunk_count))
    marked = (upload.length_bytes(index) for index, mark in enumerate(marks) if mark)
    assert upload.received_bytes(marks) == sum(marked)


@given(st.binary(max_size=60).map(lambda data: bytes(byte & 1 for byte in data)))
def test_runs_of_missing_and_received_chunks_are_the_whole(marks: bytes) -> None:
    missing = [index for first, last in runs(marks, MISSING) for index in range(first, last + 1)]
    received = [index for first, last in runs(marks, RECEIVED) for index in range(first, last + 1)]
    assert sorted(missing + received) == list(range(len(marks)))
    assert all(marks[index] == 1 for index in received)


def test_an_upload_is_finalized_once() -> None:
    finalized, file = an_upload(10, 5).finalized(3.0, "host")
    assert finalized.state is UploadState.FINALIZED
    assert finalized.file_id == file.file_id
    with pytest.raises(IllegalStep):
        finalized.finalized(4.0, "host")


def test_only_an_open_upload_expires() -> None:
    upload = an_upload(10, 5)
    assert not upload.expired(9.9)
    assert upload.expired(10.0)
    finalized, _ = upload.finalized(3.0, "host")
    assert not finalized.expired(10.0)


@pytest.mark.parametrize(
    ("size_bytes", "expected_bytes"),
    [
        (0, 5 * MIB),
        (1, 5 * MIB),
        (2500 * MIB, 5 * MIB),
        (5000 * MIB, 10 * MIB),
        (10_000 * MIB, 20 * MIB),
        (1_000_000 * MIB, 20 * MIB),
    ],
)
def test_the_server_chooses_a_500th_within_its_bounds(size_bytes: int, expected_bytes: int) -> None:
    assert choose_chunk_size(size_bytes, None, Settings()) == expected_bytes


@pytest.mark.parametrize("proposed_bytes", [64 * 1024, 5 * MIB, 64 * MIB])
def test_a_proposal_within_the_limits_is_taken(proposed_bytes: int) -> None:
    assert choose_chunk_size(1000, proposed_bytes, Settings()) == proposed_bytes


@pytest.mark.parametrize("proposed_bytes", [0, 1, 64 * 1024 - 1, 64 * MIB + 1])
def test_a_proposal_outside_the_limits_is_rejected(proposed_bytes: int) -> None:
    with pytest.raises(Problem, match="chunk_size_rejected"):
        choose_chunk_size(1000, proposed_bytes, Settings())


def test_a_proposal_that_leads_to_too_many_chunks_is_rejected() -> None:
    settings = Settings(max_chunks=10, min_chunk_size_bytes=1)
    assert choose_chunk_size(1000, 100, settings) == 100
    with pytest.raises(Problem, match="expected 101 to"):
        choose_chunk_size(1001, 100, settings)
