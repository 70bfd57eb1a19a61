"""A document as an outline that reads like YAML, and is YAML: short things on one line, long ones broken up.

Only `scenario/` may know a YAML library; writing a few plain types needs none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_WIDTH = 88
_PLAIN = re.compile(r"[A-Za-z][\w .%<>=/-]*(?<! )|(?!0x)\d+(\.\d+)?[A-Za-z]{1,3}(?<!e)")
_RESERVED = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def outline(document: Any) -> str:
    """The whole document, with a line break at its end."""
    return "".join(f"{line}\n" for line in _lines(document, room=_WIDTH))


def _lines(value: Any, room: int) -> Iterator[str]:
    match value:
        case dict() if value:
            for key, item in value.items():
                yield from _entry(f"{_flow(key)}:", item, room)
        case list() if value:
            for item in value:
                yield from _item(item, room)
        case _:
            yield _flow(value)


def _entry(head: str, value: Any, room: int) -> Iterator[str]:
    short = f"{head} {_flow(value)}"
    if not isinstance(value, dict | list) or not value or (len(short) <= room and _is_flat(value)):
        yield short
        return
    yield head
    yield from (f"  {line}" for line in _lines(value, room - 2))


def _item(value: Any, room: int) -> Iterator[str]:
    short = _flow(value)
    if len(short) + 2 <= room:
        yield f"- {short}"
        return
    first, *more = _lines(value, room - 2)
    yield from (f"- {first}", *(f"  {line}" for line in more))


def _is_flat(value: dict[str, Any] | list[Any]) -> bool:
    items = value.values() if isinstance(value, dict) else value
    return not any(isinstance(item, dict | list) for item in items)


def _flow(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{_flow(key)}: {_flow(item)}" for key, item in value.items()) + "}"
        case list():
            return f"[{', '.join(map(_flow, value))}]"
        case str() if _PLAIN.fullmatch(value) and value.lower() not in _RESERVED:
            return value
    return json.dumps(value, ensure_ascii=False)
