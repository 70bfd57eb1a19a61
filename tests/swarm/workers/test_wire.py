"""What is heard on the line between master and workers, and what is not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from upswarm.swarm.workers.seal import Seal
from upswarm.swarm.workers.wire import DRAIN, GIVEN, Wire

SECRET = "correct horse battery"


class Line:
    """A runner whose messages come back to it at once; `recorded` are those that were on the way."""

    def __init__(self) -> None:
        self.recorded: list[Any] = []
        self._listeners: dict[str, Any] = {}

    def register_message(self, kind: str, listener: Any, concurrent: bool = False) -> None:
        self._listeners[kind] = listener

    def send_message(self, kind: str, data: Any, worker_id: str) -> None:
        self.deliver(kind, data, worker_id)

    def deliver(self, kind: str, data: Any, worker_id: str) -> None:
        self.recorded.append(data)
        self._listeners[kind](msg=SimpleNamespace(type=kind, data=data, node_id=worker_id))


def line_with(secret: str) -> tuple[Wire, Line, list[tuple[str, Any]]]:
    line, heard = Line(), []
    wire = Wire(cast(Any, line), Seal(secret))
    for kind in (GIVEN, DRAIN):
        wire.on(kind, lambda worker_id, document: heard.append((worker_id, document)))
    return wire, line, heard


@pytest.mark.parametrize("secret", ["", SECRET])
def test_what_is_said_is_heard_as_it_was(secret: str) -> None:
    wire, _, heard = line_with(secret)
    for number in (1, 1, 2):
        wire.send(GIVEN, {"number": number, "count": 2}, "w1")
    assert heard == [("w1", {"number": number, "count": 2}) for number in (1, 1, 2)]


def test_a_recorded_message_is_not_heard_again_whatever_it_is_said_to_be() -> None:
    wire, line, heard = line_with(SECRET)
    wire.send(GIVEN, {"following": [7]}, "w1")
    (recorded,) = line.recorded
    for kind, worker_id in ((GIVEN, "w1"), (GIVEN, "w2"), (DRAIN, "w1")):
        line.deliver(kind, recorded, worker_id)
    assert heard == [("w1", {"following": [7]})]


@pytest.mark.parametrize("data", [None, 5, "x", b"\x00" * 50, [], {}, {"following": [7]}, {"_number": 1}])
def test_what_was_not_sealed_is_not_heard(data: Any) -> None:
    _, line, heard = line_with(SECRET)
    line.deliver(GIVEN, data, "w1")
    assert heard == []


def test_messages_may_overtake_each_other_and_little_is_remembered_of_many() -> None:
    wire, line, heard = line_with(SECRET)
    sealed = [wire.sealed(GIVEN, "w1", {"n": number}) for number in range(3000)]
    for first in range(0, 3000, 3):
        for number in (first + 1, first, first + 2):
            line.deliver(GIVEN, sealed[number], "w1")
    assert len(heard) == 3000
    for number in (0, 1500, 2999):
        line.deliver(GIVEN, sealed[number], "w1")
    assert len(heard) == 3000
    assert len(wire._opened["w1"]._latest) <= 2001
