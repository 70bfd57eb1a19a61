"""Locust's own options with our locustfile: what they write, how a run ends with them, and where they may stand."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.journey.runs import LOCUSTFILE, Ended, Workshop, await_line, end_of, family, free_port
from tests.servers import wait_for
from upswarm import resources
from upswarm.results.run_file import Run

QUIET = ("--headless", "--only-summary", "--loglevel", "WARNING")
A_SECOND = r"^00:0[1-9]/"
"""A progress line after one second, or after a few on a busy machine."""

LOCUSTFILE_OF_ONE_S_OWN = """\
from locust import User, constant, events, tag, task
from upswarm.swarm.session import connect
from upswarm.swarm.shape import StagesShape
from upswarm.swarm.users import UploadUser

class Browser(User):
    wait_time = constant(0.1)

    @tag("browse")
    @task
    def look(self):
        request = {"request_type": "GET", "name": "look", "response_time": 1, "response_length": 0, "context": {}}
        self.environment.events.request.fire(**request, exception=ValueError("gone"))

    @tag("break")
    @task
    def break_something(self):
        raise RuntimeError("broken")

connect()
"""

ALL_FLAGS = """\
from argparse import SUPPRESS
from locust.argument_parser import get_parser
for action in get_parser()._actions:
    if action.help != SUPPRESS and action.option_strings:
        print(max(action.option_strings, key=len))
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_a_run_that_is_cut_off_twice_leaves_everything_that_was_asked_for(workshop: Workshop) -> None:
    wanted = ("--json", "--json-file", "out/all.json", "--html", "out/{u}-{r}-{t}.html", "--csv", "out/csv")
    process = workshop.locust(*QUIET, *wanted, "--scenario", workshop.scenario(hold="60s"))
    with family(process):
        await_line(process.stderr, A_SECOND)
        for _ in range(2):
            process.terminate()
        ended = end_of(process)
    assert ended.code == 5, ended.err
    assert "Traceback" not in ended.err
    assert "Exit code 5." in ended.err, "what we say makes way for the JSON"
    assert ended.out.strip() == (workshop.folder / "out/all.json").read_text()
    assert_last_numbers(workshop.run(), workshop.folder / "out")
    assert (workshop.folder / "out/3-scenario-61.html").stat().st_size > 1000


def test_when_a_master_and_its_workers_are_all_told_to_end_no_number_is_lost(workshop: Workshop) -> None:
    port = str(free_port())
    wanted = ("--json", "--json-file", "out/all.json", "--html", "out/page.html", "--csv", "out/csv")
    process = workshop.locust(*QUIET, *wanted, "--scenario", workshop.scenario(hold="60s"), "--processes", "2",
                              "--master-bind-port", port, "--master-port", port)  # fmt: skip
    with family(process):
        await_line(process.stderr, "uploading to ")
        time.sleep(1)
        os.killpg(process.pid, signal.SIGTERM)  # as a container's runtime does it to all of them
        ended = end_of(process)
    assert ended.code == 5, ended.err
    assert "Traceback" not in ended.err
    run = workshop.run()
    assert re.fullmatch(r"the run was cut off after \d\.\d s of 61 s", *run.generator_faults)
    assert len(json.loads(ended.out)) > 0, "no worker prints a document of its own"
    assert_last_numbers(run, workshop.folder / "out")
    assert (workshop.folder / "out/page.html").stat().st_size > 1000


def test_a_worker_that_is_told_to_end_reports_first(workshop: Workshop) -> None:
    port = str(free_port())
    master = workshop.locust(*QUIET, "--scenario", workshop.scenario(), "--master", "--expect-workers", "2",
                             "--master-bind-port", port)  # fmt: skip
    workers = [workshop.locust("--worker", "--master-port", port) for _ in range(2)]
    with family(master, *workers):
        await_line(master.stdout, "uploading to ")
        time.sleep(1)
        workers[0].terminate()
        ended = [end_of(process) for process in (master, *workers)]
    assert [each.code for each in ended] == [5, 0, 0], ended[0].err
    run = workshop.run()
    assert re.fullmatch(r"worker \S+ left before the end", *run.generator_faults)
    assert [worker.lost for worker in run.workers] == [False, False]


def test_a_run_that_is_cut_off_before_it_starts_is_no_success_and_leaves_nothing(workshop: Workshop) -> None:
    process = workshop.locust("--headless", "--scenario", workshop.scenario())
    with family(process):
        wait_for(lambda: list(workshop.reports.glob("*")) != [])
        process.terminate()
        ended = end_of(process)
    assert ended.code == 5
    assert "the run was cut off before it started" in ended.err
    assert not list(workshop.reports.glob("*"))


def test_a_run_in_the_web_ui_that_is_cut_off_still_writes_its_reports(workshop: Workshop) -> None:
    """Ctrl-C: it is handed on as SIGTERM, so both are tried."""
    process = in_the_web_ui(workshop, "--autostart", "--html", "page.html", "--scenario", workshop.scenario(hold="60s"))
    with family(process):
        await_line(process.stdout, A_SECOND)
        process.send_signal(signal.SIGINT)
        ended = end_of(process)
    assert ended.code == 5, ended.err
    assert re.fullmatch(r"the run was cut off after \d\.\d s of 61 s", *workshop.run().generator_faults)
    assert (workshop.folder / "page.html").stat().st_size > 1000


def test_a_run_that_starts_and_quits_by_itself_exits_with_its_verdict(workshop: Workshop) -> None:
    path = Path(workshop.scenario(hold="60s"))
    path.write_text(path.read_text().replace("upload.finished count >= 5", "upload.finished count >= 99999"))
    options = ("--autostart", "--autoquit", "0", "--run-time", "2s", "--html", "page.html", "--scenario", str(path))
    process = in_the_web_ui(workshop, *options)
    with family(process):
        ended = end_of(process)
    assert ended.code == 3, ended.err
    assert workshop.run().planned_s == 2
    assert (workshop.folder / "page.html").exists()


def test_files_variables_and_the_command_line_are_read_in_locusts_order(workshop: Workshop) -> None:
    (workshop.folder / "locust.conf").write_text("headless = true\nusers = 5\nspawn-rate = 100\nreports = nowhere\n")
    (workshop.folder / "pyproject.toml").write_text(
        f'[tool.locust]\nlocustfile = "{LOCUSTFILE}"\nscenario = "{workshop.scenario()}"\nusers = 4\nrun-time = "3s"\n'
    )
    workshop.environ |= {"LOCUST_RUN_TIME": "2s", "UPSWARM_REPORTS": "reports", "LOCUST_ONLY_SUMMARY": "1"}
    process = workshop.start(sys.executable, "-m", "locust", "--users", "2")
    with family(process):
        ended = end_of(process)
    assert ended.code == 0, ended.err
    run = workshop.run()
    assert (run.peak_users, run.planned_s) == (2, 2)


@pytest.mark.parametrize("hurried", [False, True])
def test_workers_that_do_not_come_in_time_are_a_sentence_and_no_success(workshop: Workshop, hurried: bool) -> None:
    process = workshop.locust("--headless", "--scenario", workshop.scenario(), "--master", "--expect-workers", "2",
                              "--expect-workers-max-wait", "1", "--master-bind-port", str(free_port()))  # fmt: skip
    with family(process):
        await_line(process.stderr, "0 of 2 workers connected within 1 s")
        if hurried:
            process.terminate()
        ended = end_of(process)
    assert (ended.code, "Traceback" in ended.err) == (5, False)
    assert not list(workshop.reports.glob("*"))


def test_tags_choose_among_tasks_and_failures_of_others_are_not_ours(workshop: Workshop) -> None:
    """Locust would exit with 7: a request has failed. What decides are the thresholds."""
    ended = with_users_of_ones_own(workshop, "--tags", "upload", "browse", "--exit-code-on-error", "7", "--json")
    assert ended.code == 0, ended.err
    rows = {row["name"]: row for row in json.loads(ended.out)}
    assert rows["look"]["num_failures"] > 0
    assert rows["upload"]["num_requests"] == workshop.run().measurements.uploads.finished


def test_tags_that_leave_a_user_without_a_task_are_a_sentence(workshop: Workshop) -> None:
    ended = with_users_of_ones_own(workshop, "--tags", "browse")
    assert ended.code == 2
    assert "--tags and --exclude-tags leave no task to UploadUser\n" in ended.err
    assert not list(workshop.reports.glob("*"))


def test_exceptions_in_users_and_listeners_fail_the_run(workshop: Workshop) -> None:
    listener = "@events.test_start.add_listener\ndef _(**_):\n    raise RuntimeError('a listener')\n"
    ended = with_users_of_ones_own(workshop, "--exclude-tags", "browse", more=listener)
    assert ended.code == 5
    faults = " ".join(workshop.run().generator_faults)
    assert "broken" in faults
    assert "a listener or a greenlet ended with an exception" in faults


def test_every_flag_of_locust_is_described() -> None:
    """A new Locust may bring new ones: try what they do with our runs, then add them to the table."""
    text = (resources.folder("docs") / "running.md").read_text()
    section = text.split("## Locust's own options")[1].split("\n## ")[0]
    told = set(re.findall(r"`(--[a-z-]+)", section))
    known = set(subprocess.check_output([sys.executable, "-c", ALL_FLAGS], text=True).split())
    assert known - told == set()
    assert told - known - {"--scenario", "--reports"} == set()


def in_the_web_ui(workshop: Workshop, *arguments: str) -> subprocess.Popen[str]:
    return workshop.locust("--web-host", "127.0.0.1", "--web-port", str(free_port()), *arguments)


def with_users_of_ones_own(workshop: Workshop, *arguments: str, more: str = "") -> Ended:
    """A run of two seconds, with four users of two kinds."""
    path = workshop.folder / "locustfile.py"
    path.write_text(LOCUSTFILE_OF_ONE_S_OWN + more)
    options = ("--scenario", workshop.scenario(), "--users", "4", "--run-time", "2s", "--reports", "reports")
    process = workshop.start(sys.executable, "-m", "locust", *QUIET, *options, *arguments)
    with family(process):
        return end_of(process)


def assert_last_numbers(run: Run, folder: Path) -> None:
    """Locust's files and the run file tell the same: nothing came too late for them."""
    ours = {str(phase): tally.attempts for phase, tally in run.measurements.phases.items()}
    theirs = {row["name"]: row["num_requests"] for row in json.loads((folder / "all.json").read_text())}
    with (folder / "csv_stats.csv").open() as lines:
        rows = {row["Name"]: int(row["Request Count"]) for row in csv.DictReader(lines)}
    for numbers in (theirs, rows):
        assert {phase: numbers[phase] for phase in ("init", "chunk", "finalize")} == {
            phase: ours[phase] for phase in ("init", "chunk", "finalize")
        }


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]])
def test_whoever_ends_a_run_that_waits_for_its_last_uploads_does_not_wait(tmp_path: Path, processes: list[str]) -> None:
    path = tmp_path / "slow.yaml"
    path.write_text(
        "files: [4MiB]\ntransfer: {bandwidth: 100KiB/s}\nthresholds: [init.failed count == 0]\n"
        "workload: {users: {stages: [{to: 2, over: 0s}, {hold: 2s}]}}\n"
    )
    workshop = Workshop(tmp_path)
    process = workshop.begin("run", str(path), *processes, "--", "--stop-timeout", "60")
    with family(process):
        await_line(process.stdout, "uploading to ")
        time.sleep(4)
        process.send_signal(signal.SIGTERM)
        ended = end_of(process)
    run = workshop.run()
    assert (ended.code, ended.err) == (0, "")
    assert run.elapsed_s < 20
    assert (run.measurements.uploads.stopped, run.generator_faults) == (2, ())
