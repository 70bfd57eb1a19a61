"""A plan: everything that a worker must know of a run. The master makes it and sends it with Locust's spawn message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from upswarm.scenario.loader import resolve
from upswarm.scenario.model import Scenario
from upswarm.workload.mix import Share
from upswarm.workload.stages import Stages


@dataclass(frozen=True, slots=True)
class Plan:
    """A run before it starts. `target_url` is a real URL, also where the scenario says `embedded`."""

    run_id: str
    scenario: Scenario
    target_url: str
    stages: Stages

    def to_document(self, worker_ids: list[str]) -> dict[str, Any]:
        """What workers get, secrets included; it has to pass through msgpack. Shares go by the order of the ids."""
        return {
            "run_id": self.run_id,
            "scenario": self.scenario.resolved(reveal_secrets=True),
            "target_url": self.target_url,
            "worker_ids": worker_ids,
        }

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> Plan:
        """The plan as a worker needs it: how many users there are, and when, is the master's affair."""
        scenario = resolve(document["scenario"])
        return cls(document["run_id"], scenario, document["target_url"], scenario.workload.users.build())


def share_of(document: dict[str, Any], worker_id: str, worker_index: int) -> Share:
    """This worker's part of the files; a worker that joins late draws files that others may draw too."""
    worker_ids = document["worker_ids"]
    if worker_id in worker_ids:
        return Share(worker_ids.index(worker_id), len(worker_ids))
    return Share(worker_index, max(len(worker_ids), worker_index + 1))
