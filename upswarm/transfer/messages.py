"""What goes over the wire, as plain values: a dialect makes requests and reads responses, a transport carries them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from upswarm.content.base import File
from upswarm.transfer.chunks import Chunk


class Phase(StrEnum):
    """What a request is for."""

    INIT = "init"
    CHUNK = "chunk"
    FINALIZE = "finalize"
    PROBE = "probe"
    ABORT = "abort"


def _nobody_asks(_taken_bytes: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body: its length, and its bytes as views that can be asked for again by a retry.

    Whoever sends it reports how many bytes were taken. Iterating does that by itself, with the length of a view when
    the next is asked for; a transport that knows exactly takes the `views` and calls `report`. `chunk` is the index of
    the chunk that it is, if it is one.
    """

    size_bytes: int
    views: Callable[[], Iterator[memoryview]]
    report: Callable[[int], None] = _nobody_asks
    chunk: int | None = None

    def __len__(self) -> int:
        return self.size_bytes

    def __iter__(self) -> Iterator[memoryview]:
        for view in self.views():
            yield view
            self.report(len(view))

    def told(self, tell: Callable[[int], None]) -> Body:
        """The same body, whose bytes are told here."""
        return Body(self.size_bytes, self.views, tell, self.chunk)

    @classmethod
    def of_bytes(cls, data: bytes) -> Body:
        """A body that is in memory already."""
        return cls(len(data), lambda: iter((memoryview(data),)))

    @classmethod
    def of_chunk(cls, file: File, chunk: Chunk) -> Body:
        """A chunk of a file, never copied."""
        return cls(chunk.length, lambda: file.views(chunk.offset, chunk.length), chunk=chunk.index)


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `path` is absolute within the target, empty for the target itself, or a whole URL of a server's."""

    phase: Phase
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None

    def carrying(self, body: Body) -> Request:
        """The same with another body; `replace` takes five times as long."""
        return Request(self.phase, self.method, self.path, self.headers, body)

    @classmethod
    def with_json(cls, phase: Phase, method: str, path: str, document: Mapping[str, Any]) -> Request:
        """A request that carries a JSON document."""
        body = Body.of_bytes(json.dumps(document).encode())
        return cls(phase, method, path, {"Content-Type": "application/json"}, body)


@dataclass(frozen=True, slots=True)
class Timings:
    """Where a request's time went, in seconds; None is what had not happened when it failed.

    `connect_s` until the connection stood, with the way through a proxy and TLS, and 0 where it was `reused`; from then
    on, `send_s` until the system had taken the last byte of the request, and `first_byte_s` until the first byte of an
    answer came, be it an interim one.
    """

    connect_s: float | None = None
    send_s: float | None = None
    first_byte_s: float | None = None
    reused: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """One whole answer. The names of `headers` are in lower case.

    `url` is the one that was asked: what the answer says in URLs is relative to it.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    url: str = ""
    timings: Timings | None = field(default=None, compare=False)

    def json(self) -> dict[str, Any]:
        """The JSON object in the body, or an empty one where there is none."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}
