"""The bodies of requests that a scenario describes: JSON, text, a form, or the bytes of a chunk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol
from urllib.parse import urlencode

from upswarm.protocols.templates import Template, Values
from upswarm.transfer.messages import Body

CHUNK = "@chunk"
"""Stands for the chunk's bytes, where a template would stand."""


class Payload(Protocol):
    """Makes bodies; a chunk's bytes go through it as views and are never copied."""

    def body(self, values: Values, chunk: Body | None) -> tuple[str, Body]:
        """A content type, and the body."""


@dataclass(frozen=True, slots=True)
class Raw:
    """The chunk itself."""

    def body(self, values: Values, chunk: Body | None) -> tuple[str, Body]:
        """As it is."""
        assert chunk is not None
        return "application/octet-stream", chunk


@dataclass(frozen=True, slots=True)
class Text:
    """A text with names in it."""

    template: Template

    def body(self, values: Values, chunk: Body | None) -> tuple[str, Body]:
        """In UTF-8."""
        return "text/plain; charset=utf-8", Body.of_bytes(self.template.text(values).encode())


@dataclass(frozen=True, slots=True)
class Json:
    """A document in which every text is a template."""

    document: Any

    def body(self, values: Values, chunk: Body | None) -> tuple[str, Body]:
        """A text that is nothing but the name of a number becomes a number."""
        return "application/json", Body.of_bytes(json.dumps(_filled(self.document, values)).encode())


@dataclass(frozen=True, slots=True)
class Form:
    """Fields; `file_field` is the name of the one that carries the chunk, and makes it a multipart form."""

    fields: Mapping[str, Template]
    file_field: str | None = None

    def body(self, values: Values, chunk: Body | None) -> tuple[str, Body]:
        """URL encoded without a chunk; with one it is multipart/form-data (RFC 7578), and the chunk comes last."""
        texts = {name: template.text(values) for name, template in self.fields.items()}
        if chunk is None or self.file_field is None:
            return "application/x-www-form-urlencoded", Body.of_bytes(urlencode(texts).encode())
        boundary = f"upswarm-{values['uuid']}"  # nobody who made the bytes knows it, so they do not hold it
        head = "".join(f"{_part(boundary, name)}\r\n\r\n{text}\r\n" for name, text in texts.items())
        head += f'{_part(boundary, self.file_field)}; filename="{_escaped(str(values["filename"]))}"\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n"
        end = f"\r\n--{boundary}--\r\n"
        whole = joined(Body.of_bytes(head.encode()), chunk, Body.of_bytes(end.encode()))
        return f"multipart/form-data; boundary={boundary}", whole


def joined(*bodies: Body) -> Body:
    """One body after the other, as the views that they are."""

    def views() -> Iterator[memoryview]:
        return chain.from_iterable(bodies)

    chunk = next((each.chunk for each in bodies if each.chunk is not None), None)
    return Body(sum(map(len, bodies)), views, chunk=chunk)


def _part(boundary: str, name: str) -> str:
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{_escaped(name)}"'


def _escaped(text: str) -> str:
    """As browsers write names into a multipart head (the HTML standard, multipart/form-data encoding)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _filled(document: Any, values: Values) -> Any:
    match document:
        case Template():
            return document.value(values)
        case dict():
            return {key: _filled(value, values) for key, value in document.items()}
        case list():
            return [_filled(value, values) for value in document]
    return document
