"""Locust's web UI: the form offers the scenarios, Start is checked, and a run leaves its report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import pytest

from tests.journey.page import Page, open_page
from tests.journey.runs import UNDER_WAY, Workshop, await_line, family, free_port
from upswarm.results.run_file import Run


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture
def page(workshop: Workshop) -> Iterator[Page]:
    with open_page(workshop, "--scenario", workshop.scenario()) as page:
        yield page


def test_the_form_offers_the_scenarios_and_shows_the_users_and_the_target(page: Page) -> None:
    html = page.text()
    assert '"smoke"' in html
    assert "journey.yaml" in html
    assert '"num_users": 3' in html
    assert '"host": "embedded"' in html


def test_a_mistake_in_the_form_is_a_sentence_and_no_run(page: Page, workshop: Workshop) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    broken = workshop.folder / "broken.yaml"
    broken.write_text("files: {")
    for fields, message in (
        ({"host": url}, f"no answer from the target {url}: Connection refused"),
        ({"scenario": "smokey"}, "expected a scenario ("),
        ({"scenario": str(workshop.folder)}, "expected a scenario ("),
        ({"scenario": str(broken)}, f"{broken}: 1 mistake; {broken}:1:9: scenario: is not YAML"),
        ({"scenario": "\0"}, "expected a scenario ("),
        ({"user_count": "many", "spawn_rate": "nan"}, "Number of users: expected a whole number from 1 to 1,000,000, "
                                                      "found 'many'; Ramp up: expected a number above 0"),
        ({"run_time": "0"}, "Run time: expected from 1s to 30 days"),
        ({"host": "http://[::1"}, "target: "),
        ({"host": f"{url}/?sig=hunter2"}, "target: expected a URL without a query or a fragment, found one; a SAS or"),
        ({"digest": "md5", "chunk_size": "8 parsecs"}, "Chunk Size: expected `server` or a size such as 8MiB or 1.5GB, "
                                                       "found '8 parsecs'; Digest: expected 'none', "),
        ({"protocol": "s3"}, "Protocol: expected chunked or tus, which is what the embedded server speaks"),
        ({"content": "json:loads"}, "Content: is refused by json:loads"),
        ({"rate": "20"}, "Rate: expected a rate such as 200/s"),
        ({"baseline": "nothing"}, "expected a run file, found nothing at nothing; give a folder below reports/"),
        ({"rate": "20/s", "user_count": "9"}, "expected Rate or Users, found both"),
    ):  # fmt: skip
        answer = page.start(**fields)
        assert answer["success"] is False
        assert str(answer["message"]).startswith(message)
    assert not list(workshop.reports.glob("*/*"))
    assert "hunter2" not in page.text("/") + page.text("/logs")


def test_a_target_that_no_page_may_show_is_refused_before_there_is_one(workshop: Workshop) -> None:
    ended = workshop.upswarm("ui", "smoke", "--port", "0", "--target", "http://h/files?sig=hunter2")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("target: expected a URL without a query or a fragment, found one\n")
    assert "hunter2" not in ended.err


def test_runs_can_be_started_stopped_and_started_again(page: Page, workshop: Workshop) -> None:
    scenario = workshop.scenario(hold="60s")
    for users in ("3", "2"):  # as the form shows them, and changed
        assert page.start(scenario=scenario, user_count=users)["success"] is True
        again = page.start(scenario=scenario, host="embedded")
        assert again["message"] == "a run is going on; stop it first, then start the next one"
        page.await_output(UNDER_WAY)
        assert {"init", "chunk", "finalize", "upload"} <= page.statistics().keys()
        page.stop()
        page.await_output("report    ")
    first, second = sorted(workshop.reports.iterdir())
    assert json.loads((first / "run.json").read_text())["peak_users"] == 3
    assert json.loads((second / "run.json").read_text())["peak_users"] == 2


def test_no_page_shows_a_key(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "hunter2-hunter2")
    target = "{url: embedded, auth: {header: {name: X-Api-Key, value: '${KEY}'}}}"
    with open_page(workshop, "--loglevel", "DEBUG", "--scenario", workshop.scenario(target, hold="1s")) as page:
        assert page.start()["success"] is True
        page.await_stop()
        paths = ("/", "/stats/requests", "/stats/report", "/stats/requests/csv", "/exceptions", "/logs", "/tasks")
        assert [path for path in paths if "hunter2" in page.text(path)] == []
    assert workshop.run().measurements.uploads.finished > 0


def test_locusts_statistics_are_ours(page: Page, workshop: Workshop) -> None:
    page.start(scenario=workshop.scenario())
    page.await_output("report    ")
    run, statistics = workshop.run(), page.statistics()
    for phase, tally in run.measurements.phases.items():
        if tally.attempts:
            assert statistics[phase]["num_requests"] == tally.attempts
    assert statistics["upload"]["num_requests"] == run.measurements.uploads.finished


def test_a_run_that_starts_by_itself_can_be_followed_by_another(workshop: Workshop) -> None:
    with open_page(workshop, "--autostart", "--scenario", workshop.scenario(hold="1s")) as page:
        page.await_stop()
        (first,) = workshop.reports.iterdir()
        assert page.start(user_count="2", run_time="2s", baseline=f" {first} ")["success"] is True
        page.await_stop()
    runs = [Run.load(folder) for folder in sorted(workshop.reports.iterdir())]
    assert [(run.peak_users, run.planned_s, run.exit_code) for run in runs] == [(3, 2, 0), (2, 2, 0)]
    assert [run.notes for run in runs] == [(), (f"the baseline of its thresholds is run {first.name}",)]


def test_uploads_that_arrive_and_uploads_that_are_counted_run_in_the_page_too(page: Page, workshop: Workshop) -> None:
    """One kind of load after the other in the same process; the form still shows the users of the first scenario."""
    path = workshop.folder / "load.yaml"
    for load in (
        "iterations: {count: 30, users: 2}",
        "arrivals: {stages: [{rate: 20/s, hold: 1s}]}",
        "arrivals: {stages: [{rate: 20/s, hold: 1s}]}",
        "iterations: {count: 7}",
    ):
        path.write_text(f"files: [64KiB]\nworkload: {{{load}}}\n")
        assert page.start(scenario=str(path))["success"] is True
        page.await_stop()
    refused = page.start(scenario=str(path.with_name("journey.yaml")), user_count="0")
    assert refused["success"] is False
    runs = [Run.load(folder) for folder in sorted(workshop.reports.iterdir())]
    assert [run.measurements.uploads.finished for run in runs] == [30, 20, 20, 7]
    assert [run.exit_code for run in runs] == [0, 0, 0, 0]


def test_a_page_hears_of_no_ending_for_it_would_not_ask_again(page: Page, workshop: Workshop) -> None:
    """Told that a run is being stopped, Locust's page shows that for ever."""
    page.start(scenario=workshop.scenario(hold="60s"))
    page.await_output(UNDER_WAY)
    stop = Thread(target=page.stop)
    stop.start()
    states = set()
    while stop.is_alive():
        states |= set(re.findall(r'"state": "(\w+)"', page.text()))
    assert states <= {"running", "stopped"}


def test_what_the_form_changes_is_what_the_run_did_and_what_its_file_keeps(page: Page, workshop: Workshop) -> None:
    changes = {"protocol": "tus", "content": "random", "chunk_size": "1MiB", "parallel_chunks": "2", "digest": "none"}
    assert page.start(**changes, run_time="2s", upswarm_plan="no option", web_port="no number")["success"] is True
    page.await_stop()
    run = workshop.run()
    assert run.scenario["target"]["protocol"] == "tus"
    assert {each["content"] for each in run.scenario["files"]} == {"random"}
    transfer = run.scenario["transfer"]
    assert (transfer["chunk_size"], transfer["parallel_chunks"], transfer["digest"]) == ("1MiB", 2, "none")
    assert (run.exit_code, run.planned_s, run.peak_users) == (0, 2, 3)
    fields = page.fields()
    assert {name: fields[name]["default_value"] for name in changes} == changes  # a page that is loaded anew


def test_users_can_be_edited_while_a_closed_load_runs_and_nothing_else_can(page: Page, workshop: Workshop) -> None:
    scenario = workshop.scenario(hold="60s")
    assert page.start(scenario=scenario, digest="sha256")["success"] is True
    page.await_output(UNDER_WAY)
    unchanged = {"scenario": scenario, "digest": "sha256"}
    assert page.start(**unchanged)["message"] == "nothing was changed"
    assert '"host": "embedded"' in page.text()  # and not the port of this run, which the next one would go to
    assert page.start(**unchanged, user_count="x")["success"] is False
    refused = page.start(**{**unchanged, "digest": "none"})
    reason = "expected another number of users or ramp up only, for a run is going on, found another Digest; stop it"
    assert str(refused["message"]).startswith(reason)
    assert "the running test was not edited: expected another" in page.text("/logs")  # Locust's form has closed by then
    assert page.start(**unchanged, user_count="7", spawn_rate="100")["message"] == "from now on 7 users"
    page.await_output(r" 7 users ")
    page.stop()
    page.await_output("report    ")
    run = workshop.run()
    assert (run.peak_users, run.exit_code) == (7, 0)
    assert any("somebody changed the number of users to 7" in note for note in run.notes)
    assert "somebody changed the number of users to 7" in [mark.sentence for mark in run.marks]


def test_an_edit_of_the_ramp_up_alone_leaves_the_users_of_another_scenario_alone(
    page: Page, workshop: Workshop
) -> None:
    """The page shows three users, of the scenario that it began with, and its form sends them with every edit."""
    path = workshop.folder / "other.yaml"
    path.write_text("files: [64KiB]\nworkload: {users: {stages: [{to: 6, over: 0s}, {hold: 60s}]}}\n")
    assert page.start(scenario=str(path))["success"] is True
    page.await_output(UNDER_WAY)
    refused = page.start(scenario=str(path), spawn_rate="50")
    assert str(refused["message"]).startswith("expected another number of users than the 3 that the form began with, ")
    assert page.start(scenario=str(path), user_count="7", spawn_rate="50")["success"] is True
    assert page.start(scenario=str(path), user_count="3", spawn_rate="50")["success"] is True
    page.await_output(r" 3 users ")


def test_users_of_an_open_load_can_not_be_edited(page: Page, workshop: Workshop) -> None:
    path = workshop.folder / "load.yaml"
    path.write_text("files: [64KiB]\nworkload: {arrivals: {stages: [{rate: 20/s, hold: 60s}]}}\n")
    assert page.start(scenario=str(path))["success"] is True
    page.await_output(UNDER_WAY)
    assert str(page.start(user_count="9")["message"]).startswith(
        "the users of this run can't be edited, for it is up to"
    )
    page.stop()
    page.await_output("report    ")
    assert workshop.run().exit_code == 0


def test_a_start_while_another_is_being_prepared_does_not_disturb_it(page: Page, workshop: Workshop) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: page.start(host="embedded", run_time="2s"), range(4)))
    assert sorted(answer["success"] for answer in answers) == [False, False, False, True]
    page.await_stop()
    assert workshop.run().exit_code == 0


def test_the_class_pickers_default_shape_is_the_scenarios_stages(workshop: Workshop) -> None:
    with open_page(workshop, "--class-picker", "--scenario", workshop.scenario(hold="1s")) as page:
        wrong = page.start(user_classes="NoUser", shape_class="Default")
        assert wrong["message"] == "user_classes: expected some of UploadUser, found 'NoUser'"
        assert page.start(user_classes="UploadUser", shape_class="Default")["success"] is True
        page.await_stop()
    run = workshop.run()
    assert (run.peak_users, run.planned_s, run.exit_code) == (3, 2, 0)


def test_upswarm_ui_says_where_the_page_opens_and_who_keeps_it_from_opening(workshop: Workshop) -> None:
    scenario = workshop.scenario(hold="6s")
    process = workshop.begin("ui", scenario, "--port", "0", "--reports", str(workshop.reports), "--processes", "2")
    with family(process):
        said = await_line(process.stdout, "open http://")
        port = int(said.rpartition(":")[2].partition("/")[0])
        page = Page(f"http://127.0.0.1:{port}", process)
        page.await_workers(2)
        second = workshop.upswarm("ui", "--port", str(port))
        assert (second.code, second.out) == (2, "")
        assert second.err.startswith(f"the page can't open at 127.0.0.1:{port}: the port is taken\n  end what listens")
        assert page.fields()["scenario"]["default_value"] == scenario
        assert page.start(host="embedded")["success"] is True
        page.await_output(UNDER_WAY)
        assert page.start(user_count="6", spawn_rate="100")["message"] == "from now on 6 users"
        page.await_stop()
    run = workshop.run()
    assert (run.peak_users, run.planned_s, run.exit_code, len(run.workers)) == (6, 7, 0, 2)
