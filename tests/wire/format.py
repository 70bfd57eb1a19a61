"""Reads recorded conversations: what a client sent and what a server answered, for people and for both wings.

A `.http` file holds exchanges, separated by a line `###`. Lines that begin with `> ` are the request, those with `< `
the answer; lines that begin with `#` are remarks. Method and path, or the status, come first, then headers, then
after an empty `>` or `<` the body:

    > PUT /v1/uploads/{{upload_id}}/chunks/0
    > Content-Type: application/octet-stream
    > Content-Length: 1048576
    >
    > @zeros 1048576
    < 204
    < Upload-Received-Bytes: 1048576

A body of the form `@zeros N` stands for N zero bytes; a request's body that begins with a line `@form` is the lines
after it, each with a line break as forms have it; an answer's body `@any` is not compared. Any other body is its lines,
joined. `{{name}}` stands
for a value that differs from run to run: where it first occurs in an answer it captures, afterwards it stands for
what was captured. Of an answer's headers only those that are recorded are compared, of a JSON body everything, of an
XML body everything but the blanks around its lines.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

CONVERSATIONS = Path(__file__).parent
_NAME = re.compile(r"\{\{(\w+)\}\}")

Values = dict[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """What the client sends; names in it are not filled in until `filled`."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def filled(self, values: Values) -> Request:
        """With the values in place of their names; bodies that are JSON have names too."""
        headers = {name: fill(value, values) for name, value in self.headers.items()}
        body = fill(self.body.decode(), values).encode() if self.body[:1] == b"{" else self.body
        return replace(self, path=fill(self.path, values), headers=headers, body=body)


@dataclass(frozen=True, slots=True)
class Response:
    """What the server answers."""

    status: int
    headers: dict[str, str]
    body: str

    def filled(self, values: Values) -> Response:
        """With the values in place of their names, for a client that is to be answered."""
        headers = {name: fill(value, values) for name, value in self.headers.items()}
        return replace(self, headers=headers, body=fill(self.body, values))

    def capture(self, headers: dict[str, str], body: str, values: Values) -> Values:
        """The values so far and those of this real answer; AssertionError where it differs from the recorded one."""
        values = dict(values)
        found = {name.lower(): value for name, value in headers.items()}
        for name, recorded in self.headers.items():
            assert name.lower() in found, f"no header {name}"
            _match(recorded, found[name.lower()], values, f"header {name}")
        if self.body == "@any":
            return values
        if self.body.startswith("{"):
            _match_json(json.loads(self.body), json.loads(body), values, "body")
        elif self.body.startswith("<"):
            _match(self.body, "".join(line.strip() for line in body.splitlines()), values, "body")
        else:
            assert self.body == body, f"expected the body {self.body[:200]!r}, found {body[:200]!r}"
        return values


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer."""

    request: Request
    response: Response


def conversations(protocol: str) -> list[Path]:
    """All recorded conversations of a protocol."""
    return sorted((CONVERSATIONS / protocol).glob("*.http"))


def load(path: Path) -> list[Exchange]:
    """The exchanges of a conversation, in order."""
    return parse(path.read_text(encoding="utf-8"))


def parse(text: str) -> list[Exchange]:
    """As `load`, from the text of a file."""
    parts = re.split(r"^###$", text, flags=re.MULTILINE)
    return [_exchange(part) for part in parts if part.strip()]


def fill(text: str, values: Values) -> str:
    """The text with every `{{name}}` replaced; KeyError for a name that was never captured."""
    return _NAME.sub(lambda found: values[found[1]], text)


def example_values(exchanges: list[Exchange]) -> Values:
    """A made-up value for every name, for a replay against a client: equal names, equal values."""
    text = repr(exchanges)
    return {name: f"example-{name.replace('_', '-')}" for name in sorted(set(_NAME.findall(text)))}


def _exchange(text: str) -> Exchange:
    head, headers, body = _message(text, ">")
    method, _, path = head.partition(" ")
    status, answer_headers, answer_body = _message(text, "<")
    return Exchange(
        Request(method, path, headers, _bytes(body)),
        Response(int(status), answer_headers, _bytes(answer_body).decode()),
    )


def _message(text: str, mark: str) -> tuple[str, dict[str, str], list[str]]:
    lines = [line[2:] for line in text.splitlines() if line.startswith(mark)]
    end = lines.index("") if "" in lines else len(lines)
    headers = dict(line.split(": ", 1) for line in lines[1:end])
    return lines[0], headers, lines[end + 1 :]


def _bytes(lines: list[str]) -> bytes:
    if lines[:1] == ["@form"]:
        return "".join(f"{line}\r\n" for line in lines[1:]).encode()
    text = "".join(lines)
    directive, _, argument = text.partition(" ")
    return bytes(int(argument)) if directive == "@zeros" else text.encode()


def _match(recorded: str, found: str, values: Values, where: str) -> None:
    names: list[str] = []
    pattern = ""
    at = 0
    for name in _NAME.finditer(recorded):
        pattern += re.escape(recorded[at : name.start()])
        pattern += re.escape(values[name[1]]) if name[1] in values else "(.+)"
        names += [] if name[1] in values else [name[1]]
        at = name.end()
    match = re.fullmatch(pattern + re.escape(recorded[at:]), found)
    assert match, f"{where}: expected {recorded!r} with {values}, found {found!r}"
    values.update(zip(names, match.groups(), strict=True))


def _match_json(recorded: Any, found: Any, values: Values, where: str) -> None:
    if isinstance(recorded, str) and isinstance(found, str):
        _match(recorded, found, values, where)
    elif isinstance(recorded, dict) and isinstance(found, dict):
        assert list(recorded) == list(found), f"{where}: expected the members {list(recorded)}, found {list(found)}"
        for name, value in recorded.items():
            _match_json(value, found[name], values, f"{where}.{name}")
    elif isinstance(recorded, list) and isinstance(found, list):
        assert len(recorded) == len(found), f"{where}: expected {len(recorded)} items, found {len(found)}"
        for number, (value, item) in enumerate(zip(recorded, found, strict=True)):
            _match_json(value, item, values, f"{where}[{number}]")
    else:
        assert recorded == found, f"{where}: expected {recorded!r}, found {found!r}"
