"""How much, and when: by users, by arrivals, by iterations, or by a recorded schedule."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from upswarm.errors import Finding, ScenarioError
from upswarm.scenario.base import Mistake, Room, ShortRoom, exactly_one
from upswarm.scenario.quantities import DurationS, RatePerS, written
from upswarm.workload import replay
from upswarm.workload.arrivals import Arrivals, Spacing
from upswarm.workload.iterations import Iterations
from upswarm.workload.kinds import ClosedLoad, FixedLoad, OpenLoad, Workload
from upswarm.workload.rates import Ramp, Rates
from upswarm.workload.replay import Replay
from upswarm.workload.stages import Stage, Stages

_IN_FLIGHT = "The most uploads at a time, over all workers; an arrival that finds so many is dropped, and counted."
_WAIT = "How long an arrival may wait for another upload to end before it is dropped."


class StageRoom(Room):
    """One stage: `{to: 50, over: 30s}` goes there in a straight line, `{hold: 2m}` stays."""

    to: int | None = Field(None, ge=0, description="The users at the end of the stage.")
    over: DurationS | None = Field(None, description="How long the way there takes; 0 is at once.")
    hold: DurationS | None = Field(None, description="How long to stay at the users reached.")

    @model_validator(mode="after")
    def _one(self) -> StageRoom:
        if (self.to is None) != (self.over is None) or (self.to is None) == (self.hold is None):
            raise ValueError("expected {to: USERS, over: DURATION} or {hold: DURATION}")
        return self

    def build(self) -> Stage:
        """The stage."""
        return Stage(self.hold, None) if self.hold is not None else Stage(self.over or 0.0, self.to)


class UsersRoom(Room):
    """A closed load: people who each wait for their last upload before they begin the next."""

    stages: tuple[StageRoom, ...] = Field(
        (StageRoom(to=4, over="2s"), StageRoom(hold="8s")),
        min_length=1,
        description="How many users there are, stage by stage, from 0 on.",
    )
    think_time: DurationS = written("0s", description="How long a user rests between two uploads.")

    @model_validator(mode="after")
    def _some(self) -> UsersRoom:
        stages = self._stages()
        if stages.peak < 1 or stages.duration_s <= 0:
            raise ValueError("expected at least one user and more than 0s; nothing would be uploaded")
        return self

    def build(self) -> ClosedLoad:
        """The load."""
        return ClosedLoad(self._stages(), self.think_time)

    def _stages(self) -> Stages:
        return Stages(tuple(stage.build() for stage in self.stages))


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

    def build(self, seed: int) -> OpenLoad:
        """The load that this seed draws."""
        return OpenLoad(Arrivals(self.build_rates(), self.spacing, seed), self.max_in_flight, self.max_wait)


class IterationsRoom(Room):
    """So many uploads and no more, as fast as so many users can."""

    count: int = Field(ge=1, description="How many uploads, over all users and workers.")
    users: int = Field(1, ge=1, description="How many users share them.")

    def build(self) -> FixedLoad:
        """The load."""
        return FixedLoad(Iterations(self.count, self.users))


def _found(path: str, info: ValidationInfo) -> str:
    """The path as every command can find it; whether there is a file, is looked up where the scenario is read."""
    if info.context is None:
        return path
    full = Path(info.context["folder"], Path(path)).absolute()
    if not full.is_file():
        raise Mistake(f"expected a CSV file, found none at {full}")
    return str(full)


class ReplayRoom(ShortRoom):
    """A recorded load: a CSV says when each upload arrives and how large it is. A path alone may stand for the room."""

    shorthand: ClassVar[str] = "path"
    path: Annotated[str, AfterValidator(_found)] = Field(
        description="A CSV of two columns, `time,size`, such as `12.5s,8MiB`, by time; relative to the scenario."
    )
    max_in_flight: int = Field(500, ge=1, description=_IN_FLIGHT)
    max_wait: DurationS = written("0s", description=_WAIT)

    def build(self, recorded: Replay | None = None) -> OpenLoad:
        """The load; `recorded` stands for the file, where that has been read already. Raises `ScenarioError`."""
        return OpenLoad(self._read() if recorded is None else recorded, self.max_in_flight, self.max_wait)

    def _read(self) -> Replay:
        try:
            return replay.parse(Path(self.path).read_text(encoding="utf-8").splitlines(), self.path)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise ScenarioError(self.path, [Finding("schedule", f"can't be read: {reason}")]) from error


class WorkloadRoom(Room):
    """How much, and when: exactly one of these; a closed load where nothing is said."""

    users: UsersRoom | None = Field(None, description="A closed load by users.")
    arrivals: ArrivalsRoom | None = Field(None, description="An open load by rates.")
    iterations: IterationsRoom | None = Field(None, description="A fixed number of uploads.")
    replay: ReplayRoom | None = Field(None, description="An open load by a recorded schedule.")
    allowed_lost_workers: int = Field(
        0, ge=0, description="How many workers may be lost, or leave early, before the run counts for nothing."
    )
    allow_saturated_generator: bool = Field(
        False, description="Whether a run counts whose workers used up their CPUs; it is then warned of only."
    )

    @model_validator(mode="before")
    @classmethod
    def _users_by_default(cls, value: Any) -> Any:
        if isinstance(value, dict) and not value.keys() - {"allowed_lost_workers", "allow_saturated_generator"}:
            return {"users": {}, **value}
        return value

    @model_validator(mode="after")
    def _one(self) -> WorkloadRoom:
        exactly_one(self, ("users", "arrivals", "iterations", "replay"))
        return self

    def build(self, seed: int, recorded: Replay | None = None) -> Workload:
        """The load that this seed draws; raises `ScenarioError` for mistakes in a recorded schedule."""
        if self.arrivals is not None:
            return self.arrivals.build(seed)
        if self.iterations is not None:
            return self.iterations.build()
        if self.replay is not None:
            return self.replay.build(recorded)
        assert self.users is not None
        return self.users.build()
