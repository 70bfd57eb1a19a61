"""Workers that `--processes` forks end with their master, however it ends; nothing else does."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.journey.runs import UNDER_WAY, Workshop, await_line, end_of, family
from tests.servers import wait_for

SOON_S = 20
"""Locust alone leaves them for a minute or more; a busy machine may need some seconds."""
BAD = "target: {url: 'http://127.0.0.1:9'}\nfiles: [64KiB]\n"
LOCUSTFILE = """\
import os, time
from locust import User, events, task
from upswarm.swarm.session import connect
from upswarm.swarm.shape import StagesShape
from upswarm.swarm.users import UploadUser

connect()
if os.fork() == 0:
    if os.fork() == 0:
        time.sleep(2)
        print("a daemon is done", flush=True)
    os._exit(0)

class Slow(User):
    fixed_count = 1

    @task
    def rest(self):
        time.sleep(100)

    def on_stop(self):
        time.sleep(2)
        print("a user is done", flush=True)
"""

PARENT = """\
import os, signal, time
from upswarm.swarm.forks import pass_on_sigterm

pass_on_sigterm()
ready, written = os.pipe()
for number in range(2):
    if os.fork() == 0:
        def report(*_):
            time.sleep(0.3)
            os.write(1, b"a last report\\n")
            os._exit(0)
        signal.signal(signal.SIGTERM, report)
        os.write(written, b".")
        time.sleep(60)
for _ in range(2):
    os.read(ready, 1)
print("ready", flush=True)
for _ in range(2):
    os.wait()
print("the parent is done", flush=True)
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """A workshop whose processes are known by their environment, whoever their parents are."""
    workshop = Workshop(tmp_path, MARK=str(tmp_path))
    yield workshop
    for process in marked(workshop):
        process.kill()


def marked(workshop: Workshop) -> list[psutil.Process]:
    """All processes of this workshop that are left."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("MARK") == str(workshop.folder):
                found.append(process)
    return found


def left_after(workshop: Workshop, within_s: float) -> list[psutil.Process]:
    """What is left when it should have ended."""
    wait_for(lambda: not marked(workshop), within_s)
    return marked(workshop)


def test_where_nothing_is_started_no_worker_stays(workshop: Workshop) -> None:
    path = workshop.folder / "bad.yaml"
    path.write_text(BAD)
    process = workshop.begin("run", str(path), "--processes", "3")
    assert process.wait(60) == 2
    assert left_after(workshop, SOON_S) == []
    process.communicate()


def test_workers_of_a_master_that_is_killed_do_not_stay(workshop: Workshop) -> None:
    process = workshop.begin("run", workshop.scenario(hold="60s"), "--processes", "3")
    with family(process):
        await_line(process.stdout, UNDER_WAY)
        process.kill()
        process.wait()
        assert left_after(workshop, SOON_S) == []


def test_workers_whose_users_are_slow_to_stop_and_daemons_of_others_have_their_time(workshop: Workshop) -> None:
    (workshop.folder / "own.py").write_text(LOCUSTFILE)
    scenario = workshop.scenario(hold="2s")
    process = workshop.begin("run", scenario, "--processes", "2", "--", "-f", "own.py")
    with family(process):
        ended = end_of(process)
    assert ended.code == 0, ended.out + ended.err
    assert "a user is done" in ended.out
    assert "a daemon is done" in ended.out
    assert [worker.lost for worker in workshop.run().workers] == [False, False]


def test_one_worker_process_takes_its_forks_along(workshop: Workshop) -> None:
    """On a host of workers alone the parent only waits."""
    process = workshop.locust("--worker", "--master-port", "9", "--processes", "2")
    with family(process):
        wait_for(lambda: len(marked(workshop)) == 3, 20)
        os.kill(process.pid, signal.SIGTERM)
        process.wait()
        assert left_after(workshop, SOON_S) == []


def test_workers_of_the_verb_have_time_for_their_last_reports(workshop: Workshop) -> None:
    """In a container their parent is its first process, with which the kernel ends all others."""
    process = workshop.start(sys.executable, "-c", PARENT)
    with family(process):
        await_line(process.stdout, "ready")
        process.terminate()
        ended = end_of(process)
    assert (ended.code, ended.out) == (0, "a last report\n" * 2 + "the parent is done\n")
