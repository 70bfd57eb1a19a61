"""Where a drill takes place: a server of ours, and what lies between it and the load."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from upswarm.errors import TargetError
from upswarm.scenario.model import Scenario
from upswarm.swarm.drill.network import Network, laid
from upswarm.swarm.embedded import EmbeddedServer
from upswarm.transfer.failures import Interrupted
from upswarm.transfer.messages import Phase, Request
from upswarm.workload.drill import ActKind

_WORKS_AGAIN_S = 20.0
_LOOK_S = 0.02


class Site:
    """Set up when made; `url` is what the load is sent to. Raises `UpswarmError`, and then nothing is left."""

    def __init__(self, scenario: Scenario) -> None:
        drill, settings = scenario.drill, scenario.target.embedded
        disk_bytes = drill.disk if drill is not None and ActKind.FILL_DISK in drill.kinds else None
        environ = settings.environ(scenario.seed) if settings is not None else {}
        self._scenario = scenario
        self.network: Network | None = None
        with ExitStack() as made:
            if drill is not None and drill.needs_network:
                cable, without = laid(drill.network)
                if cable is not None:
                    made.callback(cable.stop)
                self.server = EmbeddedServer(environ, disk_bytes, cable)
                made.callback(self.server.stop)
                slows = ActKind.SLOW_NETWORK in drill.kinds
                self.network = Network(self.server.url, cable, slows=slows, without=without)
                made.callback(self.network.stop)
                self.url = self.network.url
            else:
                self.server = EmbeddedServer(environ, disk_bytes)
                made.callback(self.server.stop)
                self.url = self.server.url
            self._made = made.pop_all()

    def await_answer(self, enough: Callable[[dict[str, Any]], bool] = lambda health: True) -> None:
        """Return when the server answers, and says of its health what is enough; raises `TargetError`."""
        deadline_s = time.monotonic() + _WORKS_AGAIN_S
        while time.monotonic() < deadline_s:
            health = self._health()
            if health and enough(health):
                return
            time.sleep(_LOOK_S)
        raise TargetError(f"the server does not answer as it should after {_WORKS_AGAIN_S:g} s")

    def stop(self) -> None:
        """Stop all of it, and remove what was uploaded."""
        self._made.close()

    def _health(self) -> dict[str, Any]:
        transport = self._scenario.transfer.open_transport(self.url)
        try:
            return transport.send(Request(Phase.PROBE, "GET", "/health")).json()
        except Interrupted:
            return {}
        finally:
            transport.close()
