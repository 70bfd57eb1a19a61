"""Workers that come and go while a run is on: every file is still uploaded once, and the report says who was there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import msgpack
import pytest
import zmq

from tests.journey.runs import LOCUSTFILE, UNDER_WAY, Ended, Workshop, await_line, end_of, family, files_on, free_port
from tests.servers import RunningServer, running_server
from upswarm.results.marks import MarkKind
from upswarm.results.run_file import Run
from upswarm.swarm.workers.handover import ANSWER, OFFER
from upswarm.swarm.workers.wire import GIVEN, HELLO, LAST_REPORT, TROUBLE, USED_UP

LOAD = """\
target: {target}
files: [64KiB]
transfer: {{bandwidth: 128KiB/s}}
workload: {{allowed_lost_workers: {losses}, {load}}}
"""
PEOPLE = "users: {stages: [{to: 6, over: 0s}, {hold: 8s}], think_time: 20ms}"
ARRIVALS = "arrivals: {stages: [{rate: 30/s, hold: 8s}], max_in_flight: 60}"
COUNTED = "iterations: {count: 120, users: 8}"
NO_SHAPE = """\
from upswarm.swarm.session import connect
from upswarm.swarm.users import UploadUser

__all__ = ["UploadUser"]
connect()
"""
OTHER_VERSION = "import upswarm; upswarm.__version__ = '9.9'; import locust.main; locust.main.main()"


@dataclass
class Cluster:
    """A master, and workers that are started when a test says so."""

    workshop: Workshop
    server: RunningServer
    port: str
    stack: ExitStack
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    def master(self, load: str, *arguments: str, workers: int, losses: int = 0) -> subprocess.Popen[str]:
        path = self.workshop.folder / "crew.yaml"
        path.write_text(LOAD.format(target=self.server.url, load=load, losses=losses))
        process = self.workshop.locust(
            "--master", "--headless", "--master-bind-host", "127.0.0.1", "--master-bind-port", self.port,
            "--expect-workers", str(workers), "--scenario", str(path), *arguments,
        )  # fmt: skip
        self.stack.enter_context(family(process))
        return process

    def worker(self) -> subprocess.Popen[str]:
        self.workers.append(self.workshop.locust("--worker", "--master-port", self.port))
        self.stack.enter_context(family(self.workers[-1]))
        return self.workers[-1]

    def run(self) -> Run:
        return self.workshop.run()

    def numbers(self) -> list[int]:
        """The numbers of the files that the server has, as often as it has them."""
        return sorted(int(str(file["filename"]).rpartition("-")[2]) for file in files_on(self.server.url))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running_server(tmp_path) as server, ExitStack() as stack:
        yield Cluster(Workshop(tmp_path), server, str(free_port()), stack)


def test_a_worker_that_joins_takes_a_part_of_the_load(cluster: Cluster) -> None:
    master, _ = cluster.master(PEOPLE, workers=1), cluster.worker()
    await_line(master.stdout, UNDER_WAY)
    cluster.worker()
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
    master, _ = cluster.master(PEOPLE, "-u", "6", "-r", "6", "-t", "9s", workers=1), cluster.worker()
    await_line(master.stdout, UNDER_WAY)
    cluster.worker()
    assert end_of(master).code == 0
    assert all(worker.finished > 0 for worker in cluster.run().workers)


def test_arrivals_come_once_each_whoever_comes_and_goes(cluster: Cluster) -> None:
    master, leaver = cluster.master(ARRIVALS, workers=2, losses=1), cluster.worker()
    cluster.worker()
    await_line(master.stdout, UNDER_WAY)
    cluster.worker()
    os.kill(leaver.pid, signal.SIGTERM)
    assert end_of(master).code == 0
    run, numbers = cluster.run(), cluster.numbers()
    arrivals = run.measurements.arrivals
    assert (arrivals.begun + arrivals.dropped, arrivals.dropped) == (240, 0)
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= 240 - run.measurements.uploads.stopped
    assert [worker.lost for worker in run.workers] == [False] * 3
    assert all(worker.finished > 0 for worker in run.workers), "the newcomer and the one that left, too"
    assert any(" left before the end: " in note for note in run.notes)
    assert any(" joined: " in note for note in run.notes)
    marked = {mark.sentence.partition(" ")[2].partition(" ")[2] for mark in run.marks if mark.kind is MarkKind.WORKER}
    assert marked == {"joined", "left before the end"}


def test_uploads_that_are_counted_are_all_made_though_a_worker_is_killed(cluster: Cluster) -> None:
    master, victim = cluster.master(COUNTED, workers=2, losses=1), cluster.worker()
    cluster.worker()
    await_line(master.stdout, r"^00:0[2-9]  ")
    os.killpg(victim.pid, signal.SIGKILL)
    assert end_of(master).code == 0
    assert set(cluster.numbers()) == set(range(120))
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
    assert re.search(r"worker \S+ (was lost|left) before ", run.generator_faults[0])
    assert len(numbers) > 200, "the other one took over"
    assert numbers == sorted(set(numbers)), "what was due while it slept is not begun here too"


def test_another_version_of_upswarm_is_refused_and_the_run_waits_for_the_right_one(cluster: Cluster) -> None:
    master = cluster.master("iterations: {count: 3}", workers=1)
    stranger = cluster.workshop.start(
        sys.executable, "-c", OTHER_VERSION, "-f", str(LOCUSTFILE), "--worker", "--master-port", cluster.port
    )
    with family(stranger):
        refused = end_of(stranger)
    cluster.worker()
    ended = end_of(master)
    assert refused.code == 2
    assert "this worker leaves its master: it refuses this worker: it runs upswarm 9.9, and the master " in refused.err
    assert (ended.code, "is refused: it runs upswarm 9.9, and the master " in ended.err) == (0, True)
    assert cluster.numbers() == [0, 1, 2]
    assert len(cluster.run().workers) == 1


def sealed_off(cluster: Cluster, *, master: str, worker: str) -> tuple[Ended, Ended]:
    """A master and a worker with these secrets; the master waits no longer than five seconds."""
    cluster.workshop.environ["UPSWARM_SECRET"] = master
    boss = cluster.master("iterations: {count: 3}", "--expect-workers-max-wait", "5", workers=1)
    cluster.workshop.environ["UPSWARM_SECRET"] = worker
    return end_of(cluster.worker()), end_of(boss)


def test_with_the_same_secret_everything_is_as_without(cluster: Cluster) -> None:
    worker, master = sealed_off(cluster, master="correct horse battery", worker="correct horse battery")
    assert (worker.code, master.code) == (0, 0)
    assert cluster.numbers() == [0, 1, 2]


KINDS = (
    "client_ready", "heartbeat", "stats", "exception", "spawning_complete", "client_stopped", "quit",
    HELLO, GIVEN, USED_UP, TROUBLE, LAST_REPORT, OFFER, ANSWER,
)  # fmt: skip
DATA: tuple[Any, ...] = (
    None, 5, b"x" * 50, {}, {"upswarm": ["9.9"], "asked_s": "x"}, {"run_id": "x", "_number": 1}, {"state": "running"},
)  # fmt: skip
RUBBISH = (b"", b"\xc1", b"\x91\x01", b"\xff\xff", b"\x81" * 5000, b"\xdd\xff\xff\xff\xff", b"x" * 10_000_000)


def test_nobody_without_the_secret_changes_anything(cluster: Cluster) -> None:
    cluster.workshop.environ["UPSWARM_SECRET"] = "correct horse battery"
    master, _ = cluster.master("iterations: {count: 40, users: 8}", workers=1), cluster.worker()
    worker_id = await_line(master.stderr, "reported as ready").partition("locust.runners: ")[2].split()[0]
    await_line(master.stdout, "uploading to")
    with zmq.Context() as context, context.socket(zmq.DEALER) as stranger:
        stranger.setsockopt(zmq.IDENTITY, b"stranger")
        stranger.connect(f"tcp://127.0.0.1:{cluster.port}")
        for said in product(KINDS, DATA, ("stranger", worker_id, "", None)):
            stranger.send(msgpack.packb(said))
        for rubbish in RUBBISH:
            stranger.send(rubbish)
        ended = end_of(master)
    run = cluster.run()
    assert (ended.code, run.generator_faults, run.notes) == (0, (), ())
    assert cluster.numbers() == list(range(40))
    assert (run.measurements.uploads.finished, [each.worker_id for each in run.workers]) == (40, [worker_id])
    assert "worker stranger is refused: it has no UPSWARM_SECRET" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("worker", "reason"),
    [
        ("", "it has no UPSWARM_SECRET, and the other side has one: set the same on master and workers"),
        (
            "another horse battery",
            "its UPSWARM_SECRET is not that of the other side: set the same on master and workers",
        ),
    ],
)
def test_without_it_a_worker_is_refused_and_nothing_is_uploaded(cluster: Cluster, worker: str, reason: str) -> None:
    refused, master = sealed_off(cluster, master="correct horse battery", worker=worker)
    assert (refused.code, reason in refused.err, reason in master.err) == (2, True, True)
    assert master.code in {2, 5}
    assert cluster.numbers() == []
    assert "correct horse" not in refused.err + master.err + master.out


def test_a_worker_that_lacks_a_plugin_ends_the_run_with_the_reason(cluster: Cluster) -> None:
    (cluster.workshop.folder / "lib").mkdir()
    (cluster.workshop.folder / "lib" / "mine.py").write_text("from upswarm.protocols.chunked import Chunked\n")
    cluster.workshop.environ["PYTHONPATH"] = str(cluster.workshop.folder / "lib")
    master = cluster.master("iterations: {count: 3}", "--protocol", "mine:Chunked", workers=1)
    cluster.workshop.environ.pop("PYTHONPATH")
    cluster.worker()
    assert end_of(master).code == 5
    fault, *_ = cluster.run().generator_faults
    assert " could not take part: " in fault
    assert "mine:Chunked" in fault


def test_a_secret_that_is_too_short_is_a_sentence(tmp_path: Path) -> None:
    ended = Workshop(tmp_path, UPSWARM_SECRET="short").upswarm("run", "smoke", "--processes", "1")
    assert (ended.code, ended.out) == (2, "")
    assert "UPSWARM_SECRET: expected at least 16 letters, found 5" in ended.err
