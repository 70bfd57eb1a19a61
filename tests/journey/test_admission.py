"""Who may take part in a run: workers of the same version, with the same plugins and secret, and nobody else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import msgpack
import pytest
import zmq

from tests.journey.cluster import Cluster, one_cluster
from tests.journey.runs import LOCUSTFILE, Ended, Workshop, await_line, end_of, family
from upswarm.swarm.workers.handover import ANSWER, OFFER
from upswarm.swarm.workers.wire import GIVEN, HELLO, LAST_REPORT, TROUBLE, USED_UP

OTHER_VERSION = "import upswarm; upswarm.__version__ = '9.9'; import locust.main; locust.main.main()"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with one_cluster(tmp_path) as cluster:
        yield cluster


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
