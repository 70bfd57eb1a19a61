"""What a run may have otherwise than its scenario says: each override is a text, in the notation of the YAML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from upswarm.errors import UsageError
from upswarm.scenario import positions
from upswarm.scenario.answers import read_content, read_protocol
from upswarm.scenario.contents import ContentRoom
from upswarm.scenario.loader import causes, explain, resolve
from upswarm.scenario.model import Scenario

_PLACES: dict[str, tuple[str, ...]] = {
    "protocol": ("target", "protocol"),
    "content": ("files",),
    "chunk_size": ("transfer", "chunk_size"),
    "parallel_chunks": ("transfer", "parallel_chunks"),
    "digest": ("transfer", "digest"),
}
"""Where in a scenario each override belongs."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What is wished; None leaves it to the scenario. `content` is that of all classes of files."""

    protocol: str | None = None
    content: str | None = None
    chunk_size: str | None = None
    parallel_chunks: str | None = None
    digest: str | None = None

    def applied_to(self, scenario: Scenario, target: str | None = None) -> Scenario:
        """The scenario as it is wished, for this target or its own.

        Raises `UsageError` with all mistakes at once, each behind its option: `--chunk-size: expected …, found …`.
        """
        if not any(each is not None for each in astuple(self)):
            return scenario
        document = scenario.resolved(reveal_secrets=True)
        mistakes = [*self._write_into(document)]
        try:
            changed = resolve(document)
            if self.protocol is not None:
                read_protocol(self.protocol, target or scenario.target.url)
        except ValidationError as error:
            mistakes += [self._sentence(detail["loc"], *explain(detail)) for detail in causes(error.errors())]
        except ValueError as error:
            mistakes.append(_sentence("--protocol", str(error), getattr(error, "hint", "")))
        if mistakes:
            raise UsageError("\n".join(mistakes))
        return changed

    def _write_into(self, document: dict[str, Any]) -> Iterator[str]:
        """Change a scenario's document; what can't even be read is said and left out."""
        for name, (room, *key) in _PLACES.items():
            value = getattr(self, name)
            if value is not None and key:
                document[room][key[0]] = value
        if self.content is not None:
            try:
                content = _content(self.content)
            except ValueError as error:
                yield _sentence("--content", str(error), getattr(error, "hint", ""))
            else:
                document["files"] = [{**each, "content": content} for each in document["files"]]

    def _sentence(self, place: positions.Path, message: str, hint: str) -> str:
        """A mistake behind the option that made it; one of the scenario's own values may not fit to an option."""
        given = [name for name in _PLACES if getattr(self, name) is not None]
        there = next((name for name, start in _PLACES.items() if tuple(place[: len(start)]) == start), given[0])
        option = _option(there)
        if there in given and there != "content":
            return _sentence(option, message, hint)
        about = f"the scenario's {positions.spell(place)}: {message}"
        if there in given:
            return _sentence(option, about, hint)
        return _sentence(_option(given[0]), about, hint or f"give {option} too")


def _content(text: str) -> Any:
    """As a scenario has it; a path is relative to where the command is run."""
    room = ContentRoom.model_validate(read_content(text), context={"folder": Path()})
    return room.model_dump(mode="json")


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _sentence(option: str, message: str, hint: str) -> str:
    return f"{option}: {message}" + (f" ({hint})" if hint else "")
