"""Where in a YAML text a key stands, so that every mistake can name its line and column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from upswarm.errors import Finding

Path = Sequence[str | int]


def finding(node: yaml.Node | None, path: Path, message: str, hint: str = "") -> Finding:
    """A finding at this node."""
    line, column = (node.start_mark.line + 1, node.start_mark.column + 1) if node is not None else (1, 1)
    return Finding(spell(path), message, line, column, hint)


def spell(path: Path) -> str:
    """`files[0].size` for `("files", 0, "size")`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "scenario"


def locate(root: yaml.Node | None, path: Path, *, key: bool = False) -> yaml.Node | None:
    """The node at this path, or the deepest one on the way to it; with `key`, the last key instead of its value."""
    node = root
    for depth, part in enumerate(path):
        step = _step(node, part)
        if step is None:
            return node
        node = step[0] if key and depth == len(path) - 1 else step[1]
    return node


def written(root: yaml.Node | None, path: Path) -> Path:
    """As much of the path as really stands in the text; a shorthand leaves its last part out."""
    node, depth = root, 0
    while depth < len(path) and (step := _step(node, path[depth])) is not None:
        node, depth = step[1], depth + 1
    return path[:depth]


def duplicates(node: yaml.Node | None, path: tuple[str | int, ...] = ()) -> Iterator[Finding]:
    """A finding for each key that stands twice in one mapping; YAML itself would keep the last without a word."""
    if isinstance(node, yaml.MappingNode):
        seen: dict[Any, yaml.Node] = {}
        for key, value in node.value:
            if key.value in seen:
                first = seen[key.value].start_mark.line + 1
                yield finding(
                    key, (*path, key.value), f"expected each key once, found it again (first in line {first})"
                )
            seen.setdefault(key.value, key)
            yield from duplicates(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from duplicates(item, (*path, index))


def scalars(node: yaml.Node | None, path: tuple[str | int, ...] = ()) -> Iterator[tuple[yaml.ScalarNode, Path]]:
    """Every plain value with its path, keys not included."""
    if isinstance(node, yaml.ScalarNode):
        yield node, path
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from scalars(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from scalars(item, (*path, index))


def _step(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None
