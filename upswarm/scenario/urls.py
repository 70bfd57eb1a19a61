"""URLs of a scenario. Each stands in the run file, in reports and on pages, so none of them may hold a secret."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from upswarm.scenario.base import Mistake

EMBEDDED = "embedded"
_LOGIN = re.compile(r"://[^/\s@]+@")
_VALUE = re.compile(r"(?<=[?&])([^=&#]*)(=?)[^&#]*")
_HINT = "put them into target.auth"


def check_url(text: str) -> str:
    """A target as it may be written; raises ValueError, which does not show what may be a secret."""
    if text == EMBEDDED:
        return text
    url = _split(text)
    if "?" in text or "#" in text:
        expected = "expected a URL without a query or a fragment, found one"
        raise Mistake(expected, "a SAS or another secret of the query belongs into target.auth")
    return _checked(text, url)


def check_metrics(text: str) -> str:
    """Where a server tells its counts: a path, or a URL; either may have a query. Raises ValueError as `check_url`."""
    if not text.startswith(("/", "http://", "https://")):
        raise ValueError("expected a path such as /metrics, or a URL, found something else")
    return text if text.startswith("/") else _checked(text, _split(text))


def without_values(url: str) -> str:
    """The same with `***` for each value of its query: some services want a token there, others only a format."""
    return _VALUE.sub(lambda found: f"{found[1]}=***" if found[2] else "***" if found[0] else "", url.partition("#")[0])


def has_login(text: str) -> bool:
    """Whether a URL in the text tells who asks."""
    return bool(_LOGIN.search(text))


def _split(text: str) -> SplitResult:
    """Raises ValueError for a login, also where it stands in something that is no URL."""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        raise Mistake("expected a URL, found one whose host or port can't be read", f"credentials? {_HINT}") from None
    if "@" in url.netloc or ("@" in text and not url.netloc):
        raise Mistake("expected a URL without credentials, found some in it", _HINT)
    return url


def _checked(text: str, url: SplitResult) -> str:
    if url.scheme in {"http", "https"} and url.hostname:
        return text
    raise ValueError(f"expected `{EMBEDDED}` or a URL such as http://127.0.0.1:8000, found {text!r}")
