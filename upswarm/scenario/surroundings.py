"""Retry settings from the environment, as the first generation's containers were configured; the scenario wins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from upswarm import units
from upswarm.errors import Finding

MAX_RETRIES, RETRY_BACKOFF = "MAX_RETRIES", "RETRY_BACKOFF"
_MOST_RETRIES = 99


def fill_in(document: Any, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Write `transfer.retry.attempts` and `.base` where the scenario says nothing; what can't be read is a mistake."""
    found = {MAX_RETRIES: ("attempts", _attempts), RETRY_BACKOFF: ("base", _base)}
    for variable, (key, read) in found.items():
        retry = _retry_of(document)
        if variable in environ and retry is not None and key not in retry:
            try:
                retry[key] = read(environ[variable])
            except units.UnitError as error:
                yield Finding("environment", f"{variable}: {error}")


def _retry_of(document: Any) -> dict[str, Any] | None:
    """The mapping, made where there is none; None where something else stands in its place, which is a mistake."""
    for key in ("transfer", "retry"):
        if not isinstance(document, dict):
            return None
        document = document.setdefault(key, {})
    return document if isinstance(document, dict) else None


def _attempts(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= _MOST_RETRIES):
        raise units.UnitError(f"a whole number from 0 to {_MOST_RETRIES}", text)
    return int(text) + 1


def _base(text: str) -> str:
    """Seconds, or a duration with a unit."""
    try:
        seconds = float(text)
    except ValueError:
        units.parse_duration(text)
        return text
    if not 0 <= seconds < float("inf"):
        raise units.UnitError("seconds, or a duration such as 500ms", text)
    return f"{seconds:g}s"
