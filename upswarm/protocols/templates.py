"""Texts with names in braces, and where in an answer values are found: the words of an API in a scenario."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote, urljoin

from upswarm.transfer.messages import Response

_PART = re.compile(r"(?P<escaped>\{\{|\}\})|\{(?P<name>[a-z][a-z0-9_]*)\}|(?P<brace>[{}])|(?P<text>[^{}]+)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Value = str | int
Values = Mapping[str, Value]


class Name(NamedTuple):
    """A place in a template where a value goes."""

    name: str


@dataclass(frozen=True, slots=True)
class Template:
    """A text such as `/uploads/{upload_id}/chunks/{index}`; `{{` and `}}` stand for braces."""

    parts: tuple[str | Name, ...]

    @classmethod
    def parse(cls, text: str) -> Template:
        """Raises ValueError where a brace has no partner, or holds no name."""
        return cls(tuple(_parts(text)))

    @property
    def names(self) -> list[str]:
        """The names in it, in order."""
        return [part.name for part in self.parts if isinstance(part, Name)]

    def text(self, values: Values) -> str:
        """With all values as texts."""
        return "".join(part if isinstance(part, str) else str(values[part.name]) for part in self.parts)

    def value(self, values: Values) -> Value:
        """As `text`; but a template that is nothing but a name has its value, a number as a number."""
        match self.parts:
            case [Name(name)]:
                return values[name]
        return self.text(values)

    def path(self, values: Values) -> str:
        """As `text`, with each value quoted, so that it stays data; only one that begins the path is a URL."""
        first, rest = self.parts[:1], Template(self.parts[1:])
        quoted = {name: quote(str(values[name]), safe="") for name in rest.names}
        return Template(first).text(values) + rest.text(quoted)


def _parts(text: str) -> Iterator[str | Name]:
    for found in _PART.finditer(text):
        if found["brace"]:
            where = f"{found['brace']!r} at character {found.start() + 1} of {text!r}"
            raise ValueError(f"expected a name such as {{index}}, or {{{{ and }}}} for braces, found {where}")
        yield Name(found["name"]) if found["name"] else found["text"] or found["escaped"][0]


@dataclass(frozen=True, slots=True)
class Extraction:
    """`json:upload.id`, `header:Location` or `regex:id=(\\w+)`: where in an answer a value is found."""

    kind: str
    argument: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.argument}"

    @classmethod
    def parse(cls, text: str) -> Extraction:
        """Raises ValueError for another form, and for an expression without exactly one group."""
        kind, _, argument = text.partition(":")
        if kind not in {"json", "header", "regex"} or not argument:
            raise ValueError(f"expected json:path.of.keys, header:Name or regex:expression, found {text!r}")
        if kind == "regex" and _groups(argument) != 1:
            raise ValueError(f"expected a regular expression with one group in parentheses, found {argument!r}")
        return cls(kind, argument)

    def found(self, answer: Response) -> Any:
        """What is there: any JSON value, or a text; None where there is nothing."""
        if self.kind == "header":
            return _header(answer, self.argument.lower())
        if self.kind == "json":
            return _at(_document(answer), self.argument.split("."))
        match = re.search(self.argument, answer.body.decode("utf-8", "replace"))
        return match[1] if match else None

    def value(self, answer: Response) -> Value | None:
        """A text or a number that can stand in a request; None for everything else."""
        found = self.found(answer)
        if isinstance(found, str) and found and not _CONTROL.search(found):
            return found
        return found if type(found) is int else None


def _header(answer: Response, name: str) -> str | None:
    text = answer.headers.get(name)
    if text and name == "location":
        with suppress(ValueError):
            return urljoin(answer.url, text)
    return text


def _document(answer: Response) -> Any:
    with suppress(ValueError, RecursionError):
        return json.loads(answer.body)
    return None


def _groups(expression: str) -> int:
    try:
        return re.compile(expression).groups
    except re.error as error:
        raise ValueError(f"expected a regular expression, found {expression!r}: {error}") from None


def _at(document: Any, keys: list[str]) -> Any:
    for key in keys:
        if isinstance(document, dict):
            document = document.get(key)
        elif isinstance(document, list) and key.isdecimal() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document
