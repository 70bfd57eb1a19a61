"""A run of one process: it decides, and it uploads."""

from __future__ import annotations

from upswarm.swarm.run_session import RunSession
from upswarm.swarm.uploading.load import HURRY_S, Load
from upswarm.workload.shares import Share

_LOCAL = "local"


class LocalSession(RunSession):
    """A run of this process alone, which has all of it."""

    _load: Load | None = None

    def load(self) -> Load:
        """The load of the run; users who start when it is over already find it, and nothing to do."""
        assert self._load is not None
        return self._load

    def _begin(self, started_s: float) -> list[str]:
        plan = self.steering.plan
        self._load = Load(self._environment, plan, Share.of(0, 1, plan.workload.slots(1)), started_s)
        return [_LOCAL]

    def _go(self, zero_s: float) -> None:
        self.load().begin(zero_s)

    def _collect(self) -> None:
        self.steering.take(_LOCAL, self.load().report())

    def _used_up(self) -> bool:
        used_up = self.load().used_up
        return used_up is not None and used_up.is_set()

    def _hurry(self) -> None:
        self.load().hurry(HURRY_S)

    def _drain(self, grace_s: float, *, complete: bool) -> None:
        self.load().drain(grace_s, complete=complete)
        self.steering.take(_LOCAL, self.load().report(last=True))
