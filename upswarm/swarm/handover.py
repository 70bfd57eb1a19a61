"""Interrupted uploads that go on at another worker: messages from worker to master to worker, and back.

Whoever has an upload tells its end, so at any time it must be clear who that is. A worker **offers** an upload and
keeps it until the answer: another one has **accepted** it, and it is theirs, or **declined**. The first one's user then
waits until it has **ended** there: fifty people remain fifty, wherever they come back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import gevent
from gevent.event import AsyncResult, Event

from upswarm.transfer.suspended import Suspended
from upswarm.transfer.uploader import Awaited

OFFER, ANSWER = "upswarm_offer", "upswarm_answer"
"""Messages: an upload and where it comes from; `accepted`, `declined` or `ended` and where that goes to."""
_ANSWER_S = 10.0
_LAST_ANSWER_S = 2.0

Send = Callable[[str, dict[str, Any]], object]
SendTo = Callable[[str, dict[str, Any], str], object]
TakeUp = Callable[[str, Suspended, Callable[[], None]], bool]
"""Begins to go on with an upload of this run, and says when it has ended; False where it is not wanted here."""


@dataclass(slots=True)
class _Talk:
    """About one upload that was offered."""

    accepted: AsyncResult = field(default_factory=AsyncResult)
    ended: Event = field(default_factory=Event)


class Handover:
    """A worker's end; `send` is to the master."""

    def __init__(self, send: Send, take_up: TakeUp) -> None:
        self._send = send
        self._take_up = take_up
        self._talks: dict[tuple[str, int], _Talk] = {}

    def offer(self, run_id: str, suspended: Suspended) -> Awaited | None:
        """What waits for an upload's end at the worker that goes on with it; None where nobody does."""
        talk = self._talks[run_id, suspended.number] = _Talk()
        self._send(OFFER, {"run_id": run_id, "upload": suspended.to_document()})
        awaited: Awaited = talk.ended.wait
        try:
            accepted = _answer(talk, _ANSWER_S)
        except BaseException as stop:  # the run ends in this very moment: whose upload is it?
            accepted = _answer(talk, _LAST_ANSWER_S)
            if not accepted:
                raise
            awaited = _raising(stop)
        return awaited if accepted else None

    def offered(self, data: Mapping[str, Any]) -> None:
        """Another worker offers an upload."""
        run_id, suspended = data["run_id"], Suspended.of_document(data["upload"])

        def answer(word: str) -> None:
            self._send(ANSWER, {"run_id": run_id, "number": suspended.number, "to": data["from"], "word": word})

        accepted = self._take_up(run_id, suspended, lambda: answer("ended"))
        answer("accepted" if accepted else "declined")

    def answered(self, data: Mapping[str, Any]) -> None:
        """Another worker says what becomes of an upload that was offered."""
        talk = self._talks.get((data["run_id"], data["number"]))
        if talk is None:
            return
        if data["word"] != "accepted":
            del self._talks[data["run_id"], data["number"]]
        if data["word"] == "ended":
            talk.ended.set()
        else:
            talk.accepted.set(data["word"] == "accepted")


class Switchboard:
    """The master's end: it passes offers to one worker after the other, and answers back."""

    def __init__(self, send: SendTo, workers: Callable[[], Iterable[str]]) -> None:
        self._send = send
        self._workers = workers
        self._turns = 0

    def offered(self, worker_id: str, data: Mapping[str, Any]) -> None:
        """A worker offers an upload; where it is the only one, the master declines."""
        others = sorted(set(self._workers()) - {worker_id})
        if others:
            self._turns += 1
            self._send(OFFER, {**data, "from": worker_id}, others[self._turns % len(others)])
        else:
            number = data["upload"]["number"]
            self.answered({"run_id": data["run_id"], "number": number, "to": worker_id, "word": "declined"})

    def answered(self, data: Mapping[str, Any]) -> None:
        """A worker says what becomes of an upload."""
        self._send(ANSWER, dict(data), data["to"])


def _answer(talk: _Talk, within_s: float) -> bool:
    """A worker that does not answer is lost, and then the run is no measurement."""
    try:
        return bool(talk.accepted.get(timeout=within_s))
    except gevent.Timeout:
        return False


def _raising(stop: BaseException) -> Awaited:
    def awaited() -> NoReturn:
        raise stop

    return awaited
