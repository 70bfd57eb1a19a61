"""The workers of the run that is going on, as the master sees them: who has which part of it, who came and who went.

A part is slots (`workload/shares.py`). Whoever joins is given some of the others' slots; the slots of whoever leaves go
to the others, from where it left off. Where a worker is lost nobody knows how far it came, so it depends on the load:
files of a closed load are not missed; uploads that are counted begin again from its last report on; arrivals that were
due meanwhile may or may not have been sent, and are told of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from upswarm.swarm.plan import Plan
from upswarm.swarm.workers.wire import GIVE, GO, PLAN, RETIRE, TAKE, Document, Wire
from upswarm.workload.kinds import ClosedLoad, OpenLoad
from upswarm.workload.ownership import Ownership


class Crew:
    """Those who take part in one run. `tell` is called with sentences for the report."""

    def __init__(
        self, wire: Wire, plan: Plan, worker_ids: list[str], started_s: float, tell: Callable[[str], None]
    ) -> None:
        self._wire = wire
        self._plan = plan
        self._document = {**plan.to_document(), "started_s": started_s}
        self._tell = tell
        self._ownership = Ownership(plan.workload.slots(len(worker_ids)), worker_ids)
        self._zero_s: float | None = None
        self._asked: Counter[str] = Counter()
        self._handed: Counter[str] = Counter()
        self._used_up: dict[str, int] = {}
        self._lost: set[str] = set()
        self.gone: set[str] = set()
        for index, worker_id in enumerate(worker_ids):
            self._send_plan(worker_id, [index, len(worker_ids)])

    @property
    def worker_ids(self) -> list[str]:
        """Those who take part now."""
        return self._ownership.worker_ids

    @property
    def used_up(self) -> bool:
        """Whether all uploads have ended, also those of slots that have changed hands; with nobody there none can."""
        told = [self._used_up.get(worker_id) == self._handed[worker_id] for worker_id in self.worker_ids]
        return bool(told) and all(told) and not self._asked.total()

    def go(self, zero_s: float) -> None:
        """The users are there, and schedules count from this moment of the master's clock."""
        if self._zero_s is None:
            self._zero_s = zero_s
            for worker_id in self.worker_ids:
                self._send_go(worker_id)

    def join(self, worker_id: str) -> None:
        """One more takes part."""
        self._send_plan(worker_id, None)
        if self._zero_s is not None:
            self._send_go(worker_id)
        for giver, count in self._ownership.join(worker_id).items():
            self._asked[giver] += 1
            self._wire.send(GIVE, {"run_id": self._plan.run_id, "count": count, "to": worker_id}, giver)
        self._hand_out([])
        self._tell(f"worker {worker_id} joined: from then on {self._shared()}")

    def given(self, giver: str, message: Document) -> None:
        """One has given slots away, as it was asked to."""
        if message["run_id"] != self._plan.run_id or giver not in self.worker_ids:
            return
        self._asked[giver] -= 1
        following, to = message["following"], message["to"]
        if self._ownership.moved(giver, following, to):
            self._send_take(to, following)
        else:
            self._hand_out(following)

    def note_used_up(self, worker_id: str, message: Document) -> None:
        """All uploads of a worker have ended that had been handed to it until then."""
        if message["run_id"] == self._plan.run_id:
            self._used_up[worker_id] = message["handed"]

    def leave(self, worker_id: str, following: Iterable[int]) -> None:
        """One has left in order: it has told everything, and where it left off. What was on its way to it goes on too.

        Two that leave at once are told of each other's slots when they have said their last word.
        """
        self._hand_out(self._go_away(worker_id, following))
        self._tell(f"worker {worker_id} left before the end: from then on {self._shared()}")

    def lose(self, worker_id: str, reported: Iterable[int], now_s: float) -> None:
        """One is lost, or silent: should it wake up, it has to leave. `reported` is its share as it was known last."""
        following = self._go_away(worker_id, reported)
        self._lost.add(worker_id)
        self.remind(worker_id)
        missed = 0
        match self._plan.workload:
            case ClosedLoad():
                following = []
            case OpenLoad(schedule):
                due_s = 0.0 if self._zero_s is None else now_s - self._zero_s
                following, missed = _not_yet_due(following, self._ownership.slots, schedule.due_s, due_s)
        self._hand_out(following)
        unknown = f"; what became of {missed} arrivals that were due there meanwhile is not known" if missed else ""
        self._tell(f"worker {worker_id} was lost: from then on {self._shared()}{unknown}")

    def remind(self, worker_id: str) -> None:
        """One is heard of. If it is lost it has to leave, and may not have heard so: the line may have been cut."""
        if worker_id in self._lost:
            self._wire.send(RETIRE, {"run_id": self._plan.run_id}, worker_id)

    def _go_away(self, worker_id: str, reported: Iterable[int]) -> list[int]:
        self.gone.add(worker_id)
        del self._asked[worker_id]
        return self._ownership.leave(worker_id, reported)

    def _hand_out(self, following: Iterable[int]) -> None:
        for worker_id, numbers in self._ownership.spread(following).items():
            self._send_take(worker_id, numbers)

    def _send_plan(self, worker_id: str, share: list[int] | None) -> None:
        self._wire.send(PLAN, {**self._document, "slots": self._ownership.slots, "share": share}, worker_id)

    def _send_go(self, worker_id: str) -> None:
        self._wire.send(GO, {"run_id": self._plan.run_id, "zero_s": self._zero_s}, worker_id)

    def _send_take(self, worker_id: str, following: list[int]) -> None:
        self._handed[worker_id] += 1
        self._wire.send(TAKE, {"run_id": self._plan.run_id, "following": following}, worker_id)

    def _shared(self) -> str:
        count = len(self.worker_ids)
        return f"{count} workers shared the load" if count != 1 else "one worker had the whole load"


def _not_yet_due(
    following: Iterable[int], slots: int, due_s: Callable[[int], float | None], now_s: float
) -> tuple[list[int], int]:
    """Each slot from its first arrival on that is still to come, and how many came before those."""
    left: list[int] = []
    missed = 0
    for number in following:
        while (at_s := due_s(number)) is not None and at_s < now_s:
            number += slots  # noqa: PLW2901
            missed += 1
        left.append(number)
    return sorted(left), missed
