"""What a drill breaks, and when: by a list, or by chance. Pure arithmetic; who does it is told when it is time.

One thing at a time: no act begins before the one before it is over. Otherwise nobody could say what each of them cost.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise


class ActKind(StrEnum):
    """What is broken."""

    KILL_SERVER_WORKER = "kill_server_worker"
    KILL_SERVER = "kill_server"
    STOP_SERVER = "stop_server"
    KILL_WORKER = "kill_worker"
    FILL_DISK = "fill_disk"
    CUT_NETWORK = "cut_network"
    SLOW_NETWORK = "slow_network"


class NetworkKind(StrEnum):
    """What lies between the load and the server that a drill breaks."""

    AUTO = "auto"
    NAMESPACE = "namespace"
    PROXY = "proxy"


SUDDEN = frozenset({ActKind.KILL_SERVER_WORKER, ActKind.KILL_WORKER})
"""What is over as soon as it is done; everything else lasts for a while."""
OF_THE_NETWORK = frozenset({ActKind.CUT_NETWORK, ActKind.SLOW_NETWORK})


@dataclass(frozen=True, slots=True)
class Slowness:
    """How slow a network is: each byte comes `delay_s` later, give or take `jitter_s`, and so many per second."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    bandwidth_bytes_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that is broken `at_s` seconds after the start of the run, for `for_s` seconds.

    `pick` is a number from 0 to 1 that chooses among those who may be killed.
    """

    kind: ActKind
    at_s: float
    for_s: float = 0.0
    slowness: Slowness | None = None
    pick: float = 0.0

    @property
    def until_s(self) -> float:
        """When it is over, if it is done on time."""
        return self.at_s + self.for_s


@dataclass(frozen=True, slots=True)
class Planned:
    """Acts of a list."""

    listed: tuple[Act, ...]

    def acts(self, until_s: float) -> tuple[Act, ...]:
        """All of them, in the order of their times; whether they fit is for `too_late` to say."""
        return tuple(sorted(self.listed, key=lambda act: act.at_s))


@dataclass(frozen=True, slots=True)
class ByChance:
    """From `from_s` on, once in every `every_s` seconds, one of these kinds, as long as `for_s` says at least and most.

    The dice of each turn are its own, so a longer run begins with the acts of a shorter one.
    """

    kinds: tuple[ActKind, ...]
    every_s: float
    from_s: float
    for_s: tuple[float, float]
    slowness: Slowness
    seed: int

    def acts(self, until_s: float) -> tuple[Act, ...]:
        """Those that are over by then."""
        turns = max(0, int((until_s - self.from_s) / self.every_s + 1e-9))
        return tuple(self._act(turn) for turn in range(turns))

    def _act(self, turn: int) -> Act:
        dice = random.Random(f"{self.seed}/{turn}/drill")
        kind = dice.choice(self.kinds)
        lasting_s = 0.0 if kind in SUDDEN else round(dice.uniform(*self.for_s), 3)
        at_s = self.from_s + turn * self.every_s + round(dice.uniform(0, self.every_s - self.for_s[1]), 3)
        slowness = self.slowness if kind is ActKind.SLOW_NETWORK else None
        return Act(kind, at_s, lasting_s, slowness, dice.random())


def overlapping(acts: Iterable[Act]) -> list[tuple[Act, Act]]:
    """Each act that begins before the one before it is over, behind that one."""
    ordered = sorted(acts, key=lambda act: act.at_s)
    return [(one, other) for one, other in pairwise(ordered) if other.at_s < one.until_s]


def too_late(acts: Iterable[Act], until_s: float) -> list[Act]:
    """Those that are not over by then."""
    return [act for act in acts if act.until_s > until_s]


def picked(pick: float, count: int) -> int:
    """Which of so many a number from 0 to 1 chooses."""
    return min(int(pick * count), count - 1)
