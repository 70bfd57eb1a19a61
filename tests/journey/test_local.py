"""One process: from a command line to a verdict, over real gunicorn and real Locust."""

from __future__ import annotations

import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from tests.journey.runs import (
    PATIENCE_S,
    UNDER_WAY,
    Workshop,
    answers,
    assert_same_numbers,
    await_line,
    end_of,
    family,
    files_on,
    free_port,
)
from tests.servers import running_server, wait_for


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_a_first_run_needs_nothing_else(workshop: Workshop) -> None:
    ended = workshop.upswarm("run", workshop.scenario())
    assert ended.code == 0, ended.err
    assert ended.err == ""
    assert re.search(r"00:0[23]/00:04 +3 users ", ended.out), "progress is shown while it runs"
    assert "upload.failed count == 0" in ended.out
    run = workshop.run()
    assert run.exit_code == 0
    assert run.measurements.uploads.finished >= 5
    assert list(Path(workshop.folder).glob("upswarm-data*")) == []


def test_the_report_can_be_written_anew(workshop: Workshop) -> None:
    workshop.upswarm("run", workshop.scenario(hold="1s"))
    (folder,) = workshop.reports.iterdir()
    (folder / "report.html").unlink()
    ended = workshop.upswarm("report", str(folder))
    assert ended.code == 0
    assert (folder / "report.html").exists()


def test_users_and_duration_override_the_stages(workshop: Workshop) -> None:
    options = ("--users", "2", "--duration", "2s", "--", "--stop-timeout", "3")
    ended = workshop.upswarm("run", workshop.scenario(hold="60s"), *options)
    assert (ended.code, ended.err) == (0, ""), "no user is stopped twice"
    run = workshop.run()
    assert (run.peak_users, run.planned_s) == (2, 2)


def test_the_numbers_are_those_of_the_server(workshop: Workshop, tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        ended = workshop.upswarm("run", workshop.scenario(server.url))
        assert ended.code == 0, ended.err
        assert_same_numbers(workshop.run(), server.access_log(), files_on(server.url))


def test_chunks_that_travel_at_the_same_time_are_counted_as_the_server_counts_them(
    workshop: Workshop, tmp_path: Path
) -> None:
    with running_server(tmp_path) as server:
        path = Path(workshop.scenario(server.url))
        path.write_text(path.read_text().replace("transfer: {", "transfer: {parallel_chunks: 3, "))
        ended = workshop.upswarm("run", str(path))
        assert ended.code == 0, ended.err
        assert_same_numbers(workshop.run(), server.access_log(), files_on(server.url))


def test_a_server_that_dies_gives_failed_uploads_and_a_verdict(workshop: Workshop, tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        process = workshop.begin("run", workshop.scenario(server.url, hold="4s"))
        with family(process):
            await_line(process.stdout, UNDER_WAY)
            server.kill()
            ended = end_of(process)
    assert ended.code == 3, ended.err
    assert ended.err == ""
    run = workshop.run()
    assert run.measurements.uploads.finished > 0
    assert run.measurements.uploads.failed > 0
    assert run.measurements.uploads.failures.keys() <= {"refused", "reset", "torn"}


@pytest.mark.parametrize("parallel", [1, 3])
def test_uploads_survive_a_server_that_restarts(workshop: Workshop, tmp_path: Path, parallel: int) -> None:
    with running_server(tmp_path, port=free_port()) as server:
        path = Path(workshop.scenario(server.url, hold="6s"))
        text = path.read_text().replace("attempts: 3, base: 50ms", "attempts: 12, base: 100ms, cap: 1s")
        path.write_text(text.replace("transfer: {", f"transfer: {{parallel_chunks: {parallel}, "))
        process = workshop.begin("run", str(path))
        with family(process):
            await_line(process.stdout, UNDER_WAY)
            server.kill()
            server.restart()
            ended = end_of(process)
        files = files_on(server.url)
    assert ended.code == 0, ended.out + ended.err
    run = workshop.run()
    assert run.measurements.uploads.failed == 0
    assert sum(tally.failed for tally in run.measurements.phases.values()) > 0
    assert len(files) >= run.measurements.uploads.finished


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_cut_off_still_writes_its_report(workshop: Workshop, number: signal.Signals) -> None:
    process = workshop.begin("run", workshop.scenario(hold="60s"))
    with family(process):
        await_line(process.stdout, UNDER_WAY)
        os.killpg(process.pid, number)  # as Ctrl-C in a terminal does
        ended = end_of(process)
    assert ended.code == 5
    assert ended.err == ""
    run = workshop.run()
    assert re.fullmatch(r"the run was cut off after \d\.\d s of 61 s", *run.generator_faults)
    assert run.measurements.uploads.finished > 0
    assert sum(tally.failed for tally in run.measurements.phases.values()) == 0, "the end itself fails nothing"


def test_a_run_outlasts_who_reads_its_lines(workshop: Workshop) -> None:
    process = workshop.begin("run", workshop.scenario(hold="1s"))
    with family(process):
        assert process.stdout is not None
        process.stdout.close()  # as `| head -0` does
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert workshop.run().complete


def test_an_unreachable_target_is_one_sentence_before_any_user_starts(workshop: Workshop) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ended = workshop.upswarm("run", workshop.scenario(), "--target", url)
    assert ended.code == 2
    assert ended.err.startswith(f"no answer from the target {url}: Connection refused\n")
    assert list(workshop.reports.iterdir()) == []


def test_a_report_that_can_not_be_written_does_not_hide_the_summary(workshop: Workshop) -> None:
    process = workshop.begin("run", workshop.scenario(hold="4s"))
    with family(process):
        await_line(process.stdout, UNDER_WAY)
        shutil.rmtree(workshop.reports)
        workshop.reports.write_text("no folder any more")
        ended = end_of(process)
    assert ended.code == 5
    assert "upload.failed count == 0" in ended.out
    assert "! the run file could not be written: " in ended.out
    assert "Exit code 5." in ended.out
    assert ended.err == ""


def test_a_run_that_is_killed_leaves_no_server_and_its_files_go_with_the_next_run(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = workshop.folder / "tmp"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    process = workshop.begin("run", workshop.scenario(hold="60s"))
    with family(process):
        url = await_line(process.stdout, "uploading to ").split()[-1]
        process.kill()
    wait_for(lambda: not answers(url))
    assert not answers(url)
    assert len(list(scratch.glob("upswarm-embedded-*"))) == 1
    workshop.upswarm("run", workshop.scenario(hold="1s"))
    assert list(scratch.iterdir()) == []


def test_three_mistakes_are_named_and_nothing_starts(workshop: Workshop) -> None:
    path = workshop.folder / "wrong.yaml"
    path.write_text("sede: 1\nfiles: [{size: 5Mib}]\nthresholds: [chunk.time p99 < 3s]\n")
    for verb in ("run", "check"):
        ended = workshop.upswarm(verb, str(path))
        assert ended.code == 2
        assert [line.split(": ")[1] for line in ended.err.splitlines()[1:]] == [
            "sede",
            "files[0].size",
            "thresholds[0]",
        ]


@pytest.mark.parametrize("auth", ["bearer: '${TOKEN}'", "header: {name: authorization, value: 'Bearer ${TOKEN}'}"])
def test_a_token_reaches_the_server_and_nothing_else(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, auth: str
) -> None:
    monkeypatch.setenv("TOKEN", "hunter2-hunter2")
    with running_server(tmp_path, tokens="hunter2-hunter2") as server:
        scenario = workshop.scenario(f"{{url: '{server.url}', auth: {{{auth}}}}}", hold="1s")
        ended = workshop.upswarm("run", scenario, "--", "--loglevel", "DEBUG", "--html", "locust.html")
    assert ended.code == 0, ended.err
    (folder,) = workshop.reports.iterdir()
    written = [path.read_text() for path in (*folder.iterdir(), workshop.folder / "locust.html")]
    assert "hunter2" not in "".join([ended.out, ended.err, *written])


def test_no_run_without_a_request_is_a_success(workshop: Workshop) -> None:
    process = workshop.locust("--headless", "--scenario", workshop.scenario(), "--master", "--expect-workers", "1",
                              "--master-bind-port", str(free_port()))  # fmt: skip
    with family(process):
        await_line(process.stderr, "Waiting for workers")
        process.terminate()
        ended = end_of(process)
    assert ended.code == 5
