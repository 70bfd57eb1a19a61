"""The room `drill`: what is broken during the run, and when."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from upswarm.plugins import did_you_mean
from upswarm.scenario.base import Mistake, Room, all_mistaken, exactly_one
from upswarm.scenario.quantities import BandwidthBytesPerS, DurationS, PositiveDurationS, PositiveSizeBytes, written
from upswarm.scenario.target import TargetRoom
from upswarm.scenario.urls import EMBEDDED
from upswarm.scenario.workload import WorkloadRoom
from upswarm.units import format_duration
from upswarm.workload.drill import (
    OF_THE_NETWORK,
    SUDDEN,
    Act,
    ActKind,
    ByChance,
    NetworkKind,
    Planned,
    Slowness,
    overlapping,
    too_late,
)

_KILL_PAUSE_S = 0.5
_SLOW_KEYS = ("delay", "jitter", "bandwidth")
_WORDS = [kind.value for kind in ActKind]


def _kind(value: object) -> ActKind:
    if value not in _WORDS:
        raise Mistake(f"expected one of {', '.join(_WORDS)}, found {value!r}", did_you_mean(str(value), _WORDS))
    return ActKind(str(value))


Kind = Annotated[
    ActKind,
    PlainValidator(_kind),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "enum": _WORDS}),
]


def _ordered(span: tuple[float, float]) -> tuple[float, float]:
    if span[0] > span[1]:
        raise ValueError("expected the shorter time first")
    return span


class _TimedRoom(Room):
    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)


class ActRoom(_TimedRoom):
    """One thing that is broken."""

    do: Kind = Field(description="What is broken (see drills.md).")
    at: DurationS = Field(description="When, from the start of the run on.")
    lasts: PositiveDurationS | None = Field(
        None,
        alias="for",
        description="For how long; not of a process that is killed alone, and 500ms for `kill_server`, which is "
        "started again after it.",
    )
    delay: DurationS | None = Field(None, description="`slow_network`: how much later everything comes, each way.")
    jitter: DurationS | None = Field(None, description="`slow_network`: the delay is up to so much longer or shorter.")
    bandwidth: BandwidthBytesPerS | None = Field(
        None, description="`slow_network`: how much comes through, each way, of all connections together."
    )

    @model_validator(mode="after")
    def _sensible(self) -> ActRoom:
        mistakes = dict(self._mistakes())
        if mistakes:
            raise all_mistaken(mistakes, self)
        return self

    def _mistakes(self) -> Iterator[tuple[tuple[str, ...], Mistake]]:
        if self.do in SUDDEN and self.lasts is not None:
            yield ("for",), Mistake(f"expected none, for {self.do} is over at once")
        if self.lasts is None and self.do not in {*SUDDEN, ActKind.KILL_SERVER}:
            yield ("for",), Mistake(f"expected how long {self.do} lasts, such as 2s, found nothing")
        given = [key for key in _SLOW_KEYS if getattr(self, key) is not None]
        if self.do is not ActKind.SLOW_NETWORK:
            for key in given:
                yield (key,), Mistake(f"expected only with {ActKind.SLOW_NETWORK}, found with {self.do}")
        elif not given:
            yield ("do",), Mistake("expected delay, jitter or bandwidth beside slow_network, found none of them")

    def build(self, pick: float) -> Act:
        """The act."""
        lasting_s = 0.0 if self.do in SUDDEN else self.lasts or _KILL_PAUSE_S
        slow = Slowness(self.delay or 0.0, self.jitter or 0.0, self.bandwidth)
        return Act(self.do, self.at, lasting_s, slow if self.do is ActKind.SLOW_NETWORK else None, pick)


class RandomRoom(_TimedRoom):
    """Acts by chance, which the scenario's seed draws."""

    every: PositiveDurationS = written("4s", description="Once in each such time something is broken.")
    of: tuple[Kind, ...] = Field(
        (ActKind.KILL_SERVER_WORKER, ActKind.KILL_SERVER, ActKind.STOP_SERVER, ActKind.CUT_NETWORK),
        min_length=1,
        description="What is drawn from; all of these are equally likely.",
        validate_default=False,
    )
    begins: DurationS = Field("2s", alias="from", validate_default=True, description="When the first such time begins.")
    lasts: Annotated[tuple[PositiveDurationS, PositiveDurationS], AfterValidator(_ordered)] = Field(
        ("500ms", "1500ms"),
        alias="for",
        validate_default=True,
        description="How long it lasts at least and at most, where it lasts.",
    )
    delay: DurationS = written("50ms", description="As in an act.")
    jitter: DurationS = written("20ms", description="As in an act.")
    bandwidth: BandwidthBytesPerS | None = Field(None, description="As in an act.")

    @model_validator(mode="after")
    def _one_at_a_time(self) -> RandomRoom:
        if self.lasts[1] > self.every:
            longest, every = format_duration(self.lasts[1]), format_duration(self.every)
            mistake = Mistake(f"expected at least the {longest} that an act may last, found {every}")
            raise all_mistaken({("every",): mistake}, self)
        return self

    def build(self, seed: int) -> ByChance:
        """The acts that this seed draws."""
        slowness = Slowness(self.delay, self.jitter, self.bandwidth)
        return ByChance(self.of, self.every, self.begins, self.lasts, slowness, seed)


def needs_embedded(found: str) -> Mistake:
    """A server that upswarm has not started can't be killed by it."""
    return Mistake(f"expected the target `{EMBEDDED}`, for a drill breaks only a server of its own, found {found}")


class DrillRoom(Room):
    """What is broken during the run, of a server that belongs to it. Exactly one of acts and random."""

    acts: tuple[ActRoom, ...] | None = Field(None, min_length=1, description="Acts, each at its time, one at a time.")
    random: RandomRoom | None = Field(None, description="Acts by chance, which the scenario's seed draws.")
    recovery: DurationS = written("3s", description="How long the load goes on at least after the last act is over.")
    network: NetworkKind = Field(
        NetworkKind.AUTO,
        description="What `cut_network` cuts and `slow_network` slows: a cable to a network `namespace`, where packets "
        "get lost, or a TCP `proxy`, which breaks connections. `auto` is the first where it can be had (by root).",
    )
    disk: PositiveSizeBytes = written(
        "1GiB", description="How large the disk is that `fill_disk` fills; it is held in memory."
    )

    @model_validator(mode="after")
    def _one_at_a_time(self) -> DrillRoom:
        exactly_one(self, ("acts", "random"))
        listed = self._listed(0)
        mistakes = {
            ("acts", listed.index(other), "at"): Mistake(
                f"expected {format_duration(one.until_s)} or later, when {one.kind} is over, "
                f"found {format_duration(other.at_s)}; one thing is broken at a time"
            )
            for one, other in overlapping(listed)
        }
        if mistakes:
            raise all_mistaken(mistakes, self)
        return self

    @property
    def kinds(self) -> frozenset[ActKind]:
        """Everything that may be broken."""
        return frozenset(self.random.of) if self.random is not None else frozenset(act.do for act in self.acts or ())

    @property
    def needs_network(self) -> bool:
        """Whether anything happens to the network."""
        return bool(self.kinds & OF_THE_NETWORK)

    def build(self, seed: int) -> Planned | ByChance:
        """The acts, which are asked for with the time by which they have to be over."""
        return self.random.build(seed) if self.random is not None else Planned(tuple(self._listed(seed)))

    def fit(self, seed: int, planned_s: float | None) -> tuple[Act, ...]:
        """The acts of a run that is planned to last so long; raises `Mistake` where there is no room for them."""
        if planned_s is None:
            raise Mistake("expected a workload that says when it ends, by users or arrivals, for a drill is timed")
        until_s = planned_s - self.recovery
        acts = self.build(seed).acts(until_s)
        late = too_late(acts, until_s)
        if late or not acts:
            first_s = 0.0 if self.random is None else self.random.begins + self.random.every
            last_s = max((act.until_s for act in late), default=first_s)
            needed, found = format_duration(last_s + self.recovery), format_duration(planned_s)
            purpose = "for the acts and the recovery after them"
            raise Mistake(f"expected a run of at least {needed}, {purpose}, found {found}")
        return acts

    def mistakes(self, seed: int, target: TargetRoom, workload: WorkloadRoom) -> dict[tuple[str, ...], Mistake]:
        """What is wrong with a drill of this target under this workload."""
        found: dict[tuple[str, ...], Mistake] = {}
        if target.url != EMBEDDED:
            found["target", "url"] = needs_embedded(target.url)
        if workload.replay is None:  # whose file tells how long it takes
            try:
                self.fit(seed, workload.build(seed).planned_s)
            except Mistake as mistake:
                found["drill",] = mistake
        return found

    def _listed(self, seed: int) -> list[Act]:
        dice = random.Random(f"{seed}/drill")
        return [act.build(dice.random()) for act in self.acts or ()]
