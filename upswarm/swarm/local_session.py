"""A run of one process: it decides, and it uploads."""

from __future__ import annotations

from upswarm.swarm.load import Load
from upswarm.swarm.run_session import RunSession
from upswarm.workload.mix import Share

_LOCAL = "local"


class LocalSession(RunSession):
    """A run of this process alone: share 0 of 1."""

    _load: Load | None = None

    @property
    def load(self) -> Load:
        """The load of the run; users who start when it is over already find it, and nothing to do."""
        assert self._load is not None
        return self._load

    def _begin(self) -> list[str]:
        self._load = Load(self._environment, self.steering.plan, Share(0, 1))
        return [_LOCAL]

    def _collect(self) -> None:
        self.steering.take(_LOCAL, self.load.report())

    def _used_up(self) -> bool:
        return self.load.used_up is not None and self.load.used_up.is_set()

    def _drain(self, grace_s: float, *, complete: bool) -> None:
        self.load.drain(grace_s, complete=complete)
        self.steering.take(_LOCAL, self.load.report(last=True))
