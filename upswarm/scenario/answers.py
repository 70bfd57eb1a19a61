"""Answers to the questions that a new scenario begins with: each is read from a text, or refused with a sentence.

Every reader raises `ValueError` with what was expected and what was found.
"""

from __future__ import annotations

import inspect
import math
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from upswarm import plugins, units
from upswarm.errors import PluginError
from upswarm.results.thresholds import Threshold
from upswarm.scenario.base import Mistake
from upswarm.scenario.contents import ContentRoom
from upswarm.scenario.loader import explain
from upswarm.scenario.urls import EMBEDDED, check_url

USUAL_PROTOCOL = "chunked"
SPOKEN_BY_THE_EMBEDDED = (USUAL_PROTOCOL, "tus")
WHOLE_FILES = ("put",)
"""Protocols without chunks."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_LOAD = re.compile(r"(?P<number>\d{1,9})\s*(?P<unit>users?|uploads?|)")
_DEFAULTS = {"compressible": "3", "dedup": "4"}
_MOST_USERS = 100_000
_LONGEST_S = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Load:
    """How much: exactly one of so many users, a rate as it is written, or so many uploads."""

    users: int | None = None
    rate: str | None = None
    uploads: int | None = None


def read_name(text: str) -> str:
    """A scenario's name, which is the name of its file too."""
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"expected a name of letters, digits and . _ - that begins with a letter or digit, found {text!r}"
        )
    return text


def read_target(text: str) -> str:
    """A URL, or `embedded`."""
    if "${" in text or not text.isprintable() or " " in text.strip():
        raise ValueError("expected a URL as it is, without spaces and ${…}, found some in it")
    return check_url(text.strip())


def read_protocol(text: str, target: str = "") -> str:
    """A protocol's name, or `module:attribute`; one that the target can speak, where that is known."""
    try:
        found = plugins.find("protocol", text)
    except PluginError as error:
        raise Mistake(error.message, error.hint) from error
    if not isinstance(found, type) or not hasattr(found, "caps"):
        raise ValueError(f"expected the class of a protocol, found {text!r}, which is none")
    if target == EMBEDDED and plugins.is_built_in("protocol", text) and text not in SPOKEN_BY_THE_EMBEDDED:
        spoken = " or ".join(SPOKEN_BY_THE_EMBEDDED)
        raise ValueError(
            f"expected {spoken}, which is what the embedded server speaks, or another target; found {text!r}"
        )
    return text


def protocols(target: str) -> dict[str, str]:
    """The names of protocols that the target may speak, each with a word about it."""
    names = plugins.names("protocol")
    known = [name for name in names if target != EMBEDDED or _is_spoken_by_the_embedded(name)]
    return {name: _word_about(name) for name in known}


def _is_spoken_by_the_embedded(name: str) -> bool:
    return name in SPOKEN_BY_THE_EMBEDDED or not plugins.is_built_in("protocol", name)


def _word_about(name: str) -> str:
    try:
        found = plugins.find("protocol", name)
    except PluginError:
        return "can't be loaded"
    module = sys.modules.get(getattr(found, "__module__", ""))
    line = (inspect.getdoc(module) or inspect.getdoc(found) or "").partition("\n")[0]
    return line.partition(":")[0].rstrip(".")


def read_size(text: str) -> str | dict[str, Any]:
    """A size, or `SMALLEST-LARGEST`; as a scenario writes it."""
    smallest, dash, largest = text.partition("-")
    if not dash:
        return units.write_size(units.parse_size(text))
    bounds_bytes = units.parse_size(smallest), units.parse_size(largest)
    if bounds_bytes[0] > bounds_bytes[1]:
        raise ValueError(f"expected the smaller size first, found {text!r}")
    return {"uniform": [units.write_size(each) for each in bounds_bytes]}


def relocated(content: str | dict[str, Any], folder: Path) -> str | dict[str, Any]:
    """The content of a scenario that lies in this folder, where the paths in it are relative to."""
    if isinstance(content, str) or "corpus" not in content:
        return content
    path = Path(content["corpus"]["path"])
    there = path if path.is_absolute() or str(path).startswith("~") else os.path.relpath(path, folder)
    return {"corpus": {"path": str(there)}}


def read_content(text: str) -> str | dict[str, Any]:
    """`sparse`, `random`, `compressible:RATIO`, `dedup:RATIO`, `corpus:PATH` or a plugin; as a scenario writes it."""
    kind, _, parameter = text.strip().partition(":")
    parameter = parameter or _DEFAULTS.get(kind, "")
    content: str | dict[str, Any] = {kind: {"ratio": _number(parameter)}} if kind in _DEFAULTS else text.strip()
    if kind == "dedup":
        content = {kind: {"ratio": _number(parameter), "block": "64KiB"}}
    elif kind == "corpus":
        content = {kind: {"path": _path(parameter)}}
    try:
        ContentRoom.model_validate(content, context={"folder": Path()})
    except ValidationError as error:
        raise Mistake(*explain(error.errors()[0])) from error
    return content


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 1):
        raise ValueError(f"expected a ratio of 1 or more behind the colon, such as 3, found {text!r}")
    return int(value) if value.is_integer() else value


def _path(text: str) -> str:
    if not text or "${" in text or not text.isprintable():
        raise ValueError(f"expected corpus: and the path of a file or folder, found {text!r}")
    return text


def read_load(text: str) -> Load:
    """`10 users`, `5/s` or `100 uploads`; a number alone is users."""
    if "/" in text:
        return read_rate(text)
    found = _LOAD.fullmatch(text.strip())
    if found is None or int(found["number"]) < 1:
        raise ValueError(f"expected users, a rate or uploads, such as 10, 5/s or `100 uploads`, found {text!r}")
    number = int(found["number"])
    return Load(uploads=number) if found["unit"].startswith("upload") else read_users(str(number))


def read_users(text: str) -> Load:
    """So many users."""
    return Load(users=_whole(text, _MOST_USERS, "users"))


def read_rate(text: str) -> Load:
    """So many arrivals in a time."""
    if not 0 < units.parse_rate(text) <= _MOST_USERS:
        raise ValueError(f"expected a rate above 0/s and up to {_MOST_USERS}/s, found {text!r}")
    return Load(rate=text.strip())


def read_uploads(text: str) -> Load:
    """So many uploads and no more."""
    return Load(uploads=_whole(text, 10**9, "uploads"))


def _whole(text: str, most: int, what: str) -> int:
    if not (text.isascii() and text.strip().isdecimal() and 1 <= int(text) <= most):
        raise ValueError(f"expected a whole number of {what}, from 1 to {most}, found {text!r}")
    return int(text)


def usual_duration(load: Load) -> str:
    """Half a minute, or as long as it takes for ten to arrive."""
    rate_per_s = units.parse_rate(load.rate) if load.rate is not None else 1.0
    return f"{max(30, math.ceil(10 / rate_per_s))}s"


def read_duration(text: str, load: Load) -> float:
    """How long, in seconds; long enough for somebody to arrive."""
    value_s = units.parse_duration(text)
    if not 1 <= value_s <= _LONGEST_S:
        raise ValueError(f"expected a duration from 1s to 30d, found {text!r}")
    if load.rate is not None and units.parse_rate(load.rate) * value_s < 1:
        raise ValueError(f"expected a duration in which somebody arrives at {load.rate}, found {text!r}")
    return value_s


def read_chunk_size(text: str) -> str:
    """A size above 0, or `server`."""
    if text.strip() == "server":
        return "server"
    try:
        size_bytes = units.parse_size(text)
    except units.UnitError:
        size_bytes = 0
    if not size_bytes:
        raise ValueError(f"expected `server` or {units.SIZE_EXAMPLES}, found {text!r}")
    return units.write_size(size_bytes)


def read_threshold(text: str) -> str:
    """What must hold."""
    if "${" in text:
        raise ValueError(f"expected a threshold without ${{…}}, found {text!r}")
    return Threshold.parse(" ".join(text.split())).text
