"""Servers of all manners are told apart by what they do, over real sockets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.probing.lab import ALL, CHUNK_BYTES, NONE, ONE, PAUSE_S, probed, target
from tests.probing.tus_http import Manners, UnreadableTus, tus_http
from upswarm.errors import TargetError
from upswarm.probing import listening
from upswarm.probing.aftermath import Check, Kept
from upswarm.probing.cuts import Ending, Point
from upswarm.probing.findings import Findings, Keeping
from upswarm.probing.probe import Probe
from upswarm.transfer.clock import SystemClock


def test_a_server_that_keeps_what_comes_keeps_every_byte_after_every_cut() -> None:
    with tus_http() as (url, _):
        findings = probed(url)
    assert [(each.cut.point, each.cut.ending) for each in findings.aftermaths] == [
        (point, ending) for point in Point for ending in Ending
    ]
    assert [each.sent_bytes for each in findings.aftermaths] == [1000] * 2 + [100_000] * 2 + [199_999] * 2
    assert [each.held_bytes for each in findings.aftermaths] == [each.sent_bytes for each in findings.aftermaths]
    assert {(each.kept, each.finished, each.resumes, each.check) for each in findings.aftermaths} == {
        (Kept.BYTES, True, 1, Check.RIGHT)
    }
    assert (findings.keeping, findings.exit_code) == (Keeping.ALL_BYTES, 0)


def test_what_is_cut_is_the_second_chunk_of_two_and_a_half() -> None:
    with tus_http() as (url, uploads):
        findings = probed(url, ONE)
    assert (findings.grid.size_bytes, findings.grid.chunk_size_bytes) == (CHUNK_BYTES * 5 // 2, CHUNK_BYTES)
    assert set(map(len, uploads.held.values())) == {0, CHUNK_BYTES // 2, CHUNK_BYTES * 5 // 2}


def test_a_server_that_drops_a_cut_chunk_is_said_so_and_that_is_no_failure() -> None:
    with tus_http(Manners("drop")) as (url, _):
        findings = probed(url)
    assert {(each.kept, each.held_bytes, each.check) for each in findings.aftermaths} == {(Kept.CHUNKS, 0, Check.RIGHT)}
    assert (findings.keeping, findings.exit_code) == (Keeping.CHUNKS, 0)


def test_a_server_that_loses_what_was_reset_is_told_apart_by_the_ending() -> None:
    with tus_http(Manners("keep_ended")) as (url, _):
        findings = probed(url, [cut for cut in ALL if cut.point is Point.HALF])
    kept = {each.cut.ending: each.kept for each in findings.aftermaths}
    assert kept == {Ending.FIN: Kept.BYTES, Ending.RST: Kept.CHUNKS}
    assert (findings.keeping, findings.exit_code) == (Keeping.SOME_BYTES, 0)


def test_a_server_that_drops_acknowledged_chunks_too_fails_though_the_file_comes_out_right() -> None:
    with tus_http(Manners("drop_all")) as (url, _):
        findings = probed(url, ONE)
    (aftermath,) = findings.aftermaths
    assert (aftermath.kept, aftermath.finished, aftermath.check) == (Kept.LESS, True, Check.RIGHT)
    assert (findings.keeping, findings.exit_code) == (Keeping.LESS, 3)


def test_a_server_that_forgets_a_cut_upload_fails_and_nothing_is_left_to_finish() -> None:
    with tus_http(Manners("forget")) as (url, _):
        findings = probed(url, ONE)
    (aftermath,) = findings.aftermaths
    assert (aftermath.kept, aftermath.finished) == (Kept.LESS, False)
    assert aftermath.notes == ("asked what it holds: 404 expected status 200 or 204",)
    assert findings.exit_code == 3


def test_a_server_that_claims_bytes_it_was_never_sent_fails_and_its_file_is_wrong() -> None:
    with tus_http(Manners("claim")) as (url, _):
        findings = probed(url, ONE)
    (aftermath,) = findings.aftermaths
    assert (aftermath.kept, aftermath.check) == (Kept.MORE, Check.WRONG)
    assert (findings.keeping, findings.exit_code) == (Keeping.MORE, 3)


def test_a_server_that_counts_late_is_asked_again_and_the_file_is_right() -> None:
    """Asked early it says that nothing of the chunk is there, and then refuses what is sent to that place."""
    with tus_http(Manners("late")) as (url, _):
        (aftermath,) = probed(url, ONE).aftermaths
    assert (aftermath.kept, aftermath.held_bytes, aftermath.resumes) == (Kept.CHUNKS, 0, 2)
    assert (aftermath.finished, aftermath.check) == (True, Check.RIGHT)
    assert aftermath.notes == ("going on: 409 expected status 204",)


def test_a_finished_file_that_is_not_what_was_sent_fails() -> None:
    with tus_http(Manners(damages=True)) as (url, _):
        findings = probed(url, ONE)
    assert (findings.uncut, findings.aftermaths[0].check) == (Check.WRONG, Check.WRONG)
    size_bytes = CHUNK_BYTES * 5 // 2
    found = f"the bytes from 0 to {size_bytes} are not those that were sent, from byte {size_bytes - 1} on"
    assert findings.aftermaths[0].notes == (found,)
    assert (findings.keeping, findings.exit_code) == (Keeping.ALL_BYTES, 3)


def test_what_can_not_be_read_back_is_not_called_right() -> None:
    with tus_http(Manners(damages=True)) as (url, _):
        findings = probed(url, ONE, UnreadableTus("client-1"))
    assert (findings.aftermaths[0].finished, findings.aftermaths[0].check) == (True, Check.UNREAD)
    assert findings.exit_code == 0


def test_with_a_digest_in_its_head_a_cut_chunk_is_still_that_chunk() -> None:
    with tus_http(Manners("drop")) as (url, uploads):
        findings = probed(url, ONE, digest="sha-256")
        assert sum(each.startswith("sha256 ") for each in uploads.checksums) > 3
    assert (findings.aftermaths[0].kept, findings.aftermaths[0].check) == (Kept.CHUNKS, Check.RIGHT)
    assert findings.digest == "sha-256"


def test_whatever_is_left_on_the_server_is_aborted() -> None:
    with tus_http(Manners("drop_all")) as (url, uploads):
        probed(url, ONE)
        assert len(uploads.held) > 3
        assert uploads.sizes == {}


def test_a_server_that_takes_no_uploads_is_no_target() -> None:
    with tus_http(Manners(takes_none=True)) as (url, _), pytest.raises(TargetError, match=r"failed at .*: 403"):
        probed(url)


class Leaping(SystemClock):
    """A clock on which an hour goes by in the first wait of a kind."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._leapt_s = 0.0

    def now(self) -> float:
        return super().now() + self._leapt_s

    def sleep(self, seconds: float) -> None:
        if seconds == self._wait_s:
            self._leapt_s = 3600.0
        super().sleep(seconds)


def hurried(url: str, wait_s: float) -> Findings:
    return Probe(replace(target(url), clock=Leaping(wait_s)), "test", plan=ALL, silence_s=0.1).run()


def test_when_the_time_is_up_before_any_cut_one_is_made_and_the_others_are_counted() -> None:
    with tus_http() as (url, _):
        findings = hurried(url, listening.AGAIN_S)
    assert findings.buffering.midway.note == "asked in the middle of a chunk: the time of the probe was up"
    assert [(each.kept, each.finished) for each in findings.aftermaths] == [(Kept.BYTES, True)]
    assert (findings.left_out, findings.exit_code) == (5, 0)


def test_a_cut_whose_story_takes_too_long_is_left_without_an_end() -> None:
    with tus_http() as (url, uploads):
        findings = hurried(url, PAUSE_S)
        assert uploads.sizes == {}
    assert [(each.kept, each.finished) for each in findings.aftermaths] == [(None, None)]
    assert (findings.left_out, findings.exit_code) == (5, 2)


def test_no_two_files_have_equal_bytes() -> None:
    with tus_http() as (url, uploads):
        probed(url, NONE)
        probed(url, ONE)
    whole = [data for data in uploads.held.values() if len(data) == CHUNK_BYTES * 5 // 2]
    assert len(whole) == 3
    assert whole[1] != whole[2]
