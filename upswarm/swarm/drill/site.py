"""Where a drill takes place: a server of ours, and what lies between it and the load."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from upswarm.errors import TargetError
from upswarm.scenario.model import Scenario
from upswarm.swarm.drill.network import Network
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
        self._scenario = scenario
        self.server = EmbeddedServer(settings.environ(scenario.seed) if settings is not None else {}, disk_bytes)
        self.network: Network | None = None
        try:
            if drill is not None and drill.needs_proxy:
                self.network = Network(self.server.url)
        except BaseException:
            self.server.stop()
            raise
        self.url = self.server.url if self.network is None else self.network.url

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
        if self.network is not None:
            self.network.stop()
        self.server.stop()

    def _health(self) -> dict[str, Any]:
        transport = self._scenario.transfer.open_transport(self.url)
        try:
            return transport.send(Request(Phase.PROBE, "GET", "/health")).json()
        except Interrupted:
            return {}
        finally:
            transport.close()
