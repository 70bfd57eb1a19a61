"""A real browser, the one of the system: Chromium, driven by Playwright. What pages complain about is collected."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, ViewportSize, expect, sync_playwright

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MISSING = "" if PROGRAM else "chromium is not installed"
"""Why no page can be opened on this machine."""

PATIENCE_S = 20
SIZE: ViewportSize = {"width": 1280, "height": 800}
ARGUMENTS = (
    "--headless",
    "--no-sandbox",  # in a container there is none to be had
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # nothing but the pages of the tests is asked of the network
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Complaints:
    """What went wrong in a page, whether anybody could see it or not."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def watch(self, page: Page) -> None:
        """Collect what is said in the console, scripts that fail, requests without an answer and answers of 400 up."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.found.append(f"script: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.found.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left, or what came is a download
            self.found.append(f"{request.method} {request.url}: {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.found.append(f"{response.request.method} {response.url}: {response.status}")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A browser without a past; it is gone afterwards, and so is Playwright's event loop."""
    expect.set_options(timeout=PATIENCE_S * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_tab(browser: Browser, complaints: Complaints) -> Iterator[Page]:
    """A page with a profile of its own, which believes any certificate; its complaints and those of pages it opens."""
    context = browser.new_context(viewport=SIZE, ignore_https_errors=True, locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(PATIENCE_S * 1000)
    context.on("page", complaints.watch)
    try:
        yield context.new_page()
    finally:
        context.close()
