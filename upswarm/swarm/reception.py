"""Where workers are received: master and worker have to run the same upswarm, and to know the same secret, if any."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import gevent
from locust.rpc import Message
from locust.runners import MasterRunner, WorkerNode

from upswarm import __version__
from upswarm.swarm.seal import SealError
from upswarm.swarm.wire import HELLO, REFUSED, WELCOME, Wire
from upswarm.transfer.clock import Clock

HELLO_S = 5.0
"""A worker that has said nothing for so long never will."""
_LOOK_S = 0.02


class Reception:
    """The master's side. A worker that is refused is told why, and so is whoever reads the master's terminal."""

    def __init__(self, wire: Wire, master: MasterRunner, clock: Clock) -> None:
        self._wire = wire
        self._master = master
        self._clock = clock
        self.accepted: set[str] = set()
        self.refused: dict[str, str] = {}
        wire.on_plain(HELLO, self._hello)

    def receive(self, at_least: int) -> list[str]:
        """Those who are here and accepted, in the order in which they came; waits until there are so many.

        Each of them has said hello by then, or has had its time.
        """
        while True:
            here = self.here()
            self._await_hellos(here)
            accepted = [worker_id for worker_id in here if worker_id in self.accepted]
            if len(accepted) >= at_least:
                return accepted
            gevent.sleep(_LOOK_S)

    def here(self) -> list[str]:
        """Those whom Locust hears of, accepted or not."""
        clients = self._master.clients
        nodes: list[WorkerNode] = [*clients.ready, *clients.spawning, *clients.running]
        return sorted((node.id for node in nodes), key=self._master.get_worker_index)

    def _await_hellos(self, worker_ids: Sequence[str]) -> None:
        with gevent.Timeout(HELLO_S, False):
            while any(each not in self.accepted and each not in self.refused for each in worker_ids):
                gevent.sleep(_LOOK_S)
        for worker_id in worker_ids:
            if worker_id not in self.accepted and worker_id not in self.refused:
                self._refuse(worker_id, "it does not say which upswarm it runs: start it with the master's locustfile")
                self._master.server.send_to_client(Message("quit", None, worker_id))

    def _hello(self, worker_id: str, sealed: Any) -> None:
        try:
            hello = self._wire.open(HELLO, worker_id, sealed)
        except SealError as error:
            self._refuse(worker_id, str(error))
            return
        if hello["upswarm"] != __version__:
            found = f"it runs upswarm {hello['upswarm']}, and the master {__version__}"
            self._refuse(worker_id, f"{found}: install the same one on both")
            return
        self.accepted.add(worker_id)
        self._wire.send(WELCOME, {"asked_s": hello["asked_s"], "now_s": self._clock.now()}, worker_id)

    def _refuse(self, worker_id: str, reason: str) -> None:
        if worker_id not in self.refused:
            self.refused[worker_id] = reason
            print(f"worker {worker_id} is refused: {reason}", file=sys.stderr, flush=True)
        self._wire.send_plain(REFUSED, {"reason": reason}, worker_id)
        self._forget(worker_id)

    def _forget(self, worker_id: str) -> None:
        """Locust counts it as one of those that were waited for, and would give it users."""
        node = self._master.clients.get(worker_id)
        if node is not None:
            del self._master.clients[worker_id]
            if self._master._users_dispatcher is not None:
                self._master._users_dispatcher.remove_worker(node)
