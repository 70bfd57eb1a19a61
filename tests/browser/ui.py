"""Locust's web UI as a person sees it: fields by their labels, buttons and tabs by their names."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.browser import PATIENCE_S
from tests.journey.page import open_page
from tests.journey.runs import Workshop

USERS = "Number of users"
SCENARIO = "Scenario"

_ROWS = """table => {
    const heads = [...table.querySelectorAll('thead th')].map(cell => cell.innerText.replace(/\\s+/g, ' '));
    return [...table.querySelectorAll('tbody tr')].map(row =>
        Object.fromEntries([...row.cells].map((cell, column) => [heads[column], cell.innerText])));
}"""


class UI:
    """One page that shows the UI at `url`."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def open(self) -> UI:
        """Open the page; the form is there when no run is going on."""
        self.page.goto(self.url)
        return self

    def field(self, label: str) -> Locator:
        """The field of the form whose label begins so; what folds away is unfolded."""
        if not self.page.get_by_role("region").count():
            self.page.get_by_role("button", name="Custom parameters").click()
        return self.page.get_by_label(re.compile(f"^{re.escape(label)}"))

    def fill(self, label: str, text: str) -> None:
        """Type into a field, and leave it."""
        self.field(label).fill(text)
        self.field(label).blur()  # Locust says something below the host then, and moves the button away

    def start(self) -> None:
        """Press Start, and wait until the run is shown."""
        self.page.get_by_role("button", name="Start", exact=True).click()
        expect(self.button("Stop")).to_be_visible()

    def refused(self) -> str:
        """Press Start, and read what the page says instead of beginning."""
        self.page.get_by_role("button", name="Start", exact=True).click()
        return self.page.get_by_role("alert").inner_text()

    def edit(self, label: str, text: str) -> None:
        """Change a field of the run that goes on."""
        self.button("Edit").click()
        self.fill(label, text)
        self.page.get_by_role("button", name="Update", exact=True).click()

    def stop(self) -> None:
        """Press Stop, and wait until the page says that it has stopped."""
        self.button("Stop").click()
        self.await_status("stopped")

    def await_status(self, status: str) -> None:
        """Wait until the head of the page says so; Locust asks every two seconds."""
        expect(self.page.get_by_role("banner")).to_contain_text(f"Status{status}", ignore_case=True)

    def button(self, name: str) -> Locator:
        """A button of the page's head."""
        return self.page.get_by_role("banner").get_by_role("button", name=name, exact=True)

    def tab(self, name: str) -> None:
        """Go to a tab."""
        self.page.get_by_role("tab", name=name, exact=True).click()

    def rows(self, table: int = 0) -> list[dict[str, str]]:
        """The rows of a table of this tab, by the headings of its columns."""
        rows: list[dict[str, str]] = self.page.get_by_role("table").nth(table).evaluate(_ROWS)
        return rows

    def row(self, name: str, table: int = 0) -> dict[str, str]:
        """The row with this name; empty where there is none yet."""
        return next((row for row in self.rows(table) if row.get("Name") == name), {})

    def uploads(self) -> int:
        """How many uploads the table of the tab "Statistics" has."""
        return int(self.row("upload").get("# Requests", "0"))

    def await_uploads(self, count: int) -> None:
        """Wait until it has so many."""
        self.wait_until(lambda: self.uploads() >= count)

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Let the page go on living until it holds; fails when it does not for long."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds() and time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
        assert holds()

    def download(self, link: str, folder: Path) -> Path:
        """Follow a link that downloads; the file under the name that the server gave it."""
        with self.page.expect_download() as coming:
            self.page.get_by_role("link", name=link, exact=True).click()
        path = folder / coming.value.suggested_filename
        coming.value.save_as(path)
        return path


@contextmanager
def open_ui(page: Page, workshop: Workshop, *arguments: str, scheme: str = "http", base_path: str = "") -> Iterator[UI]:
    """Start Locust and open its page; both are gone afterwards, and the page first, or it would complain."""
    with open_page(workshop, *arguments, scheme=scheme, base_path=base_path) as locust:
        yield UI(page, locust.url).open()
        page.goto("about:blank")
