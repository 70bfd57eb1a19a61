"""Interrupted uploads that go on at another worker: messages from worker to master to worker, and back.

Whoever has an upload tells its end, so at any time it must be clear who that is. A worker **offers** an upload and
keeps it; another one says whether it would take it, and the master alone decides: it **grants** the upload to the
other, or the first one keeps it. However late somebody says something, there is one decision. The first one's user
then waits until the upload has **ended** over there: fifty people remain fifty, wherever they come back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from gevent.event import AsyncResult, Event

from upswarm.transfer.suspended import Suspended
from upswarm.transfer.uploader import Awaited

OFFER, WITHDRAW = "upswarm_offer", "upswarm_withdraw"
"""Messages from the worker that has an upload: it offers it; it keeps it, unless that has been granted already."""
ANSWER, GRANT = "upswarm_answer", "upswarm_grant"
"""Messages back: `accepted`, `declined` or `ended`, and where that goes to; and to who would take it, the decision."""
_ANSWER_S = 10.0

Send = Callable[[str, dict[str, Any]], object]
SendTo = Callable[[str, dict[str, Any], str], object]
TakeUp = Callable[[str, Suspended, Callable[[], bool], Callable[[], None]], bool]
"""Waits until it is told whether to go on with an upload of this run, does so, and says when it has ended.

False where the upload is not wanted here.
"""


@dataclass(slots=True)
class _Talk:
    """About one upload that was offered. Until its worker is told otherwise, its end is told by somebody else."""

    answered: Event = field(default_factory=Event)
    ours: bool = False
    ended: Event = field(default_factory=Event)


class Handover:
    """A worker's end; `send` is to the master."""

    def __init__(self, send: Send, take_up: TakeUp, answer_s: float = _ANSWER_S) -> None:
        self._send = send
        self._take_up = take_up
        self._answer_s = answer_s
        self._talks: dict[tuple[str, int], _Talk] = {}
        self._promises: dict[int, AsyncResult] = {}

    def offer(self, run_id: str, suspended: Suspended) -> Awaited | None:
        """What waits for an upload's end at the worker that goes on with it; None where nobody does."""
        talk = self._talks[run_id, suspended.number] = _Talk()
        about = {"run_id": run_id, "number": suspended.number}
        self._send(OFFER, {**about, "upload": suspended.to_document()})
        try:
            if not talk.answered.wait(self._answer_s):
                self._send(WITHDRAW, about)
                talk.answered.wait()
        except BaseException as stop:  # the run ends in this very moment: whose upload is it?
            self._send(WITHDRAW, about)
            _wait_in_any_case(talk.answered, self._answer_s)
            if talk.ours:
                raise
            return _raising(stop)
        return None if talk.ours else talk.ended.wait

    def offered(self, data: Mapping[str, Any]) -> None:
        """Another worker offers an upload."""
        decision = self._promises[data["offer"]] = AsyncResult()
        suspended = Suspended.of_document(data["upload"])
        accepted = self._take_up(data["run_id"], suspended, decision.get, lambda: self._answer(data, "ended"))
        if not accepted:
            del self._promises[data["offer"]]
        self._answer(data, "accepted" if accepted else "declined")

    def granted(self, data: Mapping[str, Any]) -> None:
        """The master says whether an upload goes on here."""
        self._promises.pop(data["offer"]).set(data["granted"])

    def answered(self, data: Mapping[str, Any]) -> None:
        """The master says what becomes of an upload that was offered, or that it has ended."""
        key = data["run_id"], data["number"]
        talk = self._talks.get(key) if data["word"] == "accepted" else self._talks.pop(key, None)
        if talk is None:
            return
        if data["word"] == "ended":
            talk.ended.set()
        else:
            talk.ours = data["word"] == "declined"
            talk.answered.set()

    def _answer(self, offer: Mapping[str, Any], word: str) -> None:
        about = {key: offer[key] for key in ("run_id", "number", "offer")}
        self._send(ANSWER, {**about, "to": offer["from"], "word": word})


_Key = tuple[str, str, int]
"""The worker that offers, the run, and the number of the file."""


@dataclass(frozen=True, slots=True)
class _Asked:
    offer: int
    host: str


class Switchboard:
    """The master's end: it passes offers to one worker after the other, and decides.

    What is offered is `open` until it is granted, declined or withdrawn; what is said later changes nothing.
    """

    def __init__(self, send: SendTo, workers: Callable[[], Iterable[str]]) -> None:
        self._send = send
        self._workers = workers
        self._offers = 0
        self._open: dict[_Key, _Asked] = {}
        self._granted: dict[_Key, str] = {}
        self._closed = False

    def open(self) -> None:
        """A run begins."""
        self._closed = False
        self._granted.clear()

    def close(self) -> None:
        """The run is being ended: everybody keeps what they have."""
        self._closed = True
        for key in list(self._open):
            self._decline(key)

    def offered(self, worker_id: str, data: Mapping[str, Any]) -> None:
        """A worker offers an upload; where it is the only one, the master declines."""
        key = worker_id, data["run_id"], data["number"]
        self._offers += 1
        others = sorted(set(self._workers()) - {worker_id})
        host = others[self._offers % len(others)] if others else ""
        self._open[key] = _Asked(self._offers, host)
        if others and not self._closed:
            self._send(OFFER, {**data, "from": worker_id, "offer": self._offers}, host)
        else:
            self._decline(key)

    def answered(self, worker_id: str, data: Mapping[str, Any]) -> None:
        """A worker says whether it would take an upload, or that one has ended."""
        key = data["to"], data["run_id"], data["number"]
        timely = self._open.get(key) == _Asked(data["offer"], worker_id)
        if timely:
            del self._open[key]
        if data["word"] == "accepted":
            self._send(GRANT, {"offer": data["offer"], "granted": timely}, worker_id)
            if timely:
                self._granted[key] = worker_id
        if timely or (data["word"] == "ended" and self._granted.pop(key, None) == worker_id):
            self._answer(key, data["word"])

    def withdrawn(self, worker_id: str, data: Mapping[str, Any]) -> None:
        """A worker has waited too long, or is being stopped."""
        self._decline((worker_id, data["run_id"], data["number"]))

    def gone(self, worker_id: str) -> None:
        """A worker is there no more: nobody waits for its answer, nor for the end of an upload that it had."""
        for key in [key for key, asked in self._open.items() if asked.host == worker_id]:
            self._decline(key)
        for key in [key for key, host in self._granted.items() if host == worker_id]:
            del self._granted[key]
            self._answer(key, "ended")

    def _decline(self, key: _Key) -> None:
        """Unless it has been decided: then that is on its way."""
        if self._open.pop(key, None) is not None:
            self._answer(key, "declined")

    def _answer(self, key: _Key, word: str) -> None:
        worker_id, run_id, number = key
        self._send(ANSWER, {"run_id": run_id, "number": number, "word": word}, worker_id)


def _wait_in_any_case(event: Event, within_s: float) -> None:
    """Wait, even if this greenlet is stopped again meanwhile; not for ever, for the master may be gone."""
    deadline_s = time.monotonic() + within_s
    while not event.is_set() and (left_s := deadline_s - time.monotonic()) > 0:
        with suppress(BaseException):
            event.wait(left_s)


def _raising(stop: BaseException) -> Awaited:
    def awaited() -> NoReturn:
        raise stop

    return awaited
