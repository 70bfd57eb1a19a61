"""Runs of known series, to be judged: a time, a size and an end for each upload."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.results.samples import attempt, finished
from upswarm.results.measurements import Measurements
from upswarm.results.run_file import Machine, Run
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase


def series(level_s: Callable[[float], float], length_s: float = 10.0, per_s: int = 40) -> Measurements:
    """So many chunks a second, each of which takes as long as `level_s` says for the moment of its end."""
    measurements = Measurements()
    for number in range(int(length_s * per_s)):
        at_s = number / per_s
        measurements.record_attempt(attempt(Phase.CHUNK, level_s(at_s), sent_bytes=1000), at_s)
        measurements.record_outcome(finished(1000, level_s(at_s)), at_s)
    return measurements


def with_failures(measurements: Measurements, moments_s: Iterable[float]) -> Measurements:
    """A chunk that failed at each of these moments."""
    for at_s in moments_s:
        measurements.record_attempt(attempt(Phase.CHUNK, 0.01, failure=Failure.RESET), at_s)
    return measurements


def run_of(measurements: Measurements, faults: tuple[str, ...] = ()) -> Run:
    """A run that has measured this."""
    return Run(
        run_id="20250314-092653-cap", scenario={"name": "cap"}, target="http://127.0.0.1:8000",
        started_at="2025-03-14T09:26:53+00:00", elapsed_s=10.2, planned_s=10.0, peak_users=4,
        measurements=measurements, verdicts=(), workers=(),
        machine=Machine("host", "Linux", 2, "3.11", "0.1.0", "2.47"), generator_faults=faults,
    )  # fmt: skip
