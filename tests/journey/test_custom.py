"""Users, shapes and listeners of people's own beside ours, in one locustfile."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from tests.journey.page import open_page
from tests.journey.runs import UNDER_WAY, Ended, Workshop, await_line, end_of, family
from upswarm import resources
from upswarm.errors import EXIT_USAGE
from upswarm.results.run_file import Run
from upswarm.testing.runs import NoRunError, run_scenario

CLOSED = "files: [64KiB]\nworkload: {users: {stages: [{to: 4, over: 0s}, {hold: 3s}], think_time: 50ms}}\n"
OPEN = "files: [64KiB]\nworkload: {arrivals: {stages: [{rate: 5/s, hold: 3s}], max_in_flight: 3}}\n"
ITERATIONS = "files: [64KiB]\nworkload: {iterations: {count: 6, users: 3}}\n"

LOCUSTFILE = """\
import json, time
from locust import FastHttpUser, LoadTestShape, User, constant, events, task
from upswarm.swarm.session import connect
from upswarm.swarm import shape, users
from upswarm.swarm.users import UploadUser
connect()

class Visitor(FastHttpUser):
    wait_time = constant(0.2)
    @task
    def visit(self):
        self.client.get("/v1/files", name=f"files of {self.host}")

@events.test_stopping.add_listener
def tell(environment, **_):
    runner = environment.runner
    clients = getattr(runner, "clients", None)
    each = [client.user_classes_count for client in clients.all] if clients else [runner.user_classes_count]
    print("counts", json.dumps(each), flush=True)
"""
STAGES = "from upswarm.swarm.shape import StagesShape\n"
FLOW = """
from locust import SequentialTaskSet
class Flow(SequentialTaskSet):
    @task
    def begin(self):
        self.user.steps = ["begin"]
    @task
    def send(self):
        self.user.upload()
    @task
    def end(self):
        assert self.user.steps == ["begin", "finished"]

class Forgetful(users.UploadUser):
    fixed_count = 1
    wait_time = constant(0.05)
    def on_start(self):
        pass
    def on_stop(self):
        pass
    def on_upload(self, outcome):
        self.steps.append(outcome.end)
Forgetful.tasks = [Flow]
"""
PEAKS = """
class Peaks(LoadTestShape):
    def tick(self):
        return None if self.get_run_time() > 3 else (2 if self.get_run_time() < 2 else 3, 10)
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A locustfile of one's own."""
    return tmp_path / "own.py"


def counts(printed: str) -> list[dict[str, int]]:
    """How many users of each class there were on each worker at the end."""
    found = re.search(r"^counts (.*)$", printed, re.MULTILINE)
    assert found is not None, printed
    return list(json.loads(found[1]))


def requests_told(prefix: Path) -> dict[str, tuple[int, int]]:
    """Locust's table: requests and failures by name."""
    with Path(f"{prefix}_stats.csv").open() as table:
        return {row["Name"]: (int(row["Request Count"]), int(row["Failure Count"])) for row in csv.DictReader(table)}


@pytest.mark.parametrize("processes", [None, 2])
def test_people_of_ones_own_browse_while_others_upload(tmp_path: Path, processes: int | None) -> None:
    run = run_scenario(
        CLOSED,
        processes=processes,
        locustfile=resources.folder("locustfiles") / "custom.py",
        options=["--csv", str(tmp_path / "told")],
    )
    assert (run.exit_code, run.peak_users) == (0, 4)
    told = requests_told(tmp_path / "told")
    for name in ("list of files", "a file's metadata", "my file's metadata"):
        assert told[name][0] > 0
        assert told[name][1] == 0, f"{name}: the embedded server is there as long as users are"
    assert told["init"][0] == run.measurements.phases["init"].attempts, "ours and theirs do not mix"
    assert sum(tally.attempts for tally in run.measurements.phases.values()) < told["Aggregated"][0]


@pytest.mark.parametrize(("scenario", "ours"), [(CLOSED, 2), (OPEN, 2), (ITERATIONS.replace("6", "600"), 2)])
def test_users_with_a_fixed_count_come_in_addition(
    own: Path, scenario: str, ours: int, capsys: pytest.CaptureFixture[str]
) -> None:
    own.write_text(LOCUSTFILE + STAGES + "Visitor.fixed_count = 1\n")
    duration = "4s" if "iterations" in scenario else None
    run = run_scenario(scenario, locustfile=own, processes=2, duration=duration)
    each = counts(capsys.readouterr().out)
    assert [count["UploadUser"] for count in each] == [ours, ours], "as many on each worker as the one with most needs"
    assert sum(count["Visitor"] for count in each) == 1
    assert run.measurements.uploads.failed == 0


def test_users_with_a_weight_share_the_users_of_a_closed_load(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own.write_text(LOCUSTFILE + STAGES)
    assert run_scenario(CLOSED, locustfile=own).exit_code == 0
    assert counts(capsys.readouterr().out) == [{"UploadUser": 2, "Visitor": 2}]


@pytest.mark.parametrize(
    ("scenario", "shape", "sentence"),
    [
        (OPEN, STAGES, r"expected fixed_count for Visitor, found weight: .* run of up to 5 arrivals/s"),
        (ITERATIONS, STAGES, r"expected fixed_count for Visitor, found weight: .* run of 6 uploads by 3 users"),
        (OPEN, PEAKS, r"expected StagesShape as the shape of a run of up to 5 arrivals/s.*, found Peaks"),
        (ITERATIONS, "", r"expected StagesShape as the shape of a run of 6 uploads by 3 users, found no shape"),
        (CLOSED, STAGES + "Visitor.fixed_count = UploadUser.fixed_count = 1", r"without fixed_count for .* 4 users"),
    ],
)
def test_a_locustfile_that_would_not_have_the_users_of_a_scenario_is_refused(
    own: Path, scenario: str, shape: str, sentence: str
) -> None:
    own.write_text(LOCUSTFILE + shape)
    with pytest.raises(NoRunError, match=rf"(?s)exited with {EXIT_USAGE}:.*{sentence}"):
        run_scenario(scenario, locustfile=own)


def test_an_upload_is_a_step_of_a_user_who_forgets_to_call_what_it_overrides(own: Path) -> None:
    own.write_text(LOCUSTFILE + STAGES + FLOW + "Visitor.fixed_count = 1\n")
    run = run_scenario(ITERATIONS, locustfile=own)
    assert (run.exit_code, run.generator_faults, run.measurements.uploads.finished) == (0, (), 6)


@pytest.mark.parametrize("processes", [None, 2])
def test_a_shape_of_ones_own_says_how_many_users_there_are_and_ends_the_run(own: Path, processes: int | None) -> None:
    own.write_text(LOCUSTFILE + PEAKS + "Visitor.fixed_count = 1\n")
    run = run_scenario(CLOSED + "thresholds: [upload.finished count > 0]\n", locustfile=own, processes=processes)
    assert (run.exit_code, run.generator_faults) == (0, ())
    assert (run.planned_s, run.workload) == (None, "users by Peaks")
    assert 2.5 < run.elapsed_s < 8


def test_a_run_that_is_ended_before_its_shape_ends_it_is_cut_off(tmp_path: Path, own: Path) -> None:
    own.write_text(LOCUSTFILE + PEAKS.replace("> 3", "> 60"))
    workshop = Workshop(tmp_path)
    ended = interrupted(workshop, "-f", str(own), "--scenario", workshop.scenario())
    assert ended.code == 5, ended.err
    (fault,) = workshop.run().generator_faults
    assert re.fullmatch(r"the run was cut off after \d\.\d s, before its shape ended it", fault)


def interrupted(workshop: Workshop, *arguments: str) -> Ended:
    """A run in the terminal that somebody ends."""
    process = workshop.locust("--headless", "--only-summary", *arguments)
    with family(process):
        await_line(process.stdout, r"^00:0[2-9]")
        process.terminate()
        return end_of(process)


def test_without_a_shape_users_and_time_are_as_locust_is_told(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own.write_text(LOCUSTFILE + "Visitor.fixed_count = 1\n")
    run = run_scenario(CLOSED, locustfile=own, users=3, duration="2s", options=["-r", "3"])
    assert (run.exit_code, run.planned_s, run.workload) == (0, 2, "users by Locust's options")
    assert 2 <= run.elapsed_s < 6
    assert counts(capsys.readouterr().out) == [{"UploadUser": 2, "Visitor": 1}]


def test_a_run_whose_end_nobody_has_planned_is_complete_when_it_is_ended(tmp_path: Path, own: Path) -> None:
    own.write_text(LOCUSTFILE)
    workshop = Workshop(tmp_path)
    ended = interrupted(workshop, "-f", str(own), "-u", "3", "-r", "3", "--scenario", workshop.scenario())
    assert ended.code == 0, ended.out + ended.err
    assert workshop.run().generator_faults == ()


def test_a_task_of_somebody_that_fails_is_named_with_its_place(own: Path) -> None:
    own.write_text(LOCUSTFILE.replace("self.client.get(", "raise KeyError(").replace(", name=f", " + f") + STAGES)
    run = run_scenario(CLOSED, locustfile=own)
    assert run.exit_code == 5
    (fault,) = run.generator_faults
    assert re.fullmatch(r"the generator failed \d+ times: '/v1/files.*' \(own\.py, line 12, in visit\)", fault)


def test_a_class_may_have_a_host_of_its_own_unless_one_is_given_to_all(tmp_path: Path, own: Path) -> None:
    own.write_text(LOCUSTFILE + STAGES + "Visitor.host = 'http://127.0.0.1:9'\n")
    for target, host in [(None, "http://127.0.0.1:9"), ("embedded", r"http://127\.0\.0\.1:\d{2,}")]:
        run = run_scenario(CLOSED, target=target, locustfile=own, options=["--csv", str(tmp_path / "told")])
        assert run.exit_code == 0, "what fails for others is in Locust's table, not in the verdict"
        (told,) = (name for name in requests_told(tmp_path / "told") if name.startswith("files of"))
        assert re.fullmatch(f"files of {host}", told)


def test_runs_of_the_web_ui_find_the_embedded_server_of_each(tmp_path: Path, own: Path) -> None:
    own.write_text(LOCUSTFILE + STAGES + "Visitor.fixed_count = 1\n")
    workshop = Workshop(tmp_path)
    with open_page(workshop, "-f", str(own), "--scenario", workshop.scenario(hold="60s")) as page:
        hosts = []
        for _ in range(2):
            assert page.start()["success"] is True
            page.await_output(UNDER_WAY)
            page.stop()
            page.await_output("report    ")
            hosts += [name for name in page.statistics() if name.startswith("files of")]
        assert '"host": "embedded"' in page.text(), "the form shows what was in it"
    runs = [Run.load(folder) for folder in sorted(workshop.reports.iterdir())]
    assert [run.exit_code for run in runs] == [0, 0]
    assert [f"files of {run.target}" for run in runs] == hosts


def test_a_shape_of_ones_own_ends_its_runs_in_the_web_ui_and_somebody_may_end_them_earlier(
    tmp_path: Path, own: Path
) -> None:
    own.write_text(LOCUSTFILE + PEAKS)
    workshop = Workshop(tmp_path)
    with open_page(workshop, "-f", str(own), "--scenario", workshop.scenario()) as page:
        assert page.start(user_count="0", spawn_rate="0")["success"] is True
        page.await_stop()
        assert page.start(user_count="0", spawn_rate="0")["success"] is True
        page.await_output("^00:0[12]")
        page.stop()
        page.await_output("report    ")
    runs = [Run.load(folder) for folder in sorted(workshop.reports.iterdir())]
    assert [(run.generator_faults, run.workload) for run in runs] == [((), "users by Peaks")] * 2


def test_classes_that_are_picked_have_to_fit_the_scenario(tmp_path: Path, own: Path) -> None:
    own.write_text(LOCUSTFILE + STAGES)
    scenario = tmp_path / "open.yaml"
    scenario.write_text(OPEN)
    with open_page(Workshop(tmp_path), "-f", str(own), "--class-picker", "--scenario", str(scenario)) as page:
        assert str(page.start()["message"]).startswith("expected fixed_count for Visitor, found weight")
        assert page.start(user_classes="UploadUser")["success"] is True
        page.await_stop()
