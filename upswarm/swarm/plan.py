"""A plan: everything that a worker must know of a run. The master makes it and sends it with Locust's spawn message."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from upswarm.scenario.loader import received
from upswarm.scenario.model import Scenario
from upswarm.workload.kinds import OpenLoad, Override, Workload
from upswarm.workload.replay import Replay


@dataclass(frozen=True, slots=True)
class Plan:
    """A run before it starts. `target_url` is a real URL, also where the scenario says `embedded`.

    `workload` is the scenario's, changed by `override`.
    """

    run_id: str
    scenario: Scenario
    target_url: str
    workload: Workload
    override: Override

    @classmethod
    def of(cls, run_id: str, scenario: Scenario, target_url: str, override: Override | None = None) -> Plan:
        """The plan of a scenario; raises `UpswarmError` where its workload can't be as it is wished."""
        override = Override() if override is None else override
        return cls(run_id, scenario, target_url, scenario.build_workload().overridden(override), override)

    def to_document(self) -> dict[str, Any]:
        """What workers get, secrets included; it has to pass through msgpack."""
        return {
            "run_id": self.run_id,
            "scenario": self.scenario.resolved(reveal_secrets=True),
            "target_url": self.target_url,
            "override": asdict(self.override),
            "recorded": self._recorded(),
        }

    def _recorded(self) -> list[Any] | None:
        """A replay's schedule, which workers can't read from a file of the master's."""
        match self.workload:
            case OpenLoad(Replay(times_s, sizes_bytes)):
                return [list(times_s), list(sizes_bytes)]
        return None

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> Plan:
        """The plan as a worker needs it."""
        scenario, override = received(document["scenario"]), Override(**document["override"])
        recorded = Replay(*map(tuple, document["recorded"])) if document["recorded"] else None
        workload = scenario.build_workload(recorded).overridden(override)
        return cls(document["run_id"], scenario, document["target_url"], workload, override)
