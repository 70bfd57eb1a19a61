"""Credentials that stand in the description of a service's API, where they would be in the run file.

Values that an answer brings, `{upload_token}`, are none: they are in no scenario.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from upswarm.results.redaction import looks_secret
from upswarm.scenario.base import Mistake
from upswarm.scenario.urls import has_login

Place = tuple[str | int, ...]
_ALWAYS = {"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token", "private-token"}
"""Headers that have no other use."""
_NAME_OF_ONE = re.compile(
    r"(?i)(authori[sz]ation|token|signature|secret|passw(or)?d|passphrase|credentials?|cookie|\bsig|session[-_]?id"
    r"|(api|access|account|auth|functions|master|private|shared|subscription)[-_]?key)$"
)
_PAIR = re.compile(r"([\w.-]+)[\"']?\s*[:=]\s*([^\s&,;][^&,;]*)")
_NAME = re.compile(r"(?<!\{)(?:\{\{)*\{[a-z]")


def given_away(texts: Iterator[tuple[Place, str]]) -> Iterator[tuple[Place, Mistake]]:
    """The places of a step's texts where a secret seems to stand; it is not repeated."""
    for place, text in texts:
        always = place[0] == "headers" and str(place[1]).lower() in _ALWAYS
        if always or has_login(text) or any(_is_secret(name, value) for name, value in _pairs(place, text)):
            message = "expected no credentials, for they would be in the run file"
            yield place, Mistake(message, "put them into target.auth")


def _pairs(place: Place, text: str) -> list[tuple[str, str]]:
    """Names with their values: a header, a field, or what stands in a path's query or in a body."""
    if place[0] == "path":
        text = unquote(text.partition("?")[2])
    if len(place) == 1:
        return _PAIR.findall(text)
    return [(str([each for each in place if isinstance(each, str)][-1]), text)]


def _is_secret(name: str, value: str) -> bool:
    return not _NAME.search(value) and bool((value and _NAME_OF_ONE.search(name)) or looks_secret(value))
