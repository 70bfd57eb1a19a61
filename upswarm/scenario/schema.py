"""The JSON Schema of a scenario, for editors, and the table of its keys, for people; both come from the types.

`python -m upswarm.scenario.schema` prints the schema, with `--markdown` the table that stands in `docs/scenarios.md`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from upswarm.scenario.model import Scenario

ELSEWHERE = "$comment"
"""Stands in the schema of a room whose keys have a page of their own."""


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12, generated from the types."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Scenario.model_json_schema()}


def markdown(room: str | None = None) -> str:
    """Every key with its default and its meaning, in the order of the file; `[]` stands for each entry of a list.

    With the name of a type, the keys of that room alone.
    """
    document = schema()
    top = document if room is None else document["$defs"][room]
    rows = [f"| `{path}` | {default} | {description} |" for path, default, description in _rows(top, document)]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *rows])


def _rows(room: dict[str, Any], document: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    required = room.get("required", [])
    for key, value in room["properties"].items():
        path = f"{prefix}{key}"
        inner, is_list = _inner_room(value, document)
        default = "needed" if key in required else "" if inner else _shown(value.get("default"))
        meaning = value.get("description") or (inner or {})["description"]  # left out where it repeats the room's own
        yield path, default, meaning.replace("|", "\\|")
        if inner is not None:
            yield from _rows(inner, document, f"{path}[]." if is_list else f"{path}.")


def _inner_room(value: dict[str, Any], document: dict[str, Any]) -> tuple[dict[str, Any] | None, bool]:
    """The room that a key leads to, if any, and whether the key holds a list of them."""
    if value.get("type") == "array" and "items" in value:
        return _inner_room(value["items"], document)[0], True
    for option in (value, *value.get("anyOf", [])):
        if "$ref" in option:
            room = document["$defs"][option["$ref"].removeprefix("#/$defs/")]
            whole = room.get("anyOf", [room])[-1]
            return (whole if "properties" in whole and ELSEWHERE not in whole else None), False
    return None, False


def _shown(default: Any) -> str:
    if default in (None, "", {}):
        return ""
    return f"`{default}`" if isinstance(default, str) else f"`{json.dumps(default)}`"


if __name__ == "__main__":
    print(markdown() if "--markdown" in sys.argv else json.dumps(schema(), indent=2))
