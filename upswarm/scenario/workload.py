"""How much, and when: by users, by arrivals, by iterations, or by a recorded schedule.

Only `users` is a key of a scenario yet (`upswarm.scenario.model`); the others wait here until a run can obey them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import Field, model_validator

from upswarm.scenario.base import Room, ShortRoom, exactly_one
from upswarm.scenario.model import UsersRoom
from upswarm.scenario.quantities import DurationS, RatePerS, written
from upswarm.workload import replay
from upswarm.workload.arrivals import Arrivals, Spacing
from upswarm.workload.iterations import Iterations
from upswarm.workload.rates import Ramp, Rates
from upswarm.workload.replay import Replay

_IN_FLIGHT = "The most uploads at a time, over all workers; an arrival that finds so many is dropped, and counted."
_WAIT = "How long an arrival may wait for another upload to end before it is dropped."


class RateStageRoom(Room):
    """`{rate: 5/s, hold: 1m}` is a rate, `{to: 20/s, over: 2m}` goes there in a straight line, `{hold: 1m}` stays."""

    rate: RatePerS | None = Field(None, description="Arrivals at this rate, from the beginning of the stage on.")
    hold: DurationS | None = Field(None, description="How long to stay at the rate given or reached.")
    to: RatePerS | None = Field(None, description="The rate at the end of the stage.")
    over: DurationS | None = Field(None, description="How long the way there takes; 0 is at once.")

    @model_validator(mode="after")
    def _one(self) -> RateStageRoom:
        ramp, hold = (self.to is not None, self.over is not None), self.hold is not None
        if ramp not in {(True, True), (False, False)} or all(ramp) == hold or (all(ramp) and self.rate is not None):
            raise ValueError("expected {rate: RATE, hold: DURATION}, {to: RATE, over: DURATION} or {hold: DURATION}")
        return self

    def build(self, reached_per_s: float) -> Ramp:
        """The ramp, where the stage before has reached this rate."""
        if self.to is not None:
            return Ramp(self.over or 0.0, reached_per_s, self.to)
        level_per_s = reached_per_s if self.rate is None else self.rate
        return Ramp(self.hold or 0.0, level_per_s, level_per_s)


class ArrivalsRoom(Room):
    """An open load: uploads arrive at a rate, whether or not those before them have ended."""

    stages: tuple[RateStageRoom, ...] = Field(
        (RateStageRoom(rate="5/s", hold="10s"),),
        min_length=1,
        description="How many arrive per second, stage by stage, from 0/s on.",
    )
    spacing: Spacing = Field(
        Spacing.CONSTANT, description="`constant` is even, `poisson` as independent people come; the seed decides when."
    )
    max_in_flight: int = Field(500, ge=1, description=_IN_FLIGHT)
    max_wait: DurationS = written("0s", description=_WAIT)

    @model_validator(mode="after")
    def _some(self) -> ArrivalsRoom:
        if self.build_rates().expected <= 0:
            raise ValueError("expected a rate above 0/s for more than 0s; nothing would be uploaded")
        return self

    def build_rates(self) -> Rates:
        """The rates, stage by stage."""
        ramps: list[Ramp] = []
        for stage in self.stages:
            ramps.append(stage.build(ramps[-1].last_per_s if ramps else 0.0))
        return Rates(tuple(ramps))

    def build(self, seed: int) -> Arrivals:
        """The schedule that this seed draws."""
        return Arrivals(self.build_rates(), self.spacing, seed)


class IterationsRoom(Room):
    """So many uploads and no more, as fast as so many users can."""

    count: int = Field(ge=1, description="How many uploads, over all users and workers.")
    users: int = Field(1, ge=1, description="How many users share them.")

    def build(self) -> Iterations:
        """The iterations."""
        return Iterations(self.count, self.users)


class ReplayRoom(ShortRoom):
    """A recorded load: a CSV says when each upload arrives and how large it is. A path alone may stand for the room."""

    shorthand: ClassVar[str] = "path"
    path: str = Field(min_length=1, description="A CSV of two columns, `time,size`, such as `12.5s,8MiB`, by time.")
    max_in_flight: int = Field(500, ge=1, description=_IN_FLIGHT)
    max_wait: DurationS = written("0s", description=_WAIT)

    def build(self, lines: Iterable[str]) -> Replay:
        """The schedule in the lines of the file; raises `ScenarioError`."""
        return replay.parse(lines, self.path)


class AnyWorkloadRoom(Room):
    """How much, and when: exactly one of these; a closed load where nothing is said."""

    users: UsersRoom | None = Field(None, description="A closed load by users.")
    arrivals: ArrivalsRoom | None = Field(None, description="An open load by rates.")
    iterations: IterationsRoom | None = Field(None, description="A fixed number of uploads.")
    replay: ReplayRoom | None = Field(None, description="An open load by a recorded schedule.")

    @model_validator(mode="before")
    @classmethod
    def _users_by_default(cls, value: Any) -> Any:
        return {"users": {}} if value == {} else value

    @model_validator(mode="after")
    def _one(self) -> AnyWorkloadRoom:
        exactly_one(self, ("users", "arrivals", "iterations", "replay"))
        return self
