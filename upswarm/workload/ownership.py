"""The book of who has which slots. The master keeps it, so that shares can be re-cut when workers come and go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Ownership:
    """Each slot of a run is one worker's, or is on its way from one to another, or has been lost with its worker."""

    def __init__(self, slots: int, worker_ids: Sequence[str]) -> None:
        """As `Share.of` cuts them."""
        self.slots = slots
        self._owned: dict[str, dict[int, int]] = {
            worker_id: {slot: slot for slot in range(index, slots, len(worker_ids))}
            for index, worker_id in enumerate(worker_ids)
        }
        self._fair = {worker_id: len(owned) for worker_id, owned in self._owned.items()}
        self._spare: list[int] = []

    @property
    def worker_ids(self) -> list[str]:
        """Those who take part, in the order in which they came."""
        return list(self._owned)

    def join(self, worker_id: str) -> dict[str, int]:
        """One more takes part: how many slots to ask of whom, so that nobody has two more than another."""
        asked: dict[str, int] = {}
        self._owned[worker_id], self._fair[worker_id] = {}, 0
        while True:
            richest = max(self._fair, key=lambda each: self._fair[each])
            if self._fair[richest] <= self._fair[worker_id] + 1:
                return asked
            self._fair[richest] -= 1
            self._fair[worker_id] += 1
            asked[richest] = asked.get(richest, 0) + 1

    def spread(self, following: Iterable[int]) -> dict[str, list[int]]:
        """Slots that nobody has, each as its next number, go to those who have fewest. With nobody there they wait."""
        self._spare += following
        spread: dict[str, list[int]] = {}
        while self._spare and self._fair:
            poorest = min(self._fair, key=lambda each: self._fair[each])
            self._fair[poorest] += 1
            spread.setdefault(poorest, []).append(self._spare.pop(0))
        for worker_id, numbers in spread.items():
            self._own(worker_id, numbers)
        return spread

    def moved(self, giver: str, following: Sequence[int], to: str) -> bool:
        """`giver` has given slots away: whether they can go to the one they were asked for."""
        for number in following:
            self._owned.get(giver, {}).pop(number % self.slots, None)
        if to in self._owned:
            self._own(to, following)
        return to in self._owned

    def leave(self, worker_id: str, following: Iterable[int]) -> list[int]:
        """One takes part no more: its slots, each as its next number. `following` is what it said of them last.

        What came to it since then is drawn from where it was when it came.
        """
        del self._fair[worker_id]
        said = {number % self.slots: number for number in following}
        owned = self._owned.pop(worker_id)
        return sorted(max(came_with, said.get(slot, 0)) for slot, came_with in owned.items())

    def _own(self, worker_id: str, following: Iterable[int]) -> None:
        """A slot that came from another one is drawn from that number on, whatever else has been drawn here."""
        self._owned[worker_id].update({number % self.slots: number for number in following})
