"""Reads a scenario. Every mistake is reported, all of them at once, each with its place and the nearest right word."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from upswarm.errors import Finding, ScenarioError, UsageError
from upswarm.plugins import did_you_mean
from upswarm.scenario import positions, surroundings
from upswarm.scenario.model import Scenario

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}")


def load(path: Path) -> Scenario:
    """The scenario in a file; raises `ScenarioError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ScenarioError(str(path), [Finding("scenario", f"can't be read: {reason}")]) from error
    scenario = parse(text, str(path))
    return scenario if scenario.name else scenario.model_copy(update={"name": path.stem})


def parse(text: str, source: str, environ: Mapping[str, str] = os.environ) -> Scenario:
    """The scenario in a YAML text. `source` is its name in errors, and paths in it are relative to its folder.

    Raises `ScenarioError`.
    """
    try:
        root, document, mistakes = _read(text, environ)
    except _UNREADABLE as error:
        raise ScenarioError(source, [_syntax(error)]) from error
    try:
        scenario = Scenario.model_validate(document, context={"folder": Path(source).parent})
    except ValidationError as error:
        mistakes += _findings(error.errors(), root, already=mistakes)
    if mistakes:
        raise ScenarioError(source, mistakes)
    return scenario


def resolve(document: dict[str, Any]) -> Scenario:
    """The scenario that `Scenario.resolved` wrote."""
    return Scenario.model_validate(document)


def received(document: dict[str, Any]) -> Scenario:
    """The same, where it was written on another machine, which may have what this one lacks; raises `UsageError`."""
    try:
        return resolve(document)
    except ValidationError as error:
        reasons = [f"{positions.spell(each['loc'])}: {explain(each)[0]}" for each in causes(error.errors())]
        raise UsageError("; ".join(reasons)) from error


_UNREADABLE = (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""PyYAML raises what it happens to meet where a text is YAML by its grammar alone: the 13th month, a key of a list."""


def _read(text: str, environ: Mapping[str, str]) -> tuple[yaml.Node | None, Any, list[Finding]]:
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        mistakes = [*positions.duplicates(root), *_substitute(root, environ)]
        document = loader.construct_document(root) if root is not None else {}
        mistakes += surroundings.fill_in(document, environ)
    finally:
        loader.dispose()
    return root, document, mistakes


def _substitute(root: yaml.Node | None, environ: Mapping[str, str]) -> Iterator[Finding]:
    for node, path in positions.scalars(root):
        missing: list[str] = []

        def value(match: re.Match[str], missing: list[str] = missing) -> str:
            found = environ.get(match["name"], match["default"])
            if found is None:
                missing.append(match["name"])
            return match[0] if found is None else found

        node.value = _VARIABLE.sub(value, node.value)
        for name in missing:
            message = f"expected the environment variable {name} to be set, found none"
            yield positions.finding(node, path, message, f"export {name}=…, or write ${{{name}:-default}}")


def _syntax(error: Exception) -> Finding:
    mark = getattr(error, "problem_mark", None)
    problem = " ".join(str(part) for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part)
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    return Finding("scenario", f"is not YAML: {problem or error}", line, column)


def _findings(details: list[ErrorDetails], root: yaml.Node | None, already: list[Finding]) -> list[Finding]:
    known = {(each.line, each.column) for each in already}
    found = [_finding(each, root) for each in causes(details)]
    return [each for each in found if (each.line, each.column) not in known]


def causes(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """All of pydantic's errors but those that only follow from another mistake."""
    return [each for each in details if not (each["type"] == "too_short" and _has_below(each["loc"], details))]


def _has_below(path: positions.Path, details: list[ErrorDetails]) -> bool:
    return any(len(each["loc"]) > len(path) and each["loc"][: len(path)] == path for each in details)


def _finding(detail: ErrorDetails, root: yaml.Node | None) -> Finding:
    path = detail["loc"]
    if detail["type"] == "extra_forbidden":
        known = [field.alias or name for name, field in _room_at(path[:-1]).model_fields.items()]
        node = positions.locate(root, path, key=True)
        expected = f"one of {', '.join(known)}" if known else "none"
        message = f"is no key of {positions.spell(path[:-1])}; expected {expected}"
        return positions.finding(node, path, message, did_you_mean(str(path[-1]), known))
    message, hint = explain(detail)
    written = path if detail["type"] == "missing" else positions.written(root, path)
    return positions.finding(positions.locate(root, path), written, message, hint)


_EXPECTED = {
    "tuple_type": "a list",
    "model_type": "a mapping",
    "dict_type": "a mapping",
    "too_short": "at least {min_length} in the list",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "a text that matches {pattern}",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le:g}",
}
"""pydantic's error types in our words."""


def explain(detail: ErrorDetails) -> tuple[str, str]:
    """What was expected and what was found, and perhaps what to do."""
    context = detail.get("ctx", {})
    if "error" in context:
        return str(context["error"]), getattr(context["error"], "hint", "")
    if detail["type"] == "missing":
        return "is missing, but needed", ""
    expected = _EXPECTED.get(detail["type"], detail["msg"].removeprefix("Input should be ")).format(**context)
    found = "" if _is_secret(detail["loc"]) else f", found {_shown(detail['input'])}"
    return f"expected {expected}{found}", ""


def _shown(value: Any) -> str:
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list" if value else "an empty list"
        case None:
            return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _is_secret(path: positions.Path) -> bool:
    """Whatever stands where credentials belong may be one, also in the wrong place or form."""
    return path[:2] == ("target", "auth")


def _room_at(path: positions.Path) -> type[BaseModel]:
    """The model that stands at a path: where the path leads into a value, the model around it."""
    room: type[BaseModel] = Scenario
    for part in path:
        field = room.model_fields.get(part) if isinstance(part, str) else None
        inner = [kind for kind in _types_in(field.annotation) if issubclass(kind, BaseModel)] if field else []
        room = inner[0] if inner else room
    return room


def _types_in(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type):
        yield annotation
    for inner in get_args(annotation):
        yield from _types_in(inner)
