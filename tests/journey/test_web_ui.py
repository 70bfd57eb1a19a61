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
