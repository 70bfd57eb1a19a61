"""What people do in Locust's web UI: choose, start, watch, edit, stop, start again, take the results home."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.ui import SCENARIO, UI, USERS, open_ui
from tests.journey.runs import Workshop, free_port
from upswarm.results.run_file import Run


@pytest.fixture
def ui(workshop: Workshop, tab: Page) -> Iterator[UI]:
    with open_ui(tab, workshop, "--scenario", workshop.scenario(hold="60s")) as ui:
        yield ui


def newest(workshop: Workshop) -> Path:
    """The folder of the run that came last."""
    return max(workshop.reports.iterdir())


def test_a_scenario_is_chosen_a_mistake_is_said_in_the_form_and_what_is_right_starts(
    ui: UI, workshop: Workshop
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ui.field(SCENARIO).select_option("many-small")
    ui.fill("Host", url)
    assert ui.refused().startswith(f"no answer from the target {url}: Connection refused; start it, ")
    ui.fill("Host", "embedded")
    expect(ui.page.get_by_role("alert")).to_be_hidden()
    ui.fill(USERS, "0")
    assert ui.refused().startswith("Number of users: expected a whole number from 1 to")
    ui.fill(USERS, "2")
    ui.start()
    ui.await_uploads(1)
    assert newest(workshop).name.endswith("-many-small")


def test_a_run_is_watched_edited_stopped_taken_home_and_followed_by_another(ui: UI, workshop: Workshop) -> None:
    ui.start()
    ui.await_uploads(10)
    seen = ui.uploads()
    ui.await_uploads(seen + 1)
    ui.edit(USERS, "5")
    expect(ui.page.get_by_role("banner")).to_contain_text("Users5")
    ui.stop()
    run = Run.load(newest(workshop))
    assert ui.uploads() == run.measurements.uploads.finished > seen

    ui.tab("Download Data")
    with ui.download("Download requests CSV", workshop.folder).open() as rows:
        counts = {row["Name"]: int(row["Request Count"]) for row in csv.DictReader(rows)}
    attempts = {phase: tally.attempts for phase, tally in run.measurements.phases.items() if tally.attempts}
    assert attempts.items() <= counts.items()

    ui.tab("Statistics")
    ui.button("New").click()
    ui.fill(USERS, "2")
    ui.start()
    ui.wait_until(lambda: 0 < ui.uploads() < run.measurements.uploads.finished)
    expect(ui.page.get_by_role("banner")).to_contain_text("Users2")
    assert newest(workshop).name != run.run_id
