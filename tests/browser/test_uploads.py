"""Our own pages beside Locust's: the tab "Uploads", the live page, and the files of a run that has ended."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.live import Live
from tests.browser.ui import UI, open_ui
from tests.journey.runs import Workshop

FILES = ("run.json", "report.html", "phases.csv", "series.csv")


@pytest.fixture
def ui(workshop: Workshop, tab: Page) -> Iterator[UI]:
    with open_ui(tab, workshop, "--scenario", workshop.scenario(hold="60s")) as ui:
        yield ui


def test_uploads_are_watched_live_and_their_files_are_taken_home(ui: UI, workshop: Workshop) -> None:
    ui.start()
    ui.tab("Uploads")
    ui.wait_until(lambda: finished(ui) > 0)

    live = Live.of(ui)
    live.await_state("Running.")
    live.await_uploads(1)
    points, uploads = live.points("Bytes per second"), live.uploads()
    live.await_uploads(uploads + 1)
    ui.wait_until(lambda: live.points("Bytes per second") > points)
    live.page.get_by_role("combobox", name="Response times of").select_option("upload")
    expect(live.chart("Response times of upload")).to_be_visible()

    live.leave()
    ui.stop()
    ui.tab("Uploads")
    live = Live.of(ui)
    live.await_state("Ended: passed.")
    run = workshop.run()
    assert live.uploads() == run.measurements.uploads.finished
    taken = {name: live.download(name, workshop.folder) for name in FILES}
    assert {path.name for path in taken.values()} == {f"{run.run_id}-{name}" for name in FILES}
    for name in ("run.json", "report.html"):
        assert taken[name].read_bytes() == (workshop.reports / run.run_id / name).read_bytes()
    rows = csv.DictReader(taken["phases.csv"].read_text().splitlines())
    counts = {row["phase"]: int(row["count"]) for row in rows}
    assert counts["upload"] == run.measurements.uploads.finished
    seconds = csv.DictReader(taken["series.csv"].read_text().splitlines())
    assert sum(int(row["finished_uploads"]) for row in seconds) == run.measurements.uploads.finished

    live.page.get_by_role("link", name="report", exact=True).click()
    expect(live.page.get_by_text("All 2 thresholds held")).to_be_visible()
    live.page.goto(taken["report.html"].as_uri())
    expect(live.page.get_by_text("All 2 thresholds held")).to_be_visible()


def finished(ui: UI) -> int:
    """How many uploads have finished, in the tab "Uploads"."""
    rows = {row["What"]: row["Whole run"] for row in ui.rows()}
    return int(rows.get("uploads finished", "0"))
