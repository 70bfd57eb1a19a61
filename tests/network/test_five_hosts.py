"""Five hosts with a network between them: a server, a master, three workers; one of these has a slow and lossy line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journey.runs import UNDER_WAY, assert_same_numbers, await_line, end_of, family
from tests.network.five import Five, five_hosts
from tests.network.hosts import missing, missing_clocks
from upswarm.results.run_file import Run

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "nothing is missing")

PEOPLE = """\
files: [{size: {uniform: [0B, 2MiB]}, content: random}]
workload: {users: {stages: [{to: 6, over: 1s}, {hold: 3s}], think_time: 50ms}}
thresholds: [upload.failed count == 0, upload.finished count >= 10]
"""
STRANGERS = """\
files: [{size: 512KiB, content: random}]
workload: {arrivals: {stages: [{rate: 20/s, hold: 4s}], max_in_flight: 9, max_wait: 300ms}}
thresholds: [upload.failed count == 0]
"""
LONG = """\
files: [{size: 64KiB, content: random}]
workload: {allowed_lost_workers: 1, arrivals: {stages: [{rate: 20/s, hold: 13s}], max_in_flight: 60}}
thresholds: [upload.finished count >= 150]
"""
RATE, ARRIVALS = 20, 80
AWAY_S = 7.0


@pytest.fixture
def five(tmp_path: Path) -> Iterator[Five]:
    with five_hosts(tmp_path) as hosts:
        yield hosts


def test_a_worker_behind_a_bad_line_counts_as_exactly_as_its_neighbours(five: Five) -> None:
    run, ended = five.run(PEOPLE)
    assert [each.code for each in ended] == [0, 0, 0, 0], ended[0].err
    assert_same_numbers(run, five.requests(), five.files())
    workers = {worker.host: worker for worker in run.workers}
    assert {host: worker.lost for host, worker in workers.items()} == {"near-1": False, "near-2": False, "far": False}
    assert sum(worker.finished_bytes for worker in run.workers) == run.measurements.uploads.finished_bytes
    assert 0 < workers["far"].finished < workers["near-1"].finished / 2, "its own numbers, not a share of the sum"
    assert max(run.measurements.seconds) <= run.elapsed_s


def test_every_arrival_is_begun_or_dropped_once_and_late_ones_are_counted(five: Five) -> None:
    run, ended = five.run(STRANGERS)
    assert [each.code for each in ended] == [0, 0, 0, 0], ended[0].err
    assert_same_numbers(run, five.requests(), five.files())
    arrivals = run.measurements.arrivals
    assert arrivals.begun + arrivals.dropped == ARRIVALS
    assert arrivals.begun == len(five.files())
    assert 0 < arrivals.late <= arrivals.begun, "the far worker has fewer slots than it would need"


def test_a_worker_whose_line_goes_down_is_missed_and_named(five: Five) -> None:
    run, code = _run_unplugged(five, PEOPLE)
    assert code == 5
    assert any("far_" in fault for fault in run.generator_faults), run.generator_faults
    assert {worker.host: worker.lost for worker in run.workers} == {"near-1": False, "near-2": False, "far": True}


def test_a_worker_whose_line_comes_back_uploads_nothing_that_others_have_taken_over(five: Five) -> None:
    """The scenario allows the loss: so it is a note, and the thresholds judge."""
    run, code = _run_unplugged(five, LONG, away_s=AWAY_S)
    assert (code, run.generator_faults) == (0, ())
    assert any("far_" in note for note in run.notes), run.notes
    names = [file["filename"] for file in five.files()]
    assert len(names) == len(set(names))


@pytest.mark.skipif(bool(missing_clocks()), reason=missing_clocks() or "nothing is missing")
def test_clocks_that_are_an_hour_wrong_bend_no_series(five: Five) -> None:
    five.workers[0].set_clock(ahead_s=3600)
    five.workers[1].set_wall_clock(ahead_s=-3600)
    run, ended = five.run(STRANGERS)
    assert [each.code for each in ended] == [0, 0, 0, 0], ended[0].err
    seconds = run.measurements.seconds
    assert max(seconds) <= run.elapsed_s
    assert sum(at.attempts for at in seconds.values()) == run.measurements.attempts
    assert min(seconds[at].finished for at in range(1, 4)) >= RATE / 4, "every worker's uploads are where they belong"


def _run_unplugged(five: Five, scenario: str, away_s: float | None = None) -> tuple[Run, int]:
    """A run in which the far worker's line goes down, and comes back after a while, or never."""
    master = five.start_master(scenario)
    with family(master, *five.start_workers()):
        await_line(master.stdout, UNDER_WAY)
        five.network.unplug(five.workers[2])
        if away_s is not None:
            time.sleep(away_s)
            five.network.plug_in(five.workers[2])
        ended = end_of(master)
    return five.report(), ended.code
