"""Our own pages beside Locust's: the tab "Uploads", the live page, and the files of a run that has ended."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.live import Live
from tests.browser.ui import UI, USERS, open_ui
from tests.journey.runs import Workshop

FILES = ("run.json", "report.html", "summary.md", "junit.xml", "phases.csv", "series.csv")


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
    for name in ("run.json", "report.html", "summary.md", "junit.xml"):
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


def test_a_live_page_that_is_left_open_shows_one_run_after_the_other(ui: UI, workshop: Workshop) -> None:
    with ui.page.context.expect_page() as opened:
        ui.page.get_by_role("link", name=re.compile("^Uploads, live")).first.click(modifiers=["Control"])
    live = Live(UI(opened.value, ui.url))
    live.await_state("No run yet.")
    ui.fill(USERS, "2")
    ui.start()
    live.await_uploads(10)
    before = live.uploads()
    ui.stop()
    live.await_state("Ended:")
    link = live.page.get_by_role("link", name="run.json")
    link.focus()
    for _ in range(2):
        live.page.wait_for_event("response", lambda response: "/uploads/live" in response.url)
    expect(link).to_be_focused()
    ui.button("New").click()
    ui.start()
    live.await_state("Running.")
    assert live.uploads() < before
    live.page.goto("about:blank")


def test_locusts_page_is_no_taller_than_the_window(ui: UI) -> None:
    for width, height in ((1280, 800), (390, 844)):
        ui.page.set_viewport_size({"width": width, "height": height})
        assert ui.page.evaluate("document.documentElement.scrollHeight") == height


def finished(ui: UI) -> int:
    """How many uploads have finished, in the tab "Uploads"."""
    rows = {row["What"]: row["Whole run"] for row in ui.rows()}
    return int(rows.get("uploads finished", "0"))
