"""The pictures of the docs, made anew: `python -m tests.browser.screenshots [FOLDER]`, or `make screenshots`.

Real runs of about two minutes, in a real browser. What the terminal said of the run in report.png is printed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize

from tests.browser.browser import MISSING, SIZE, Complaints, open_browser, open_tab
from tests.browser.live import Live
from tests.browser.ui import SCENARIO, UI, open_ui
from tests.journey.runs import Workshop

IMAGES = Path(__file__).parents[2] / "docs" / "images"
TALL: ViewportSize = {"width": 1200, "height": 1720}
SHOWN = "flaky-network"
TO_WARM_UP_S = 12
SIDES = """\
name: {name}
target: {{embedded: {{faults: [{{phase: chunk, share: 1, delay_s: {delay_s}}}]}}}}
files: [1MiB]
workload: {{users: {{stages: [{{to: 4, over: 0s}}, {{hold: 12s}}], think_time: 50ms}}}}
"""


class Camera:
    """Takes pictures of a page into a folder."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self._folder = folder

    def take(self, name: str, *, whole: bool = False) -> None:
        """What the window shows, or the `whole` page."""
        self.page.mouse.move(0, 0)
        self.page.wait_for_timeout(700)  # Locust's page moves things about gently
        self.page.screenshot(path=self._folder / f"{name}.png", full_page=whole)
        print(f"{name}.png", flush=True)

    def take_tall(self, name: str) -> None:
        """What a window of an unusual height shows: enough of a long page."""
        self.page.set_viewport_size(TALL)
        self.take(name)
        self.page.set_viewport_size(SIZE)

    def take_bottom(self, name: str) -> None:
        """As `take_tall`, of the end of the page."""
        self.page.set_viewport_size(TALL)
        self.page.keyboard.press("End")
        self.take(name)
        self.page.set_viewport_size(SIZE)


def take_report(camera: Camera, workshop: Workshop) -> None:
    """The report of the first run of the README."""
    print(workshop.upswarm("run", "smoke").out)
    (folder,) = workshop.reports.iterdir()
    camera.page.goto((folder / "report.html").as_uri())
    camera.take_tall("report")


def take_drill(camera: Camera, workshop: Workshop) -> None:
    """What was broken on purpose, and what it cost."""
    workshop.upswarm("drill", "crash-drill", "--reports", "drilled")
    (folder,) = (workshop.folder / "drilled").iterdir()
    camera.page.goto((folder / "report.html").as_uri())
    camera.take_tall("drill")


def take_comparison(camera: Camera, workshop: Workshop) -> None:
    """Two runs beside each other: one with a faster server, one with a slower."""
    sides = []
    for name, delay_s in (("before", 0.01), ("after", 0.03)):
        scenario = workshop.folder / f"{name}.yaml"
        scenario.write_text(SIDES.format(name=name, delay_s=delay_s))
        workshop.upswarm("run", str(scenario), "--reports", name)
        sides += [str(each) for each in (workshop.folder / name).iterdir()]
    workshop.upswarm("compare", *sides, "--html")
    camera.page.goto((workshop.folder / "compare.html").as_uri())
    camera.take_tall("comparison")


def take_form(camera: Camera, ui: UI) -> None:
    """The form, and a mistake in it."""
    ui.field(SCENARIO).select_option(SHOWN)
    camera.take("web-form", whole=True)
    ui.fill("Chunk Size", "eight megabytes")
    ui.refused()
    camera.take("web-mistake", whole=True)
    ui.fill("Chunk Size", "")


def take_run(camera: Camera, ui: UI) -> None:
    """A run from its start to its end."""
    ui.start()
    camera.page.wait_for_timeout(TO_WARM_UP_S * 1000)
    camera.take("web-statistics")
    ui.button("Edit").click()
    camera.take("web-edit")
    camera.page.keyboard.press("Escape")
    ui.tab("Uploads")
    camera.take("uploads-tab", whole=True)
    live = Live.of(ui)
    camera.page.wait_for_timeout(3000)
    camera.take_tall("uploads-live")
    live.await_state("Ended:", patience_s=60)
    camera.take_bottom("uploads-ended")
    live.leave()
    ui.tab("Statistics")
    camera.take("web-ended")


def main(folder: Path) -> None:
    """Take them all; a page that complains makes no pictures for docs."""
    complaints = Complaints()
    with tempfile.TemporaryDirectory() as place, open_browser() as browser, open_tab(browser, complaints) as page:
        camera, workshop = Camera(page, folder), Workshop(Path(place))
        take_report(camera, workshop)
        take_drill(camera, workshop)
        take_comparison(camera, workshop)
        with open_ui(page, workshop, "--scenario", SHOWN) as ui:
            take_form(camera, ui)
            take_run(camera, ui)
    if complaints.found:
        raise SystemExit("\n".join(complaints.found))


if __name__ == "__main__":
    if MISSING:
        raise SystemExit(MISSING)
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
