"""The live page, as a person sees it."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.browser.browser import PATIENCE_S
from tests.browser.ui import UI


class Live:
    """One page that shows uploads as they go on."""

    def __init__(self, ui: UI) -> None:
        self._ui = ui
        self.page = ui.page

    @classmethod
    def of(cls, ui: UI) -> Live:
        """Follow the link in Locust's page."""
        ui.page.get_by_role("link", name=re.compile("^Uploads, live")).first.click()
        expect(ui.page).to_have_url(re.compile("/uploads$"))
        return cls(ui)

    def leave(self) -> None:
        """Follow the link back."""
        self.page.get_by_role("link", name="Locust").click()
        expect(self.page.get_by_role("tablist")).to_be_visible()

    def await_state(self, words: str, patience_s: float = PATIENCE_S) -> None:
        """Wait until the banner says so."""
        expect(self.page.get_by_role("status")).to_contain_text(words, timeout=patience_s * 1000)

    def chart(self, name: str) -> Locator:
        """The chart whose description begins so."""
        return self.page.get_by_role("img", name=re.compile(f"^{name}"))

    def points(self, chart: str) -> int:
        """How many points the first line of a chart has."""
        line = self.chart(chart).locator("path").first
        return (line.get_attribute("d") or "").count("L") if line.count() else 0

    def uploads(self) -> int:
        """How many uploads have ended, in the table of phases."""
        row = self.page.get_by_role("region", name="phases").get_by_role("row").filter(has_text=re.compile("^upload"))
        return int(row.get_by_role("cell").first.inner_text().replace(",", "")) if row.count() else 0

    def await_uploads(self, count: int) -> None:
        """Wait until so many have ended."""
        self._ui.wait_until(lambda: self.uploads() >= count)

    def download(self, name: str, folder: Path) -> Path:
        """Download a file of the run that ended last."""
        runs = self.page.get_by_role("region", name="runs").get_by_role("row")
        with self.page.expect_download() as coming:
            runs.nth(1).get_by_role("link", name=name, exact=True).click()
        path = folder / coming.value.suggested_filename
        coming.value.save_as(path)
        return path
