"""The last seconds of a run, however late that is."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.results.samples import attempt, finished, record
from upswarm.results.intervals import FINEST_S, Intervals
from upswarm.results.metrics import METRICS
from upswarm.results.recent import Recent, Recents

QUARTER_S = 0.25
moments_s = st.integers(0, 4 * 600).map(lambda quarters: quarters * QUARTER_S + 0.1)


def report(*ends_s: float) -> Intervals:
    intervals = Intervals()
    for at_s in ends_s:
        record(intervals, attempt(took_s=0.2, sent_bytes=1000), at_s)
    return intervals


@given(st.lists(moments_s, max_size=30), st.integers(4, 160), st.integers(0, 200), st.integers(0, 100), st.randoms())
def test_a_window_holds_what_ended_in_it(
    ends_s: list[float], quarters: int, more: int, not_before: int, dice: Any
) -> None:
    window_s, end_s = quarters * QUARTER_S, (int(max(ends_s, default=0.0) / QUARTER_S) + 1) * QUARTER_S
    end_s = max(QUARTER_S, end_s - min(more, 40) * QUARTER_S)
    recent = Recent(window_s)
    for at_s in sorted(ends_s, key=lambda at_s: at_s + dice.uniform(0, 15)):  # some workers' reports come later
        recent.add(report(at_s))
    from_s = max(end_s - window_s, not_before * QUARTER_S)
    last = recent.last(window_s, end_s, not_before_s=not_before * QUARTER_S)
    assert last.measurements.attempts == sum(from_s <= at_s < end_s for at_s in ends_s)
    assert last.elapsed_s == max(0.0, end_s - max(from_s, 0.0))


def test_a_window_is_as_fine_after_hours_and_no_more_is_kept_than_it_needs() -> None:
    recent, hour_s = Recent(30.0), 3600.0
    for second in range(0, 5 * 3600, 3):
        recent.add(report(second + 0.1, second + 1.1, second + 2.1))
    assert recent.width_s == FINEST_S
    assert len(recent) <= 61
    last = recent.last(30.0, 5 * hour_s)
    assert last.measurements.attempts == 30
    assert METRICS["sent"].read(last, "mean") == 1000


def test_a_long_window_is_known_to_its_256th_part() -> None:
    recent = Recent(600.0)
    assert recent.width_s == 4
    for second in range(0, 1200):
        recent.add(report(second + 0.5))
    last = recent.last(600.0, 1200.0)
    assert (last.measurements.attempts, last.elapsed_s) == (600, 600)


def test_classes_and_workers_have_windows_of_their_own() -> None:
    recents, large = Recents(10.0, workers=True), Intervals()
    record(large, finished(7), 1.0)
    recents.add("a", report(1.0, 2.0), {"large": large})
    recents.add("b", report(1.0), {})

    def attempts(**of: str) -> int:
        return recents.of(**of).last(10.0, 3.0).measurements.attempts

    assert (attempts(), attempts(worker_id="a"), attempts(worker_id="b"), attempts(worker_id="c")) == (3, 2, 1, 0)
    assert recents.of(class_name="large").last(10.0, 3.0).measurements.uploads.finished_bytes == 7


def test_a_window_ends_with_the_interval_that_its_end_lies_in() -> None:
    recent = Recent(10.0)
    recent.add(report(9.9, 10.1, 10.3))
    assert recent.last(1.0, 10.25).measurements.attempts == 2
    within = recent.last(1.0, 10.2)
    assert (within.measurements.attempts, within.elapsed_s) == (2, 10.2 - 9.25)


def test_a_window_begins_at_an_edge_that_is_one_but_for_the_rounding_of_floats() -> None:
    recent, end_s = Recent(10.0), 2.3000000000000003  # less 1.3 s that is 1.0000000000000002
    recent.add(report(0.9, 1.1, 2.1))
    assert recent.last(1.3, end_s).measurements.attempts == 2


def test_what_a_late_report_has_is_kept_for_half_a_minute_more_than_the_window() -> None:
    recent = Recent(10.0)
    recent.add(report(100.1))
    recent.add(report(60.1, 59.9))
    assert len(recent) == 2
