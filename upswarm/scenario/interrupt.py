"""What people do to their own uploads: `transfer.interrupt`."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from upswarm.scenario.base import ShortRoom, exactly_one
from upswarm.scenario.quantities import DurationS, Share
from upswarm.transfer.habits import Interrupt, Spread
from upswarm.units import format_duration, format_ratio


class AfterRoom(ShortRoom):
    """How far uploads come. A share alone means that all come as far."""

    shorthand: ClassVar[str] = "fixed"
    fixed: Share | None = Field(None, description="Every one after the same share of its file's bytes.")
    uniform: tuple[Share, Share] | None = Field(
        None, description="The smallest and the largest share; all between are equally likely."
    )

    @model_validator(mode="after")
    def _one(self) -> AfterRoom:
        exactly_one(self, ("fixed", "uniform"))
        if self.uniform is not None and self.uniform[0] > self.uniform[1]:
            raise ValueError("expected the smaller share first")
        return self

    def build(self) -> Spread:
        """What is drawn from."""
        return _spread(self.fixed, self.uniform)

    def __str__(self) -> str:
        return _told(self.build(), format_ratio)


class ResumeInRoom(ShortRoom):
    """How long people are away. A duration alone means that all are away for as long."""

    shorthand: ClassVar[str] = "fixed"
    fixed: DurationS | None = Field(None, description="Everybody is away for so long.")
    uniform: tuple[DurationS, DurationS] | None = Field(
        None, description="The shortest and the longest time; all between are equally likely."
    )

    @model_validator(mode="after")
    def _one(self) -> ResumeInRoom:
        exactly_one(self, ("fixed", "uniform"))
        if self.uniform is not None and self.uniform[0] > self.uniform[1]:
            raise ValueError("expected the shorter time first")
        return self

    def build(self) -> Spread:
        """What is drawn from."""
        return _spread(self.fixed, self.uniform)

    def __str__(self) -> str:
        return _told(self.build(), format_duration)


class InterruptRoom(ShortRoom):
    """People close lids and come back. A share alone may stand for the room."""

    shorthand: ClassVar[str] = "share"
    share: Share = Field(description="The share of uploads whose connections are cut once, in the middle of a chunk.")
    after: AfterRoom = Field(
        AfterRoom(uniform=("10%", "90%")), description="After which share of the file's bytes they are cut."
    )
    resume_in: ResumeInRoom = Field(
        ResumeInRoom(uniform=("1s", "20s")), description="After which time the client asks what is held and goes on."
    )
    resume_on: Literal["same_worker", "another_worker"] = Field(
        "same_worker",
        description="Who goes on, always over new connections; `another_worker` is the same one where it is alone.",
    )

    def build(self) -> Interrupt:
        """The habit."""
        moves = self.resume_on == "another_worker"
        return Interrupt(self.share, self.after.build(), self.resume_in.build(), moves)

    def __str__(self) -> str:
        where = ", at another worker" if self.resume_on == "another_worker" else ""
        return (
            f"{format_ratio(self.share)} of the uploads after {self.after} of their bytes, for {self.resume_in}{where}"
        )


def _told(spread: Spread, form: Callable[[float], str]) -> str:
    ends = [form(end) for end in (spread.low, spread.high)]
    return ends[0] if spread.low == spread.high else " to ".join(ends)


def _spread(fixed: float | None, uniform: tuple[float, float] | None) -> Spread:
    return Spread(*uniform) if uniform is not None else Spread(fixed or 0.0, fixed or 0.0)
