"""A master and its workers, as separate processes: the scenario travels, and the sums are exact."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.journey.page import open_page
from tests.journey.runs import UNDER_WAY, Workshop, assert_same_numbers, await_line, end_of, family, files_on, free_port
from tests.servers import running_server
from upswarm.results.run_file import Run


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_a_master_and_two_workers_count_what_the_server_counts(workshop: Workshop, tmp_path: Path) -> None:
    port = str(free_port())
    with running_server(tmp_path) as server:
        scenario = workshop.scenario(server.url)
        master = workshop.locust("--master", "--headless", "--expect-workers", "2", "--master-bind-port", port,
                                 "--scenario", scenario)  # fmt: skip
        workers = [workshop.locust("--worker", "--master-port", port), workshop.begin("worker", f"127.0.0.1:{port}")]
        with family(master, *workers):
            ended = [end_of(process) for process in (master, *workers)]
        assert [each.code for each in ended] == [0, 0, 0], ended[0].err
        run = workshop.run()
        files = files_on(server.url)
        assert_same_numbers(run, server.access_log(), files)
    assert [worker.lost for worker in run.workers] == [False, False]
    names = {str(file["filename"]) for file in files}
    assert len(names) == run.measurements.uploads.finished, "no two workers upload the same file"


def test_processes_are_workers_too(workshop: Workshop, tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        ended = workshop.upswarm(
            "run", workshop.scenario(server.url), "-t", "3s", "--processes", "2", "--", "--stop-timeout", "3"
        )
        assert (ended.code, ended.err) == (0, "")
        run = workshop.run()
        assert_same_numbers(run, server.access_log(), files_on(server.url))
    assert len(run.workers) == 2


def test_ctrl_c_reaches_a_whole_family_and_every_number_still_arrives(workshop: Workshop, tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        process = workshop.begin("run", workshop.scenario(server.url, hold="60s"), "--processes", "2")
        with family(process):
            await_line(process.stdout, UNDER_WAY)
            os.killpg(process.pid, signal.SIGINT)
            ended = end_of(process)
        assert (ended.code, ended.err) == (5, "")
        run = workshop.run()
        assert_same_numbers(run, server.access_log(), files_on(server.url))
    assert [worker.lost for worker in run.workers] == [False, False]


def test_a_run_that_is_cut_off_on_the_way_up_is_cut_off_and_nothing_else(workshop: Workshop) -> None:
    path = workshop.folder / "ramp.yaml"
    path.write_text("files: [{size: 20MiB}]\nworkload: {users: {stages: [{to: 60, over: 30s}]}}\n")
    process = workshop.begin("run", str(path), "--processes", "2")
    with family(process):
        await_line(process.stdout, UNDER_WAY)
        os.killpg(process.pid, signal.SIGINT)
        ended = end_of(process)
    assert (ended.code, ended.err) == (5, "")
    (fault,) = workshop.run().generator_faults
    assert fault.startswith("the run was cut off after ")


def test_a_worker_that_is_killed_fails_the_run(workshop: Workshop) -> None:
    port = str(free_port())
    master = workshop.locust("--master", "--headless", "--expect-workers", "2", "--master-bind-port", port,
                             "--scenario", workshop.scenario(hold="7s"))  # fmt: skip
    workers = [workshop.locust("--worker", "--master-port", port) for _ in range(2)]
    with family(master, *workers):
        await_line(master.stdout, UNDER_WAY)
        os.killpg(workers[0].pid, signal.SIGKILL)
        ended = end_of(master)
    assert ended.code == 5
    run = workshop.run()
    assert sorted(worker.lost for worker in run.workers) == [False, True]
    assert "was lost before it had reported everything" in run.generator_faults[0]


def test_runs_of_a_web_ui_with_workers_do_not_mix(workshop: Workshop, tmp_path: Path) -> None:
    port = str(free_port())
    with running_server(tmp_path) as server:
        scenario = workshop.scenario(server.url, hold="60s")
        with (
            open_page(workshop, "--master", "--master-bind-port", port, "--scenario", scenario) as page,
            ExitStack() as stack,
        ):
            assert str(page.start(host=server.url)["message"]).startswith("no worker is ready"), "and it begins later"
            asked = ("--worker", "--master-port", port, "--events", "out.csv")
            stack.enter_context(family(*(workshop.locust(*asked) for _ in range(2))))
            for _ in range(2):
                page.await_workers(2)
                page.start(host=server.url)
                page.await_output(UNDER_WAY)
                page.stop()
                page.await_output("report    ")
        runs = [Run.load(folder) for folder in sorted(workshop.reports.iterdir())]
        files = files_on(server.url)
    assert [run.exit_code for run in runs] == [0, 0]
    for run in runs:
        own = [file for file in files if file["filename"].startswith(f"{run.run_id}-")]
        assert run.measurements.uploads.finished == len(own)
        assert [worker.lost for worker in run.workers] == [False, False]
    kept = len(list(workshop.folder.glob("out.*.csv")))
    assert kept == 2 * len(runs), "workers were asked for events, and the master was not"


KINDS = (
    "iterations: {count: 23, users: 5}",
    "arrivals: {stages: [{rate: 40/s, hold: 600ms}], max_in_flight: 7}",
    "users: {stages: [{to: 4, over: 0s}, {hold: 700ms}]}",
)


def test_twenty_times_the_sum_of_the_reports_is_what_the_server_counted(workshop: Workshop, tmp_path: Path) -> None:
    port, path, counted = str(free_port()), workshop.folder / "sum.yaml", 0
    with running_server(tmp_path) as server, ExitStack() as stack:
        path.write_text(f"target: {server.url}\nfiles: [{{size: {{uniform: [0B, 200KiB]}}}}]\n")
        page = stack.enter_context(
            open_page(workshop, "--master", "--master-bind-port", port, "--scenario", str(path), "--host", server.url)
        )
        stack.enter_context(family(*(workshop.locust("--worker", "--master-port", port) for _ in range(3))))
        for number in range(20):
            page.await_workers(3)
            path.write_text(f"files: [{{size: {{uniform: [0B, 200KiB]}}}}]\nworkload: {{{KINDS[number % 3]}}}\n")
            assert page.start(scenario=str(path), host=server.url)["success"] is True
            page.await_stop()
            run = Run.load(max(workshop.reports.iterdir()))
            requests = server.access_log()[counted:]
            counted += len(requests)
            files = [file for file in files_on(server.url) if file["filename"].startswith(f"{run.run_id}-")]
            assert_same_numbers(run, requests, files)
            assert [worker.lost for worker in run.workers] == [False] * 3
    assert len(list(workshop.reports.iterdir())) == 20
