"""What master and workers say to each other beside Locust's own messages. docs/scaling.md lists the messages."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from upswarm.swarm.workers.seal import Seal, SealError

if TYPE_CHECKING:
    from locust.rpc import Message
    from locust.runners import MasterRunner, WorkerRunner

HELLO, WELCOME, REFUSED = "upswarm_hello", "upswarm_welcome", "upswarm_refused"
"""A worker says which upswarm it is, and what time it has; it is welcome, or is refused with a sentence."""
PLAN, GO, DRAIN, RETIRE = "upswarm_plan", "upswarm_go", "upswarm_drain", "upswarm_retire"
"""From the master: a run's plan; its users are there; it ends; it goes on without this worker."""
GIVE, GIVEN, TAKE = "upswarm_give", "upswarm_given", "upswarm_take"
"""Shares are re-cut: the master asks for slots, gets them, and hands them to another worker."""
USED_UP, TROUBLE = "upswarm_used_up", "upswarm_trouble"
"""From a worker: all its uploads have ended; it can't take part, and why."""
REPORT, LAST_REPORT = "upswarm", "upswarm_last_report"
"""From a worker: what it measured, as a part of Locust's own report, and the last of it."""

_log = logging.getLogger(__name__)

_NUMBER = "_number"
"""In each document: its sender counts its messages."""

_REMEMBERED = 1000
"""The numbers of so many latest messages are known; an older one is refused, for it may be a repetition."""

Document = dict[str, Any]
Handler = Callable[[str, Document], object]
"""Is called with the id of the worker that speaks or is spoken to, and what was said."""


class _Opened:
    """The numbers of messages that have been heard; they come nearly in order, so only the latest need be kept."""

    def __init__(self) -> None:
        self._latest: set[int] = set()
        self._newest = 0

    def is_new(self, number: int) -> bool:
        """Whether it is the first time; asked once for each message."""
        if number in self._latest or number <= self._newest - _REMEMBERED:
            return False
        self._latest.add(number)
        self._newest = max(self._newest, number)
        if len(self._latest) > 2 * _REMEMBERED:
            self._latest = {each for each in self._latest if each > self._newest - _REMEMBERED}
        return True


class Wire:
    """One end of the line; the master has one for all workers.

    Nothing is heard that was not sealed with our secret, and nothing twice, so that it is no use to record a message.
    """

    def __init__(self, runner: MasterRunner | WorkerRunner, seal: Seal) -> None:
        self._runner = runner
        self._seal = seal
        self._told: set[str] = set()
        self._sealed = 0
        self._opened: dict[str, _Opened] = defaultdict(_Opened)

    def on(self, kind: str, handle: Handler, *, concurrent: bool = False) -> None:
        """Handle messages of a kind, `concurrent` in a greenlet of its own, which a handler needs that waits."""

        def heard(msg: Message, **_: Any) -> None:
            document = self.heard(kind, msg.node_id, msg.data)
            if document is not None:
                handle(msg.node_id, document)

        self._runner.register_message(kind, heard, concurrent=concurrent)

    def on_plain(self, kind: str, handle: Callable[[str, Any], object]) -> None:
        """Handle messages of a kind as they are, sealed or not."""
        self._runner.register_message(kind, lambda msg, **_: handle(msg.node_id, msg.data))

    def send(self, kind: str, document: Mapping[str, Any], worker_id: str) -> None:
        """To the worker with this id; at a worker its own id, and it goes to the master."""
        self._runner.send_message(kind, self.sealed(kind, worker_id, document), worker_id)

    def send_plain(self, kind: str, document: Document, worker_id: str) -> None:
        """To whoever can't open what is sealed."""
        self._runner.send_message(kind, document, worker_id)

    def sealed(self, kind: str, worker_id: str, document: Mapping[str, Any]) -> Any:
        """As it travels, also within a message of Locust's."""
        self._sealed += 1
        return self._seal.close({**document, _NUMBER: self._sealed}, f"{kind} of {worker_id}")

    def open(self, kind: str, worker_id: str, sealed: Any) -> Document:
        """What was said; raises `SealError`."""
        document = self._seal.open(sealed, f"{kind} of {worker_id}")
        number = document.pop(_NUMBER, None)
        if not isinstance(number, int) or not self._opened[worker_id].is_new(number):
            raise SealError("it is no message of upswarm's, or has been heard before")
        return document

    def heard(self, kind: str, worker_id: str, sealed: Any) -> Document | None:
        """What was said; None, and a warning once for each worker, where it was not sealed with our secret."""
        try:
            return self.open(kind, worker_id, sealed)
        except SealError as error:
            if worker_id not in self._told:
                self._told.add(worker_id)
                _log.warning("a message under the name of %s is ignored: %s", worker_id, error)
            return None
