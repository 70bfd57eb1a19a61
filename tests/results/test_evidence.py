"""Thresholds on parts of a run, and on another run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.results.samples import attempt, finished, measured
from upswarm.results.evidence import Evidence, WorkerPart
from upswarm.results.metrics import Summary
from upswarm.results.thresholds import NO_BASELINE, NO_DATA, Threshold, Verdict
from upswarm.transfer.failures import Failure


def chunks(*took_s: float, file_class: str = "", failed: int = 0) -> list:
    broken = [attempt(failure=Failure.TORN)] * failed
    return [(replace(each, file_class=file_class), 1) for each in [*(attempt(took_s=each) for each in took_s), *broken]]


WHOLE = measured([*chunks(0.1, 0.2, file_class="small"), *chunks(0.9, 1.0, file_class="large", failed=2)])
SEEN = Evidence(
    Summary(WHOLE, 10.0),
    classes=("small", "large"),
    workers=(
        WorkerPart("lab-1_a", "lab-1", measured(chunks(0.1, 0.1))),
        WorkerPart("lab-1_b", "lab-1", measured(chunks(0.5))),
        WorkerPart("lab-2_c", "lab-2", measured(chunks(1.0, failed=1))),
    ),
    end_s=10.0,
    baseline=Summary(measured([*chunks(0.5, 0.5, file_class="small"), (finished(2000), 1)]), 4.0),
)


def judged(text: str, seen: Evidence = SEEN) -> Verdict:
    return Threshold.parse(text).judge(seen)


@pytest.mark.parametrize(
    ("text", "holds", "observed", "part"),
    [
        ("chunk.response_time{class=small} max < 300ms", True, "200 ms (small)", "small"),
        ("chunk.response_time{class=each} max < 300ms", False, "1.00 s (large)", "large"),
        ("chunk.response_time{class=each} min > 50ms", True, "100 ms (small)", "small"),
        ("chunk.failed{class=each} count == 0", False, "2 (large)", "large"),
        ("chunk.response_time{worker=each} max < 1.1s", True, "1.00 s (lab-2_c)", "lab-2_c"),
        ("chunk.response_time{worker=each} max < 1s", False, "1.00 s (lab-2_c)", "lab-2_c"),
        ("chunk.attempts{worker=each} count >= 2", False, "1 (lab-1_b)", "lab-1_b"),
        ("chunk.response_time{worker=lab-1} max < 300ms", False, "500 ms (lab-1_b)", "lab-1_b"),
        ("chunk.response_time{worker=lab-1_a} max < 300ms", True, "100 ms (lab-1_a)", "lab-1_a"),
        ("chunk.response_time{worker=lab-9} max < 300ms", False, NO_DATA, ""),
        ("chunk.response_time p50 < baseline * 0.5", True, "200 ms (baseline 500 ms)", ""),
        ("chunk.response_time max < baseline + 100%", False, "1.00 s (baseline 500 ms)", ""),
        ("chunk.response_time max <= baseline + 501ms", True, "1.00 s (baseline 500 ms)", ""),
        ("chunk.response_time{class=small} max < baseline", True, "200 ms (small, baseline 500 ms)", "small"),
        ("chunk.response_time{class=large} max < baseline", False, f"{NO_BASELINE} (large)", "large"),
        ("chunk.response_time{worker=lab-1_b} max <= baseline", True, "500 ms (lab-1_b, baseline 500 ms)", "lab-1_b"),
        ("init.response_time max < baseline", False, NO_DATA, ""),
        ("goodput mean >= baseline", False, "0 B/s (baseline 500 B/s)", ""),
    ],
)
def test_verdicts(text: str, holds: bool, observed: str, part: str) -> None:
    verdict = judged(text)
    assert (verdict.holds, verdict.observed, verdict.part) == (holds, observed, part)
    assert verdict.has_data is (NO_DATA not in observed and NO_BASELINE not in observed)


def test_a_part_without_data_is_worse_than_one_that_holds_and_better_than_one_that_does_not() -> None:
    idle = replace(SEEN, workers=(*SEEN.workers, WorkerPart("idle", "lab-3", measured([]))))
    assert judged("chunk.response_time{worker=each} max < 2s", idle).observed == "no data (idle)"
    assert judged("chunk.response_time{worker=each} max < 700ms", idle).observed == "1.00 s (lab-2_c)"
    unseen = replace(SEEN, classes=("small", "large", "huge"))
    assert judged("chunk.response_time{class=each} max < 2s", unseen).observed == "no data (huge)"


def test_without_a_baseline_nothing_holds_that_needs_one() -> None:
    alone = replace(SEEN, baseline=None)
    assert judged("chunk.response_time max < baseline", alone).observed == NO_BASELINE


def test_the_whole_of_a_run_may_be_judged_by_itself() -> None:
    assert Threshold.parse("chunk.response_time{class=large} max < 2s").judge(Summary(WHOLE, 10.0)).holds
