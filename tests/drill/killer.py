"""Kills the server at moments that the seed draws, and starts it again when it is gone."""

from __future__ import annotations

import os
import random
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from tests.drill.ledger import Ledger
from tests.drill.links import Address
from tests.servers import RunningServer

WORKER, MASTER, GROUP, START = "worker", "master", "group", "start"
"""One worker; gunicorn's master alone; all processes at once; all processes while they start."""
_DECK = [WORKER, WORKER, WORKER, MASTER, GROUP]
_CALM_S = (0.05, 0.6)
_STARTING_S = (0.1, 0.9)


class Killer:
    """Owns the server of a drill. Every five kills have all three kinds; every third start is killed itself."""

    def __init__(self, directory: Path, seed: int, address: Address, ledger: Ledger, workers: int = 3) -> None:
        self._directory = directory
        self._dice = random.Random(f"killer {seed}")
        self._address = address
        self._ledger = ledger
        self._workers = workers
        self._deck: list[str] = []
        self.kills: Counter[str] = Counter()
        self.server = self._new_server(0)

    @property
    def data_dir(self) -> Path:
        """The one directory of all servers of this drill."""
        return self.server.data_dir

    def start(self) -> None:
        """A server on the same port if it can be had, else on another.

        Workers of a killed master may still listen, or a client may have got the number for its own end.
        """
        self.server = self._new_server(self._address.port if _is_free(self._address.port) else 0)
        self.server.start()
        self._address.port = self.server.port

    def run(self, is_over: Callable[[], bool]) -> None:
        """Kill until it is over; the server runs afterwards."""
        while not is_over():
            time.sleep(self._dice.uniform(*_CALM_S))
            self._kill(self._next_kind())

    def restart_in_order(self) -> None:
        """A last clean stop and start."""
        code = self.server.stop()
        if code != 0:
            self._ledger.lose(f"the server's orderly stop: expected exit code 0, found {code}")
        self.start()

    def close(self) -> None:
        """Leave no process behind."""
        self.server.close()

    def _new_server(self, port: int) -> RunningServer:
        settings = {"workers": self._workers, "min_free": "1MiB", "max_open_uploads": 10**6}
        return RunningServer(self._directory, port=port, **settings)

    def _next_kind(self) -> str:
        if not self._deck:
            self._deck = self._dice.sample(_DECK, len(_DECK))
        return self._deck.pop()

    def _kill(self, kind: str) -> None:
        if kind == WORKER:
            self._kill_worker()
            return
        self.kills[kind] += 1
        if kind == MASTER:
            self.server.process.kill()
            self.server.wait()
        else:
            self.server.kill()
        if self._dice.random() < 1 / 3:
            self._start_and_kill()
        self.start()

    def _kill_worker(self) -> None:
        workers = sorted(psutil.Process(self.server.process.pid).children(), key=lambda worker: worker.pid)
        if workers:  # else the one before is not replaced yet
            self._dice.choice(workers).kill()
            self.kills[WORKER] += 1

    def _start_and_kill(self) -> None:
        server = self._new_server(0)
        timer = threading.Timer(self._dice.uniform(*_STARTING_S), _kill_all, [server])
        timer.start()
        with suppress(AssertionError):  # it did not become ready
            server.start()
        timer.join()
        assert server.wait() == -signal.SIGKILL, server.errors
        self.kills[START] += 1


def _kill_all(server: RunningServer) -> None:
    os.killpg(server.process.pid, signal.SIGKILL)


def _is_free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        probe.listen()
        return True
    return False
