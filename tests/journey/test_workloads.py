"""Open loads, iterations and replays for real: what was scheduled, what the report counts and what the server has."""

from __future__ import annotations

import os
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.journey.runs import UNDER_WAY, Workshop, assert_same_numbers, await_line, end_of, family, files_on
from tests.servers import RunningServer, running_server
from upswarm.results.run_file import Run
from upswarm.scenario.loader import load
from upswarm.workload.kinds import OpenLoad, Workload

ARRIVALS = """\
seed: 3
target: {target}
files: [{{size: {size}}}]
workload: {{arrivals: {{stages: [{{rate: 20/s, hold: 1s}}, {{to: 60/s, over: 2s}}], spacing: poisson,
                        max_in_flight: {slots}}}}}
"""
ITERATIONS = "target: {target}\nfiles: [{{size: {size}}}]\nworkload: {{iterations: {{count: 47, users: 3}}}}\n"
STALL_S = 1.5
OPEN = "{arrivals: {stages: [{rate: 20/s, hold: 7s}]}}"
CLOSED = "{users: {stages: [{to: 3, over: 0s}, {hold: 7s}], think_time: 140ms}}"


def numbers_of(files: list[dict[str, Any]]) -> list[int]:
    """Which files of the mix the server has; a file's name ends with its number."""
    return sorted(int(file["filename"].rpartition("-")[2]) for file in files)


@dataclass(frozen=True)
class Ran:
    """A run against a server of its own, whose log and files agree with the report."""

    run: Run
    files: list[dict[str, Any]]
    scheduled: Workload
    out: str


def ran(folder: Path, text: str, *processes: str, **values: object) -> Ran:
    with running_server(folder) as server:
        path = written(folder, text, target=server.url, **values)
        ended = Workshop(folder).upswarm("run", str(path), *processes)
        assert (ended.code, ended.err) == (0, "")
        run, files = Workshop(folder).run(), files_on(server.url)
        assert_same_numbers(run, server.access_log(), files)
    return Ran(run, files, load(path).build_workload(), ended.out)


def written(folder: Path, text: str, **values: object) -> Path:
    path = folder / "work.yaml"
    path.write_text(text.format(**values))
    return path


@pytest.mark.parametrize("processes", [[], ["--processes", "3"]])
def test_every_arrival_is_uploaded_once_by_one_process_or_by_three(tmp_path: Path, processes: list[str]) -> None:
    ended = ran(tmp_path, ARRIVALS, *processes, size="64KiB", slots=50)
    assert isinstance(ended.scheduled, OpenLoad)
    assert numbers_of(ended.files) == list(range(ended.scheduled.schedule.count))
    arrivals, count = ended.run.measurements.arrivals, len(ended.files)
    assert (arrivals.begun, arrivals.dropped, arrivals.lateness.count) == (count, 0, count)


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]])
def test_what_finds_no_slot_is_counted_and_never_sent(tmp_path: Path, processes: list[str]) -> None:
    ended = ran(tmp_path, ARRIVALS, *processes, size="24MiB", slots=2)
    arrivals = ended.run.measurements.arrivals
    assert isinstance(ended.scheduled, OpenLoad)
    assert arrivals.begun + arrivals.dropped == ended.scheduled.schedule.count
    assert arrivals.dropped > 0
    assert arrivals.begun == ended.run.measurements.uploads.finished == len(set(numbers_of(ended.files)))
    assert f"{arrivals.dropped} dropped" in ended.out


@pytest.mark.parametrize("processes", [[], ["--processes", "2"], ["--processes", "5"]])
def test_iterations_are_exactly_so_many_and_then_the_run_ends(tmp_path: Path, processes: list[str]) -> None:
    ended = ran(tmp_path, ITERATIONS, *processes, size="1MiB")
    assert numbers_of(ended.files) == list(range(47))
    assert (ended.run.workload, ended.run.planned_s) == ("47 uploads by 3 users", None)
    assert not any(worker.lost for worker in ended.run.workers)


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]])
def test_iterations_that_do_not_end_in_time_are_cut_off(tmp_path: Path, processes: list[str]) -> None:
    workshop = Workshop(tmp_path)
    text = ITERATIONS.replace("count: 47", "count: 100000")
    ended = workshop.upswarm(
        "run", str(written(tmp_path, text, target="embedded", size="64KiB")), "-t", "2s", *processes
    )
    assert ended.code == 5
    (fault,) = workshop.run().generator_faults
    assert re.fullmatch(r"the run was cut off after 2\.\d s, before all of 100,000 uploads by 3 users had ended", fault)


def test_iterations_can_be_interrupted(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    text = ITERATIONS.replace("count: 47", "count: 100000")
    process = workshop.begin("run", str(written(tmp_path, text, target="embedded", size="64KiB")), "--processes", "2")
    with family(process):
        await_line(process.stdout, r"^00:0[2-9]  ")
        os.killpg(process.pid, signal.SIGINT)
        ended = end_of(process)
    assert (ended.code, ended.err) == (5, "")
    (fault,) = workshop.run().generator_faults
    assert "before all of 100,000 uploads" in fault


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]])
def test_a_record_is_replayed_with_its_sizes_wherever_the_command_is_typed(
    tmp_path: Path, processes: list[str]
) -> None:
    workshop, record = Workshop(tmp_path), tmp_path / "else" / "day.csv"
    record.parent.mkdir()
    record.write_text("time,size\n0s,1MiB\n0.4s,70KiB\n0.4s,0B\n1.2s,6MiB\n")
    with running_server(tmp_path) as server:
        path = record.parent / "replay.yaml"
        path.write_text(f"target: {server.url}\nfiles: [{{size: 1GiB}}]\nworkload: {{replay: day.csv}}\n")
        ended = workshop.upswarm("run", str(path), *processes)
        assert (ended.code, ended.err) == (0, "")
        files = files_on(server.url)
    sizes = {numbers_of([file])[0]: file["size_bytes"] for file in files}
    assert sizes == {0: 1 << 20, 1: 70 << 10, 2: 0, 3: 6 << 20}


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]])
def test_a_record_of_one_moment_is_uploaded_whole(tmp_path: Path, processes: list[str]) -> None:
    """The end of its time comes before the users do."""
    (tmp_path / "rush.csv").write_text("0s,1KiB\n" * 9)
    path = written(tmp_path, "target: embedded\nfiles: [1MiB]\nworkload: {{replay: rush.csv}}\n")
    ended = Workshop(tmp_path).upswarm("run", str(path), *processes)
    assert (ended.code, ended.err) == (0, "")
    assert Workshop(tmp_path).run().measurements.arrivals.begun == 9


def test_users_are_no_dial_of_an_open_load(tmp_path: Path) -> None:
    path = written(tmp_path, ARRIVALS, target="embedded", size="1MiB", slots=5)
    ended = Workshop(tmp_path).upswarm("run", str(path), "--users", "5")
    assert (ended.code, ended.out) == (2, "")
    assert "expected no number of users, for uploads of this scenario arrive by a schedule, found 5" in ended.err
    assert not (tmp_path / "reports").exists()


def test_a_stalled_server_shows_as_it_would_to_its_users(tmp_path: Path) -> None:
    """The server stands still for 1.5 s of 7 s. Of 20 arrivals a second 30 have to wait for it, and the open load
    says so; a closed load of three users says that three uploads took long."""
    p95_s = {}
    folders = {name: tmp_path / name for name in ("open", "closed")}
    for folder in folders.values():
        folder.mkdir()
    with running_server(folders["open"]) as first, running_server(folders["closed"]) as second:
        open_run = begun(folders["open"], first, OPEN)
        closed_run = begun(folders["closed"], second, CLOSED)
        with family(open_run, closed_run):
            for process in (open_run, closed_run):
                await_line(process.stdout, UNDER_WAY)
            stall(first, second)
            assert [end_of(process).code for process in (open_run, closed_run)] == [0, 0]
    for name, folder in folders.items():
        (report,) = (folder / "reports").iterdir()
        times = Run.load(report).measurements.uploads.response_time
        p95_s[name] = times.percentile_s(95) or 0.0
        assert (times.max_s or 0.0) > STALL_S / 2
    assert p95_s["open"] >= 0.9
    assert p95_s["closed"] < p95_s["open"] / 2


def begun(folder: Path, server: RunningServer, workload: str) -> Any:
    path = folder / "stall.yaml"
    path.write_text(f"target: {server.url}\nfiles: [{{size: 64KiB}}]\nworkload: {workload}\n")
    return Workshop(folder).begin("run", str(path))


def stall(*servers: RunningServer) -> None:
    workers = [psutil.Process(pid) for server in servers for pid in server.workers]
    for worker in workers:
        worker.suspend()
    time.sleep(STALL_S)
    for worker in workers:
        worker.resume()
