"""What was seen, classified: tables of it."""

from __future__ import annotations

import pytest

from tests.probing.findings import EARLY, LATE, LOST, MIDWAY, PUT, aftermath, findings
from upswarm.probing.aftermath import Aftermath, Check, Kept, kept_of
from upswarm.probing.buffering import Buffering, Midway, Refusal, Verdict
from upswarm.probing.cuts import PLAN, Ending, Point
from upswarm.probing.findings import Findings, Keeping
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.ranges import Ranges

CUT = Chunk(1, 100, 100)


@pytest.mark.parametrize(
    ("acknowledged", "held", "kept"),
    [
        ([(0, 100)], [(0, 150)], Kept.BYTES),
        ([(0, 100)], [(0, 101)], Kept.BYTES),
        ([(0, 100)], [(0, 160)], Kept.BYTES),
        ([(0, 100)], [(0, 100)], Kept.CHUNKS),
        ([(0, 100)], [(0, 99)], Kept.LESS),
        ([(0, 100)], [], Kept.LESS),
        ([(0, 100)], [(50, 160)], Kept.LESS),
        ([(0, 100)], [(0, 161)], Kept.MORE),
        ([(0, 100)], [(0, 200)], Kept.MORE),
        ([], [], Kept.CHUNKS),
        ([(0, 100), (200, 250)], [(0, 100), (200, 250)], Kept.CHUNKS),
        ([(0, 100), (200, 250)], [(0, 100)], Kept.LESS),
    ],
)
def test_what_is_held_is_compared_with_what_was_acknowledged_and_sent(
    acknowledged: list[tuple[int, int]], held: list[tuple[int, int]], kept: Kept
) -> None:
    assert kept_of(Ranges.of(acknowledged), CUT, 60, Ranges.of(held)) is kept


@pytest.mark.parametrize(
    ("kept", "keeping"),
    [
        ([Kept.BYTES, Kept.BYTES], Keeping.ALL_BYTES),
        ([Kept.BYTES, Kept.CHUNKS], Keeping.SOME_BYTES),
        ([Kept.CHUNKS, Kept.CHUNKS], Keeping.CHUNKS),
        ([Kept.CHUNKS, None], Keeping.CHUNKS),
        ([Kept.BYTES, Kept.LESS], Keeping.LESS),
        ([Kept.LESS, Kept.MORE], Keeping.MORE),
        ([None, None], Keeping.UNTOLD),
        ([], Keeping.UNTOLD),
    ],
)
def test_of_all_cuts_the_worst_counts(kept: list[Kept | None], keeping: Keeping) -> None:
    assert findings(*map(aftermath, kept)).keeping is keeping


@pytest.mark.parametrize(
    ("found", "exit_code"),
    [
        (findings(aftermath()), 0),
        (findings(LOST), 0),
        (findings(aftermath(check=Check.UNREAD)), 0),
        (findings(aftermath(), aftermath(None, 0)), 0),
        (findings(aftermath(None), protocol=PUT), 0),
        (findings(aftermath(), aftermath(finished=None)), 0),
        (findings(aftermath(), aftermath(Kept.LESS, 0)), 3),
        (findings(aftermath(), aftermath(Kept.MORE)), 3),
        (findings(aftermath(), aftermath(finished=False)), 3),
        (findings(aftermath(None, 0, finished=False)), 3),
        (findings(aftermath(), aftermath(check=Check.WRONG)), 3),
        (findings(aftermath(), uncut=Check.WRONG), 3),
        (findings(aftermath(None, 0)), 2),
        (findings(aftermath(finished=None)), 2),
        (findings(), 2),
    ],
)
def test_only_uploads_that_go_on_without_a_loss_pass(found: Findings, exit_code: int) -> None:
    assert found.exit_code == exit_code


SILENT = Refusal(note="no answer came")
HIDDEN = Midway(note="chunked does not show parts of a chunk")


@pytest.mark.parametrize(
    ("buffering", "verdict"),
    [
        (Buffering(EARLY, MIDWAY, 2, 2), Verdict.NOTHING_BUFFERS),
        (Buffering(EARLY, HIDDEN, 0, 2), Verdict.NOTHING_BUFFERS),
        (Buffering(LATE, MIDWAY, 0, 2), Verdict.NOTHING_BUFFERS),
        (Buffering(LATE, Midway(0, 500), 1, 2), Verdict.NOTHING_BUFFERS),
        (Buffering(LATE, Midway(0, 500), 0, 2), Verdict.SOMETHING_BUFFERS),
        (Buffering(LATE, HIDDEN, 0, 0), Verdict.SOMETHING_BUFFERS),
        (Buffering(SILENT, Midway(0, 500), 0, 2), Verdict.UNTOLD),
        (Buffering(SILENT, HIDDEN, 0, 2), Verdict.UNTOLD),
    ],
)
def test_bytes_that_got_through_prove_more_than_silence(buffering: Buffering, verdict: Verdict) -> None:
    assert buffering.verdict is verdict


def test_the_plan_has_every_place_with_both_endings_and_every_pause() -> None:
    assert {(cut.point, cut.ending) for cut in PLAN} == {(point, ending) for point in Point for ending in Ending}
    assert {(cut.ending, cut.pause_s) for cut in PLAN} >= {
        (ending, pause) for ending in Ending for pause in (0, 0.5, 2)
    }
    assert sum(cut.pause_s for cut in PLAN) < 10


@pytest.mark.parametrize("length", [1, 2, 3, 4000, 1 << 20])
@pytest.mark.parametrize("point", Point)
def test_a_cut_body_always_lacks_a_byte_at_least(point: Point, length: int) -> None:
    assert 0 <= point.sent_bytes(length) < length


def test_what_a_cut_cost_is_never_less_than_nothing() -> None:
    assert [aftermath(held_bytes=held).lost_bytes for held in (0, 400, 1000, 1200)] == [1000, 600, 0, 0]
    assert Aftermath(PLAN[0], 0).lost_bytes == 0
