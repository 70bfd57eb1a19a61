"""People close lids and come back, over real sockets to a real server: every file that finished is whole."""

from __future__ import annotations

import os
import random
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.journey.runs import UNDER_WAY, Workshop, await_line, end_of, family, files_on
from tests.servers import RunningServer, running_server
from tests.transfer.lab import threads
from upswarm import plugins
from upswarm.content.base import File
from upswarm.content.random import Random
from upswarm.protocols.chunked import Chunked
from upswarm.protocols.tus import Tus
from upswarm.results.run_file import Run
from upswarm.results.tallies import UploadTally
from upswarm.scenario.loader import load
from upswarm.testing.observer import Notebook
from upswarm.transfer.clock import SystemClock
from upswarm.transfer.dialect import UploadProtocol
from upswarm.transfer.exchange import Exchange
from upswarm.transfer.failures import Failure
from upswarm.transfer.habits import Habits, Interrupt, Spread
from upswarm.transfer.records import End, Outcome
from upswarm.transfer.retry import RetryPolicy
from upswarm.transfer.transport import Timeouts
from upswarm.transfer.uploader import Uploader, UploadSettings

SIZE_BYTES, CHUNK_BYTES = (3 << 20) + 12_345, 1 << 20
RETRY = RetryPolicy(attempts=4, base_s=0.05, cap_s=0.2)

SCENARIO = """\
name: lids
seed: 4
target: {target}
files: [{{size: {{uniform: [1B, 2MiB]}}, content: random}}]
transfer: {{chunk_size: 256KiB, abort: 10%, interrupt: {interrupt}, retry: {{attempts: 3, base: 50ms}}}}
workload: {{users: {{stages: [{{to: 4, over: 0s}}, {{hold: {hold}}}], think_time: 20ms}}}}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def everybody(after_ratio: float, resume_in_s: float = 0.05) -> Habits:
    return Habits(Interrupt(1.0, Spread(after_ratio, after_ratio), Spread(resume_in_s, resume_in_s)))


def upload(
    protocol: UploadProtocol, url: str, habits: Habits, file: File, *, transport: str = "socket", lanes: int = 1
) -> tuple[Outcome, Notebook]:
    """One upload by the real engine."""
    endpoint, notebook, clock, dice = protocol.caps.endpoint(url), Notebook(), SystemClock(), random.Random(1)
    with ExitStack() as stack:
        transports = [plugins.find("transport", transport)(endpoint, Timeouts()) for _ in range(lanes)]
        for each in transports:
            stack.callback(each.close)
        exchange, *more_lanes = (Exchange(each, notebook, clock=clock, dice=dice, retry=RETRY) for each in transports)
        uploader = Uploader(
            protocol=protocol, exchange=exchange, more_lanes=more_lanes, together=threads, observer=notebook,
            settings=UploadSettings(RETRY, CHUNK_BYTES, habits=habits), clock=clock, dice=dice,
        )  # fmt: skip
        return uploader.upload(file, number=1), notebook


def a_file(name: str) -> File:
    return Random(Path()).open(name, SIZE_BYTES, seed=7)


def content_on(url: str, name: str) -> bytes:
    (file_id,) = [file["file_id"] for file in files_on(url) if file["filename"] == name]
    with urlopen(f"{url}/v1/files/{file_id}/content") as answer:
        content: bytes = answer.read()
    return content


@pytest.mark.parametrize("transport", ["socket", "requests"])
@pytest.mark.parametrize("lanes", [1, 3])
@pytest.mark.parametrize("name", ["chunked", "tus"])
@pytest.mark.parametrize("after_ratio", [0.0, 0.45, 0.999])
def test_an_interrupted_file_arrives_byte_for_byte(
    server: RunningServer, transport: str, lanes: int, name: str, after_ratio: float
) -> None:
    file = a_file(f"{name}-{lanes}-{transport}-{after_ratio}.bin")
    protocol: UploadProtocol = Chunked("client-1") if name == "chunked" else Tus("client-1")
    if name == "tus" and lanes > 1:
        protocol = Tus("client-1").in_lanes(lanes)
    habits = everybody(after_ratio)
    outcome, notebook = upload(protocol, server.url, habits, file, transport=transport, lanes=lanes)
    assert (outcome.end, outcome.interruptions, outcome.resumes) == (End.FINISHED, 1, 1), outcome.message
    failures = [attempt.failure for attempt in notebook.attempts if attempt.failure]
    assert set(failures) == {Failure.INTERRUPTED}
    assert len(failures) <= lanes
    assert content_on(server.url, file.name) == b"".join(file.views(0, SIZE_BYTES))
    assert outcome.resent_bytes <= lanes * CHUNK_BYTES


def test_a_server_that_keeps_what_came_of_a_cut_chunk_gets_no_byte_twice(server: RunningServer) -> None:
    outcome, _ = upload(Tus("client-1"), server.url, everybody(0.45), a_file("kept.bin"))
    assert outcome.resent_bytes < CHUNK_BYTES // 4


def test_whoever_comes_back_after_the_upload_has_expired_begins_anew(tmp_path: Path) -> None:
    with running_server(tmp_path, upload_lifetime="1s") as short:
        file = a_file("late.bin")
        outcome, notebook = upload(Chunked("client-1"), short.url, everybody(0.45, resume_in_s=1.3), file)
        assert (outcome.end, outcome.resumes, outcome.restarts) == (End.FINISHED, 0, 1), outcome.message
        assert content_on(short.url, file.name) == b"".join(file.views(0, SIZE_BYTES))
    assert [attempt.failure for attempt in notebook.attempts if attempt.failure] == [Failure.INTERRUPTED, Failure.GONE]


def test_whoever_gives_up_leaves_nothing_on_the_server(server: RunningServer) -> None:
    file = a_file("given-up.bin")
    outcome, notebook = upload(Chunked("client-1"), server.url, Habits(abort_ratio=1.0), file)
    assert outcome.end is End.ABORTED
    assert (notebook.attempts[-1].phase, notebook.attempts[-1].status) == ("abort", 204)
    assert file.name not in {each["filename"] for each in files_on(server.url)}


def test_uploads_go_on_at_another_worker_and_none_is_lost(workshop: Workshop, tmp_path: Path) -> None:
    interrupt = "{share: 50%, resume_in: {uniform: [50ms, 500ms]}, resume_on: another_worker}"
    with running_server(tmp_path) as server:
        path = scenario(workshop, server.url, interrupt, hold="3s")
        ended = workshop.upswarm("run", path, "--processes", "2", "--", "--loglevel", "DEBUG")
        run = workshop.run()
        assert ended.code == 0, ended.out + ended.err
        assert "Traceback" not in ended.err + server.errors
        assert_every_upload_has_ended(run, server)
        assert_whole(run, server, path)
    uploads = run.measurements.uploads
    assert uploads.interruptions > 3
    assert uploads.aborted > 0
    assert run.measurements.files.made == ends(uploads), "a file that moves is made once"
    assert len(re.findall("Received upswarm_offer message from worker", ended.err)) == uploads.interruptions


def test_who_is_still_away_at_the_end_is_stopped_counted_and_forgotten_by_the_server(
    workshop: Workshop, tmp_path: Path
) -> None:
    with running_server(tmp_path) as server:
        path = scenario(workshop, server.url, "{share: 100%, resume_in: 60s}", hold="1s")
        ended = workshop.upswarm("run", path, "--processes", "2", "--", "--stop-timeout", "1")
        assert (ended.code, ended.err) == (3, ""), "no upload has ended well or badly, so its threshold has no data"
        run = workshop.run()
        assert_every_upload_has_ended(run, server)
        deleted = [each for each in server.access_log() if each.method == "DELETE" and each.status == 204]
    uploads = run.measurements.uploads
    assert uploads.stopped > 0
    assert len(deleted) == uploads.stopped + uploads.aborted


def test_a_run_that_is_cut_off_in_the_middle_of_handing_over_loses_no_upload(
    workshop: Workshop, tmp_path: Path
) -> None:
    interrupt = "{share: 100%, resume_in: {uniform: [0s, 300ms]}, resume_on: another_worker}"
    with running_server(tmp_path) as server:
        process = workshop.begin("run", scenario(workshop, server.url, interrupt, hold="60s"), "--processes", "2")
        with family(process):
            await_line(process.stdout, UNDER_WAY)
            os.killpg(process.pid, signal.SIGINT)
            ended = end_of(process)
        assert (ended.code, ended.err) == (5, "")
        assert_every_upload_has_ended(workshop.run(), server)


def scenario(workshop: Workshop, target: str, interrupt: str, hold: str) -> str:
    path = workshop.folder / "lids.yaml"
    path.write_text(SCENARIO.format(target=target, interrupt=interrupt, hold=hold))
    return str(path)


def ends(uploads: UploadTally) -> int:
    return uploads.finished + uploads.failed + uploads.aborted + uploads.stopped


def assert_every_upload_has_ended(run: Run, server: RunningServer) -> None:
    """What the server was asked to begin, the report has ended, in one way or another."""
    begun = [each for each in server.access_log() if (each.method, each.path) == ("POST", "/v1/uploads")]
    assert {each.status for each in begun} == {201}
    assert ends(run.measurements.uploads) == len(begun)
    assert run.measurements.uploads.finished == len(files_on(server.url))
    assert [worker.lost for worker in run.workers] == [False] * len(run.workers)


def assert_whole(run: Run, server: RunningServer, path: str) -> None:
    """Every file has the bytes that its number stands for."""
    mix = load(Path(path)).build_mix()
    for file in files_on(server.url):
        draw = mix.draw(int(file["filename"].rpartition("-")[2]))
        expected = Random(Path()).open(file["filename"], draw.size_bytes, draw.seed)
        assert content_on(server.url, file["filename"]) == b"".join(expected.views(0, draw.size_bytes))
