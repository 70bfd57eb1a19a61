"""Where workers are received: master and worker have to run the same upswarm, and to know the same secret, if any.

Locust's port asks nobody who they are, and believes everybody everything. So this is its door: until a worker has been
accepted Locust does not hear of it, and nobody speaks in another one's name.
"""

from __future__ import annotations

import logging
import secrets
import sys
from collections.abc import Callable
from typing import Any

import gevent
from locust.rpc import Message
from locust.runners import STATE_INIT, MasterRunner, WorkerNode

from upswarm import __version__
from upswarm.swarm.workers.seal import SealError
from upswarm.swarm.workers.wire import HELLO, REFUSED, WELCOME, Document, Wire
from upswarm.transfer.clock import Clock

_HELLO_S = 10.0
"""A worker that has said nothing for so long never will."""
_READY, _QUIT, _LOCUSTFILE = "client_ready", "quit", "locustfile"
"""Messages of Locust's: a worker is there, is going, wants the locustfile, which it needs before it can say hello."""

_log = logging.getLogger(__name__)


class Reception:
    """The master's side. A worker that is refused is told why, and so is whoever reads the master's terminal.

    Whoever is welcome hears a word that no other master has said, and is accepted when it says hello with it. A hello
    that was recorded is of no use.
    """

    def __init__(self, wire: Wire, master: MasterRunner, clock: Clock) -> None:
        self._wire = wire
        self._master = master
        self._clock = clock
        self._word = secrets.token_hex(16)
        self._accepted: set[str] = set()
        self._given_up: set[str] = set()
        self._refused: set[str] = set()
        self._waiting: dict[str, Message] = {}
        self._pass_on: Callable[[str, Message], None] = master.handle_message
        master.handle_message = self._heard  # type: ignore[method-assign]
        wire.on_plain(HELLO, self._hello)

    def here(self) -> list[str]:
        """Those who are there and accepted, in the order in which they came."""
        clients = self._master.clients
        nodes: list[WorkerNode] = [*clients.ready, *clients.spawning, *clients.running]
        return sorted((node.id for node in nodes), key=self._master.get_worker_index)

    def give_up(self, worker_id: str) -> None:
        """It is lost, and takes part no more, also if it wakes up: Locust would give it users again."""
        self._given_up.add(worker_id)
        if worker_id in self._master.clients:
            del self._master.clients[worker_id]

    def _heard(self, client_id: str, msg: Message) -> None:
        """What Locust does with each message, for those whose affair it is."""
        if msg.node_id != client_id or not client_id.isprintable():
            _log.warning("a message under a false name is ignored")
        elif msg.type == _READY and client_id not in self._accepted:
            self._let_wait(client_id, msg)
        elif self._is_its_affair(client_id, msg.type):
            state = self._master.state
            self._pass_on(client_id, msg)
            if state == STATE_INIT and not self._master.clients:  # Locust sees no worker at work: a run has ended
                self._master.update_state(STATE_INIT)  # and its page would show that, instead of the form
            if msg.type == _QUIT:
                self._accepted.discard(client_id)
        elif msg.type == _QUIT:
            self._waiting.pop(client_id, None)

    def _is_its_affair(self, worker_id: str, kind: str) -> bool:
        if worker_id in self._accepted:
            return kind != _READY or worker_id not in self._given_up
        return kind in {HELLO, _LOCUSTFILE}

    def _let_wait(self, worker_id: str, ready: Message) -> None:
        """It says hello only when it has heard that a master is there."""
        self._waiting[worker_id] = ready
        self._master.send_message("ack", {"index": self._master.get_worker_index(worker_id)}, worker_id)
        gevent.spawn_later(_HELLO_S, self._look_whether_silent, worker_id)

    def _look_whether_silent(self, worker_id: str) -> None:
        if worker_id in self._waiting:
            self._refuse(worker_id, "it does not say which upswarm it runs: start it with the master's locustfile")
            self._master.server.send_to_client(Message(_QUIT, None, worker_id))

    def _hello(self, worker_id: str, sealed: Any) -> None:
        try:
            hello = self._wire.open(HELLO, worker_id, sealed)
        except SealError as error:
            self._refuse(worker_id, f"{error}: set the same on master and workers")
            return
        if hello.get("upswarm") != __version__:
            self._refuse(worker_id, f"{_running(hello)}, and the master {__version__}: install the same one on both")
            return
        if hello.get("word") == self._word:
            self._accept(worker_id)
        welcome = {"asked_s": hello.get("asked_s"), "now_s": self._clock.now(), "word": self._word}
        self._wire.send(WELCOME, welcome, worker_id)

    def _accept(self, worker_id: str) -> None:
        self._accepted.add(worker_id)
        ready = self._waiting.pop(worker_id, None)
        if ready is not None:
            self._pass_on(worker_id, ready)

    def _refuse(self, worker_id: str, reason: str) -> None:
        if worker_id in self._accepted:
            return
        self._waiting.pop(worker_id, None)
        if worker_id not in self._refused:
            self._refused.add(worker_id)
            print(f"worker {worker_id} is refused: {reason}", file=sys.stderr, flush=True)
        self._wire.send_plain(REFUSED, {"reason": reason}, worker_id)


def undeterred(listen: Callable[[MasterRunner], Any]) -> Callable[[MasterRunner], Any]:
    """Locust's `client_listener` that goes on after a message that it can't read.

    Otherwise it ends with the first one, and the master is deaf from then on.
    """

    def listening(master: MasterRunner) -> Any:
        while True:
            try:
                return listen(master)
            except Exception as error:  # whatever can be wrong about bytes that anybody may send
                _log.warning("a message that can't be read is ignored: %s", type(error).__name__)

    return listening


def _running(hello: Document) -> str:
    version = str(hello.get("upswarm"))
    return f"it runs upswarm {version}" if version.isprintable() and len(version) < 40 else "it runs another upswarm"
