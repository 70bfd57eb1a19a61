"""A new scenario as a text, from the answers that were given: short, with comments, and always one that loads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from upswarm import units
from upswarm.scenario import loader
from upswarm.scenario.answers import USUAL_PROTOCOL, WHOLE_FILES, Load
from upswarm.scenario.credentials import Credentials
from upswarm.scenario.model import Scenario
from upswarm.scenario.urls import EMBEDDED

_STAND_IN = "bm9uZQ=="  # can be any kind of credentials, a key in base64 included
_USUAL_USERS = 4
_RAMP_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Draft:
    """The answers. `size` and `content` are values as a scenario writes them; a corpus may do without a size."""

    name: str
    target: str
    protocol: str
    credentials: Credentials
    size: Any
    content: Any
    load: Load
    duration_s: float
    chunk_size: str
    thresholds: tuple[str, ...]

    def text(self, schema: str) -> str:
        """The YAML; `schema` is where editors find what it may say, as a URL or relative to the file."""
        return "\n\n".join("\n".join(lines) for lines in self._rooms(schema)) + "\n"

    def scenario(self, source: str) -> Scenario:
        """What the text says, whatever the environment says; raises `ScenarioError`."""
        return loader.parse(self.text(""), source, dict.fromkeys(self.credentials.variables, _STAND_IN))

    def _rooms(self, schema: str) -> Iterator[list[str]]:
        yield [
            f"# yaml-language-server: $schema={schema}",
            f"name: {_flow(self.name)}",
            f"about: {_flow(self._question())}",
            "seed: 1 # the same seed draws the same files",
        ]
        yield ["target:", *self._target()]
        yield ["files: # a mix by weight; docs/contents.md says what `content` may be", f"  - {_flow(self._file())}"]
        if self.protocol not in WHOLE_FILES:
            yield ["transfer:", f"  chunk_size: {self.chunk_size}{self._about_chunks()}"]
        yield ["workload:", *self._workload()]
        yield ["thresholds: # what must hold; docs/metrics.md has every metric", *self._thresholds()]

    def _question(self) -> str:
        server = "the embedded server" if self.target == EMBEDDED else self.target
        return f"Does {server} hold {self._load_in_words()}? Say here what you want to know."

    def _load_in_words(self) -> str:
        if self.load.rate is not None:
            return f"uploads that arrive at {self.load.rate}"
        if self.load.uploads is not None:
            return f"{self.load.uploads} uploads"
        return "1 user" if self.load.users == 1 else f"{self.load.users} users"

    def _target(self) -> Iterator[str]:
        comment = " # the reference server, started for this run alone" if self.target == EMBEDDED else ""
        yield f"  url: {_flow(self.target)}{comment}"
        yield f"  protocol: {_flow(self.protocol)}"
        if self.credentials.kind != "none":
            yield "  # credentials come from the environment; never write them here"
            yield f"  auth: {_flow(self.credentials.auth(self.target))}"

    def _file(self) -> dict[str, Any]:
        size = {} if self.size is None else {"size": self.size}
        return {**size, "content": self.content}

    def _about_chunks(self) -> str:
        if self.chunk_size != "server":
            return " # a wish; the server may answer with another size"
        if self.protocol == USUAL_PROTOCOL:
            return " # what the server answers"
        return " # what the server says or what is usual; or a size such as 8MiB"

    def _workload(self) -> Iterator[str]:
        if self.load.rate is not None:
            stages = [{"rate": self.load.rate, "hold": _duration(self.duration_s)}]
            yield "  arrivals: # uploads come whether or not those before them have ended"
            yield f"    stages: {_flow(stages)}"
            yield "    spacing: constant # or `poisson`, as independent people come"
        elif self.load.uploads is not None:
            users = self.load.users or min(_USUAL_USERS, self.load.uploads)
            yield f"  iterations: {_flow({'count': self.load.uploads, 'users': users})} # so many uploads, and no more"
        else:
            yield "  users: # each waits for the last upload to end, rests, and begins the next"
            yield f"    stages: {_flow(self._stages())}"
            yield "    think_time: 500ms"

    def _stages(self) -> list[dict[str, Any]]:
        ramp_s = self.duration_s * _RAMP_SHARE if (self.load.users or 1) > 1 else 0.0
        over, hold = _duration(ramp_s), _duration(self.duration_s - float(units.parse_duration(_duration(ramp_s))))
        return [{"to": self.load.users, "over": over}, {"hold": hold}]

    def _thresholds(self) -> Iterator[str]:
        yield from (f"  - {_flow(text)}" for text in self.thresholds)


def _duration(value_s: float) -> str:
    """To the millisecond, in seconds."""
    return f"{value_s:.3f}".rstrip("0").rstrip(".") + "s"


def _flow(value: Any) -> str:
    """A value on one line, quoted where YAML would read something else."""
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False)
    return text.removesuffix("...\n").strip()
