"""Workers that come and go while a run is on: every file is still uploaded once, and the report says who was there."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journey.cluster import Cluster, one_cluster
from tests.journey.runs import UNDER_WAY, await_line, end_of
from upswarm.results.marks import MarkKind

PEOPLE = "users: {stages: [{to: 6, over: 0s}, {hold: 8s}], think_time: 20ms}"
ARRIVALS = "arrivals: {stages: [{rate: 30/s, hold: 11s}], max_in_flight: 60}"
COUNTED = "iterations: {count: 14, users: 8}"
NO_SHAPE = """\
from upswarm.swarm.session import connect
from upswarm.swarm.users import UploadUser

__all__ = ["UploadUser"]
connect()
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with one_cluster(tmp_path) as cluster:
        yield cluster


def test_a_worker_that_joins_takes_a_part_of_the_load(cluster: Cluster) -> None:
    cluster.newcomer()
    master, _ = cluster.master(PEOPLE, workers=1), cluster.worker()
    await_line(master.stdout, UNDER_WAY)
    cluster.join()
    assert end_of(master).code == 0
    run, numbers = cluster.run(), cluster.numbers()
    assert len(set(numbers)) == len(numbers) == run.measurements.uploads.finished, "no file twice"
    assert run.measurements.uploads.stopped == 0, "nobody was cut off for the newcomer"
    (note,) = run.notes
    assert " joined: from then on 2 workers shared the load" in note
    assert all(worker.finished > 0 for worker in run.workers), "the newcomer too"
    assert max(run.measurements.seconds) <= run.elapsed_s, "seconds count from the run's start, not the worker's"


def test_users_go_to_a_worker_that_joins_also_where_no_shape_of_ours_leads_them(cluster: Cluster) -> None:
    cluster.workshop.locustfile = cluster.workshop.folder / "own.py"
    cluster.workshop.locustfile.write_text(NO_SHAPE)
    cluster.newcomer()
    master, _ = cluster.master(PEOPLE, "-u", "6", "-r", "6", "-t", "9s", workers=1), cluster.worker()
    await_line(master.stdout, UNDER_WAY)
    cluster.join()
    assert end_of(master).code == 0
    assert all(worker.finished > 0 for worker in cluster.run().workers)


def test_arrivals_come_once_each_whoever_comes_and_goes(cluster: Cluster) -> None:
    """Two leave at once, so each is handed slots of the other's, and the master stands still so long that it knows of
    neither; it loses nobody for that.
    """
    cluster.newcomer()
    master, leavers = cluster.master(ARRIVALS, workers=3, losses=2), [cluster.worker(), cluster.worker()]
    cluster.worker()
    await_line(master.stdout, UNDER_WAY)
    cluster.join()
    os.kill(master.pid, signal.SIGSTOP)
    for leaver in leavers:
        os.kill(leaver.pid, signal.SIGTERM)
    time.sleep(5.5)  # longer than a worker may be silent
    os.kill(master.pid, signal.SIGCONT)
    assert end_of(master).code == 0
    run, numbers = cluster.run(), cluster.numbers()
    arrivals = run.measurements.arrivals
    assert arrivals.begun + arrivals.dropped == 330
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= arrivals.begun - run.measurements.uploads.stopped
    assert [worker.lost for worker in run.workers] == [False] * 4
    assert all(worker.finished > 0 for worker in run.workers), "the newcomer and those that left, too"
    assert sum(" left before the end: " in note for note in run.notes) == 2
    assert any(" joined: " in note for note in run.notes)
    assert any(" the master had stood still for " in note for note in run.notes)
    marked = {mark.sentence.partition(" ")[2].partition(" ")[2] for mark in run.marks if mark.kind is MarkKind.WORKER}
    assert marked == {"joined", "left before the end"}


def test_uploads_that_are_counted_are_all_made_though_a_worker_is_killed(cluster: Cluster) -> None:
    """Also those that were under way when it reported last: one takes longer than it is from report to report."""
    master, victim = cluster.master(COUNTED, workers=2, losses=1, bandwidth="16KiB/s"), cluster.worker()
    cluster.worker()
    await_line(master.stdout, r"^00:0[2-9]  ")
    os.killpg(victim.pid, signal.SIGKILL)
    assert end_of(master).code == 0
    assert set(cluster.numbers()) == set(range(14))
    run = cluster.run()
    assert sorted(worker.lost for worker in run.workers) == [False, True]
    assert any(" was lost: from then on one worker had the whole load" in note for note in run.notes)


def test_a_worker_that_falls_silent_is_lost_and_leaves_when_it_wakes_up(cluster: Cluster) -> None:
    load = "arrivals: {stages: [{rate: 30/s, hold: 11s}], max_in_flight: 600}"
    master, sleeper = cluster.master(load, workers=2), cluster.worker()
    cluster.worker()
    await_line(master.stdout, UNDER_WAY)
    os.kill(sleeper.pid, signal.SIGSTOP)
    await_line(master.stdout, r"^00:(09|1\d)/")
    os.kill(sleeper.pid, signal.SIGCONT)
    ended = end_of(master)
    assert (ended.code, end_of(sleeper).code) == (5, 0)
    run, numbers = cluster.run(), cluster.numbers()
    told = r"worker \S+ (was lost before |was silent for so long .*; it stood still for up to [4-9]\.\d s)"
    assert re.match(told, run.generator_faults[0])
    assert len(numbers) > 200, "the other one took over"
    assert numbers == sorted(set(numbers)), "what was due while it slept is not begun here too"
