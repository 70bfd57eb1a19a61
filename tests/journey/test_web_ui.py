"""Locust's web UI: the form offers the scenarios, Start is checked, and a run leaves its report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journey.page import Page, open_page
from tests.journey.runs import UNDER_WAY, Workshop, free_port
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
    for fields, message in (
        ({"host": url}, f"no answer from the target {url}: Connection refused"),
        ({"scenario": "smokey"}, "expected a scenario ("),
        ({"user_count": "0"}, "expected at least one user"),
        ({"run_time": "soon"}, "expected users and rate as numbers and a run time such as 30s"),
    ):
        answer = page.start(**fields)
        assert answer["success"] is False
        assert str(answer["message"]).startswith(message)
    assert not list(workshop.reports.glob("*/*"))


def test_runs_can_be_started_stopped_and_started_again(page: Page, workshop: Workshop) -> None:
    scenario = workshop.scenario(hold="60s")
    for users in ("3", "2"):  # as the form shows them, and changed
        assert page.start(scenario=scenario, user_count=users)["success"] is True
        assert page.start(scenario=scenario)["message"] == "a run is going on\n  stop it first, then start the next one"
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
        assert page.start(user_count="2", run_time="2s")["success"] is True
        page.await_stop()
    runs = [Run.load(folder) for folder in sorted(workshop.reports.iterdir())]
    assert [(run.peak_users, run.planned_s, run.exit_code) for run in runs] == [(3, 2, 0), (2, 2, 0)]


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
