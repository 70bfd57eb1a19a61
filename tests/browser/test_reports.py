"""A report, opened as a file by a real browser, draws its charts in any light and on paper, without a complaint."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.browser import Complaints
from tests.reports import special_runs
from tests.reports.runs import crashed, good
from upswarm.reports.comparison.page import comparison_page
from upswarm.reports.html import write_report
from upswarm.results.comparison.comparison import compare
from upswarm.results.comparison.gate import judge
from upswarm.results.comparison.sides import Side

CHARTS = 5
_CUT = """[...document.querySelectorAll('.changes td, .changes th[scope=row]')]
.filter((each) => each.getBoundingClientRect().right > innerWidth).map((each) => each.textContent)"""
_WIDER = "document.documentElement.scrollWidth > innerWidth"
_DRAWN_ON_PAPER = "[...document.querySelectorAll('figure svg')].map((each) => each.getBoundingClientRect().height)"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_report(special_runs.saturated(), tmp_path_factory.mktemp("report")).as_uri()


def drawn(tab: Page) -> None:
    charts = tab.locator("figure svg")
    expect(charts).to_have_count(CHARTS)
    for number in range(CHARTS):
        expect(charts.nth(number).locator("path").nth(3)).to_be_attached()


def test_charts_are_drawn_and_the_reader_may_choose_a_phase(tab: Page, report: str) -> None:
    tab.goto(report)
    drawn(tab)
    tab.get_by_role("button", name="finalize").click()
    expect(tab.get_by_role("button", name="finalize")).to_have_attribute("aria-pressed", "true")
    tab.locator("figure").first.hover()
    expect(tab.get_by_text("goodput (finished files)").last).to_be_visible()


def test_they_follow_the_light(tab: Page, report: str) -> None:
    tab.goto(report)
    light = tab.locator("figure svg").first.inner_html()
    tab.emulate_media(color_scheme="dark")
    expect(tab.locator("figure svg").first).to_be_visible()
    tab.wait_for_function("was => document.querySelector('figure svg').innerHTML !== was", arg=light)
    drawn(tab)


def test_paper_has_the_colours_of_light_and_charts_as_wide_as_it_is(tab: Page, report: str, tmp_path: Path) -> None:
    tab.emulate_media(color_scheme="dark")
    tab.goto(report)
    tab.emulate_media(media="print")
    drawn(tab)
    assert min(tab.evaluate(_DRAWN_ON_PAPER)) > 100
    assert "rgb(231,233,236)" not in tab.locator("figure svg").first.inner_html()
    tab.pdf(path=str(tmp_path / "report.pdf"), format="A4")
    assert (tmp_path / "report.pdf").stat().st_size > 20_000


def test_a_phone_shows_it_without_scrolling_to_the_side(browser: Browser, report: str) -> None:
    complaints = Complaints()
    context = browser.new_context(viewport={"width": 390, "height": 844})
    try:
        page = context.new_page()
        complaints.watch(page)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(report)
        drawn(page)
        assert not page.evaluate(_WIDER)
        assert asked == [report]
    finally:
        context.close()
    assert complaints.found == []


def test_a_phone_shows_all_numbers_of_a_comparison_too(tab: Page, tmp_path: Path) -> None:
    sides = [Side(letter, [run]) for letter, run in zip("AB", (good(), crashed()), strict=True)]
    page = tmp_path / "compare.html"
    page.write_text(comparison_page([judge(compare(*sides), [])]), encoding="utf-8")
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(page.as_uri())
    tab.locator("details").evaluate("each => each.open = true")
    assert not tab.evaluate(_WIDER)
    assert tab.evaluate(_CUT) == []
