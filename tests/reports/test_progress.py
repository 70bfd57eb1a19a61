"""The live line: what is going on, in one line that fits."""

from __future__ import annotations

import pytest

from tests.reports import runs
from upswarm.reports.progress import Volumes, progress_line
from upswarm.results.measurements import Measurements
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase
from upswarm.transfer.records import Attempt, End, Outcome


def measured(size_bytes: int, *, uploads: int = 1, failed: int = 0, retries: int = 0) -> Measurements:
    measurements = Measurements()
    for number in range(1, retries + 2):
        measurements.record_attempt(Attempt(Phase.CHUNK, number, 0, 0, 0.020, size_bytes, 204), 0)
    for _ in range(uploads):
        measurements.record_outcome(Outcome(End.FINISHED, "f", size_bytes, 0, 1), 0)
    for _ in range(failed):
        measurements.record_outcome(Outcome(End.FAILED, "f", size_bytes, 0, 1, failure=Failure.SERVER_ERROR), 0)
    return measurements


def line(whole: Measurements, interval: Measurements, *, elapsed_s: float = 7.2, users: int = 4) -> str:
    last = Volumes().plus(interval)
    return progress_line(whole, last, elapsed_s=elapsed_s, planned_s=14.0, interval_s=2.0, users=users)


def test_rates_are_of_the_interval_and_the_mean_of_the_whole_run() -> None:
    whole, interval = measured(64 * runs.MIB, uploads=9, retries=2), measured(8 * runs.MIB)
    assert line(whole, interval) == (
        "00:07/00:14  4 users  goodput 4.0 (mean 80.0) sent 4.0 MiB/s  9 uploads, 0 failed, 2 retries  "
        "chunk p95 20.0 ms"
    )


def test_one_unit_serves_all_rates() -> None:
    text = line(measured(2048), measured(2048))
    assert "goodput 1.0 (mean 0.3) sent 1.0 KiB/s" in text


def test_before_anything_happened_there_are_zeros_and_a_dash() -> None:
    text = progress_line(Measurements(), Volumes(), elapsed_s=0, planned_s=14, interval_s=0, users=0)
    assert text == (
        "00:00/00:14  0 users  goodput 0.0 (mean 0.0) sent 0.0 B/s  0 uploads, 0 failed, 0 retries  chunk p95 –"
    )


@pytest.mark.parametrize(
    ("elapsed_s", "clock"),
    [(0.9, "00:00"), (59.99, "00:59"), (3599, "59:59"), (3600, "1:00:00"), (360_000, "100:00:00")],
)
def test_the_clock_counts_whole_seconds(elapsed_s: float, clock: str) -> None:
    assert line(measured(1), measured(1), elapsed_s=elapsed_s).startswith(f"{clock}/00:14")


def test_a_line_that_would_be_too_wide_leaves_out_the_mean() -> None:
    whole = measured(10**9, uploads=12_345, failed=6_789, retries=1_234)
    text = line(whole, measured(10**9), elapsed_s=36_000, users=10_000)
    assert "mean" not in text
    assert text.endswith("chunk p95 20.0 ms")
    assert len(text) <= 120
