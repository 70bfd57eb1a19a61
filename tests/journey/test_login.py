"""The login of docs/web-ui.md, as it stands there: nothing is seen without the password, of ours or of Locust's."""

from __future__ import annotations

import re
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

from tests.journey.page import open_page
from tests.journey.runs import PATIENCE_S, Workshop

DOCS = Path(__file__).parents[2] / "docs" / "web-ui.md"


def test_the_login_of_the_documentation_lets_in_who_knows_the_password(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, UI_PASSWORD="correct horse")
    path = tmp_path / "login.py"
    path.write_text(re.findall(r"^```python\n(.*?)^```$", DOCS.read_text(), re.MULTILINE | re.DOTALL)[0])
    with open_page(workshop, "-f", str(path), "--web-login") as page:
        browser = build_opener(HTTPCookieProcessor(CookieJar()))
        assert "the password is another one" in knocked(browser, page.url, "wrong")
        for hidden in ("/", "/uploads", "/uploads/live"):
            assert asked(browser, page.url + hidden).startswith(page.url + "/login")
        knocked(browser, page.url, "correct horse")
        assert asked(browser, page.url + "/uploads/live") == page.url + "/uploads/live"


def knocked(browser: OpenerDirector, url: str, password: str) -> str:
    """The page to which this password leads."""
    form = urlencode({"username": "ada", "password": password}).encode()
    with browser.open(url + "/knock", form, timeout=PATIENCE_S) as answer:
        return str(answer.read().decode())


def asked(browser: OpenerDirector, url: str) -> str:
    """Where who asks for this URL is led."""
    with browser.open(url, timeout=PATIENCE_S) as answer:
        return str(answer.geturl())
