"""A worker introduces itself to its master, and learns the master's clock on the way."""

from __future__ import annotations

import sys
import time
from typing import Any

import gevent
from locust.runners import MASTER_HEARTBEAT_TIMEOUT, WorkerRunner

from upswarm import __version__
from upswarm.errors import EXIT_GENERATOR, EXIT_USAGE
from upswarm.swarm.workers.clocks import MasterClock
from upswarm.swarm.workers.wire import HELLO, REFUSED, WELCOME, Document, Wire
from upswarm.transfer.clock import Clock

_QUICK_HELLOS, _QUICKLY_S, _EVERY_S = 5, 0.05, 30.0
"""The first few find the shortest way, and say the master's word; those that follow keep up with clocks that drift."""
_AGAIN_S = 1.0
_ANSWER_S = 10.0


class Introduction:
    """The worker's side of `Reception`. A worker that is refused says why, and leaves."""

    def __init__(self, wire: Wire, worker: WorkerRunner, clock: Clock) -> None:
        self._wire = wire
        self._worker = worker
        self._clock = clock
        self.master_clock = MasterClock()
        wire.on(WELCOME, self._welcome)
        wire.on_plain(REFUSED, self._refused)
        self._answered = False
        self._word = ""
        worker.greenlet.spawn(self._say_hello)
        worker.greenlet.spawn(self._await_answer)

    def _say_hello(self) -> None:
        hellos = 0
        while True:
            document = {"upswarm": __version__, "asked_s": self._clock.now(), "word": self._word}
            self._wire.send(HELLO, document, self._worker.client_id)
            hellos += 1
            if hellos < _QUICK_HELLOS:
                gevent.sleep(_QUICKLY_S)
            else:  # a master that was about to start may not have heard any of them
                gevent.sleep(_EVERY_S if document["word"] else _AGAIN_S)

    def _await_answer(self) -> None:
        gevent.sleep(_ANSWER_S)
        if not (self._answered and self._worker.last_heartbeat_timestamp):  # Locust's, to those who are accepted
            self._leave("it does not answer as an upswarm master does: start it with the worker's locustfile")

    def _welcome(self, _: str, welcome: Document) -> None:
        self._answered, self._word = True, welcome["word"]
        self.master_clock.heard(welcome["asked_s"], welcome["now_s"], self._clock.now())

    def _refused(self, _: str, refusal: Any) -> None:
        self._leave(f"it refuses this worker: {refusal['reason']}")

    def leave_for_silence(self, **_: Any) -> None:
        """Listens to `quitting`: Locust gives a silent master up and says so; whoever restarts workers is told by 5."""
        heard_s = self._worker.last_heartbeat_timestamp
        if heard_s and heard_s < time.time() - MASTER_HEARTBEAT_TIMEOUT:
            self._worker.environment.process_exit_code = EXIT_GENERATOR

    def _leave(self, reason: str) -> None:
        print(f"this worker leaves its master: {reason}", file=sys.stderr, flush=True)
        self._worker.environment.process_exit_code = EXIT_USAGE
        self._worker.quit()
