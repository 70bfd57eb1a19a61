"""A real search against a server whose capacity is known by how it is made."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.journey.queueing import queueing_server
from tests.journey.runs import PATIENCE_S, Workshop, end_of, family, free_port
from tests.servers import wait_for
from upswarm.results.capacity import Capacity
from upswarm.results.run_file import Run
from upswarm.results.steps import Verdict

SCENARIO = """\
name: counter
target: {{url: "{url}", protocol: put}}
files: [{{size: 1KiB}}]
thresholds: [chunk.response_time p50 < 150ms]
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def scenario(workshop: Workshop, url: str) -> str:
    path = workshop.folder / "counter.yaml"
    path.write_text(SCENARIO.format(url=url))
    return str(path)


def capacity_of(workshop: Workshop) -> Capacity:
    (folder,) = workshop.reports.iterdir()
    assert (folder / "capacity.html").stat().st_size > 1000
    return Capacity.load(folder)


def test_the_capacity_of_a_known_server_is_found(workshop: Workshop) -> None:
    """80 ms for each of N people: a limit of 450 ms is held by 4, with 320, and not by 8, with 640.

    On a busy machine the generator is late, and what has broken has to be slower than the limit by as much.
    """
    told = workshop.folder / "step-summary"
    workshop.environ.update(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(told))
    with queueing_server(0.080) as server:
        arguments = ["--until", "chunk.response_time p50 < 450ms", "--min", "4", "--step", "4s", "--precision", "100%"]
        ended = workshop.upswarm("capacity", scenario(workshop, server.url), *arguments)
    assert ended.code == 0, ended.out + ended.err
    assert ended.err == ""
    found = capacity_of(workshop)
    assert [(step.load, step.verdict) for step in found.steps] == [(4, Verdict.HELD), (8, Verdict.BROKEN)], ended.out
    assert all(step.p50_s >= step.load * 0.078 for step in found.steps), "nobody is served before those who came first"
    assert "Holds 4 users (and gives in between 4 and 8): chunk.response_time p50 3" in " ".join(ended.out.split())
    (folder,) = workshop.reports.iterdir()
    assert [Run.load(folder / step.run).peak_users for step in found.steps] == [4, 8]
    assert not told.exists(), "GitHub is not told of steps"
    assert all("::error" not in path.read_text() for path in folder.rglob("output.txt"))


@pytest.mark.parametrize(("number", "folders"), [(signal.SIGTERM, 2), (signal.SIGINT, 3)])
def test_a_search_that_is_cut_off_ends_in_order_and_leaves_nobody(
    workshop: Workshop, number: signal.Signals, folders: int
) -> None:
    """With two folders the first step is being started, with the third its run has begun."""
    with queueing_server(0.02) as server:
        process = workshop.begin("capacity", scenario(workshop, server.url), "--budget", "5m")
        with family(process):
            wait_for(lambda: any(workshop.reports.glob("*/" * folders)), timeout_s=PATIENCE_S)
            children = psutil.Process(process.pid).children(recursive=True)
            os.killpg(process.pid, number)  # as Ctrl-C in a terminal does
            ended = end_of(process)
    assert ended.code == 5, ended.out
    assert ended.err == ""
    assert "No load is known to hold. The search was cut off. Exit code 5." in ended.out
    assert capacity_of(workshop).steps == ()
    assert not any(child.is_running() for child in children)


def test_an_objective_that_is_none_is_one_sentence(workshop: Workshop) -> None:
    ended = workshop.upswarm("capacity", "smoke", "--until", "chunk.response_tme p99 < 1s")
    assert ended.code == 2
    assert ended.err == (
        "--until: expected a metric of docs/metrics.md, found 'chunk.response_tme'\n"
        '  did you mean "chunk.response_time"?\n'
    )


def test_a_target_that_is_not_there_is_one_sentence_and_leaves_nothing(workshop: Workshop) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ended = workshop.upswarm("capacity", scenario(workshop, url), "--step", "2s")
    assert ended.code == 2
    assert ended.err.startswith(f"no answer from the target {url}: ")
    assert "Traceback" not in ended.err
    assert list(workshop.reports.iterdir()) == []


def test_a_rate_that_is_none_is_one_sentence(workshop: Workshop) -> None:
    ended = workshop.upswarm("run", "smoke", "--rate", "5")
    assert (ended.code, ended.err) == (2, "--rate: expected a rate such as 200/s or 30/m, found '5'\n")
