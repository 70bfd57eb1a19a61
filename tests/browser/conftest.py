"""One browser for the tests of this folder, one page for each test, and no page complains of anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.browser import MISSING, Complaints, open_browser, open_tab
from tests.journey.runs import Workshop

_HASTE = """if (location.pathname.endsWith("/uploads")) {
    const each = setInterval;
    setInterval = (call, everyMs) => each(call, everyMs / 8);
}"""
"""The live page asks every other second, and nobody here has so much time. Locust's page has to: its answers are up to
two seconds old, and it would take that of before a start for the end of the run."""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Gone before the next folder's tests: Playwright's event loop counts as running for as long as it is there."""
    if MISSING:
        pytest.skip(MISSING)
    with open_browser() as browser:
        yield browser


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """An empty page. The test fails when any page that it opens has complained."""
    complaints = Complaints()
    with open_tab(browser, complaints) as page:
        page.context.add_init_script(_HASTE)
        yield page
    assert complaints.found == []


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)
