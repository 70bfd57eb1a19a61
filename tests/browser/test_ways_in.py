"""The same pages by other ways: below a path, over TLS, behind a login, and with a keyboard alone."""

from __future__ import annotations

from pathlib import Path

import trustme
from playwright.sync_api import Locator, Page, expect

from tests.browser.browser import SIZE
from tests.browser.live import Live
from tests.browser.ui import SCENARIO, USERS, open_ui
from tests.journey.runs import Workshop, free_port

LOGIN = str(Path(__file__).with_name("login.py"))
PASSWORD = "difference-engine"


def certificate(folder: Path) -> list[str]:
    """The options that make Locust's web UI speak TLS."""
    issued = trustme.CA().issue_cert("127.0.0.1")
    key, chain = folder / "key.pem", folder / "chain.pem"
    issued.private_key_pem.write_to_path(key)
    issued.cert_chain_pems[0].write_to_path(chain)
    return ["--tls-key", str(key), "--tls-cert", str(chain)]


def tab_to(page: Page, there: Locator) -> None:
    """Press the Tab key until this has the focus."""
    for _ in range(30):
        if there.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key does not lead to {there}")


def test_a_run_can_be_started_with_the_keyboard_alone(workshop: Workshop, tab: Page) -> None:
    with open_ui(tab, workshop) as ui:
        tab_to(tab, ui.field(USERS))
        tab.keyboard.press("Control+A")
        tab.keyboard.type("2")
        tab_to(tab, tab.get_by_role("button", name="Custom parameters"))
        tab.keyboard.press("Enter")
        expect(tab.get_by_role("region")).to_be_visible()  # it unfolds slowly, and `field` would fold it again
        tab_to(tab, ui.field(SCENARIO))
        tab.keyboard.type("many")
        tab_to(tab, tab.get_by_role("button", name="Start", exact=True))
        tab.keyboard.press("Enter")
        ui.await_uploads(1)
    (folder,) = workshop.reports.iterdir()
    assert folder.name.endswith("-many-small")


def test_below_a_path_over_tls_and_with_workers_everything_works_too(workshop: Workshop, tab: Page) -> None:
    port = str(free_port())
    options = [
        *certificate(workshop.folder),
        *("--web-base-path", "/load", "--scenario", workshop.scenario(hold="60s")),
        *("--processes", "2", "--master-bind-port", port, "--master-port", port),
    ]
    with open_ui(tab, workshop, *options, scheme="https", base_path="/load") as ui:
        ui.start()
        ui.tab("Uploads")
        ui.wait_until(lambda: sum(row["What"].startswith("worker: ") for row in ui.rows()) == 2)
        assert all(each.bounding_box()["x"] < SIZE["width"] for each in tab.get_by_role("tab").all())
        live = Live.of(ui)
        live.await_uploads(1)
        live.leave()
        ui.stop()
        ui.tab("Download Data")
        assert ui.download("Download requests CSV", workshop.folder).stat().st_size > 0
        Live.of(ui).download("run.json", workshop.folder)


def test_a_login_stands_before_every_page(tmp_path: Path, tab: Page) -> None:
    workshop = Workshop(tmp_path, LOGIN_PASSWORD=PASSWORD)
    with open_ui(tab, workshop, "-f", LOGIN, "--web-login", "--scenario", workshop.scenario(hold="60s")) as ui:
        tab.goto(f"{ui.url}/uploads")
        log_in(tab, "guess")
        expect(tab.get_by_role("alert")).to_contain_text("nobody is known")
        log_in(tab, PASSWORD)
        ui.start()
        ui.await_uploads(1)
        live = Live.of(ui)
        live.await_uploads(1)
        tab.context.clear_cookies()
        expect(tab.get_by_role("alert")).to_contain_text("The login has expired.")
        with tab.context.expect_page() as opened:
            tab.get_by_role("link", name="Locust").click(modifiers=["Control"])
        log_in(opened.value, PASSWORD)
        expect(tab.get_by_role("alert")).to_be_hidden()  # and goes on by itself
        opened.value.goto("about:blank")


def log_in(page: Page, password: str) -> None:
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Login", exact=True).click()
