"""The closed workload: how many users there are at each moment of a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """From the users before it, in a straight line to `to` users, during `over_s` seconds; `to=None` holds them."""

    over_s: float
    to: int | None = None


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages of a run, one after the other, from 0 users on."""

    steps: tuple[Stage, ...]

    @property
    def duration_s(self) -> float:
        """How long all stages take together."""
        return sum(step.over_s for step in self.steps)

    @property
    def peak(self) -> int:
        """The most users at any moment."""
        return max((step.to for step in self.steps if step.to is not None), default=0)

    @property
    def user_seconds(self) -> float:
        """The area under the curve: users times the time that they are there."""
        total, level = 0.0, 0
        for step in self.steps:
            following = level if step.to is None else step.to
            total += (level + following) / 2 * step.over_s
            level = following
        return total

    def users_at(self, elapsed_s: float) -> int | None:
        """Users at this moment, rounded to the nearest whole one; None once the last stage has ended."""
        level, start_s = 0, 0.0
        for step in self.steps:
            following = level if step.to is None else step.to
            if elapsed_s < start_s + step.over_s:
                return round(level + (following - level) * (elapsed_s - start_s) / step.over_s)
            level, start_s = following, start_s + step.over_s
        return None

    def overridden(
        self,
        *,
        users: int | None = None,
        spawn_rate_per_s: float | None = None,
        duration_s: float | None = None,
    ) -> Stages:
        """These stages as the command line or the web form changes them.

        `users` replaces the curve by a ramp to that number (at once without `spawn_rate_per_s`) and a hold, and so
        does a spawn rate alone, to the peak; `duration_s` cuts the curve, or holds its last level until then. A ramp
        that does not fit is cut too.
        """
        total_s = self.duration_s if duration_s is None else duration_s
        if users is None and spawn_rate_per_s is None:
            return self._lasting(total_s)
        wanted = self.peak if users is None else users
        ramp_s = wanted / spawn_rate_per_s if spawn_rate_per_s else 0.0
        return Stages((Stage(ramp_s, wanted),))._lasting(total_s)

    def changed_at(self, elapsed_s: float, users: int, spawn_rate_per_s: float) -> Stages:
        """These stages until this moment; from then to their end so many users, who come or go at the spawn rate."""
        level = self.users_at(elapsed_s) or 0
        ramp = Stage(abs(users - level) / spawn_rate_per_s, users)
        return Stages((*self._lasting(elapsed_s).steps, ramp))._lasting(self.duration_s)

    def _lasting(self, duration_s: float) -> Stages:
        kept: list[Stage] = []
        start_s, level = 0.0, 0
        for step in self.steps:
            left_s = duration_s - start_s
            following = level if step.to is None else step.to
            if step.over_s > left_s:
                reached = round(level + (following - level) * left_s / step.over_s)
                return Stages((*kept, Stage(left_s, reached)))
            kept.append(step)
            start_s, level = start_s + step.over_s, following
        return Stages((*kept, Stage(duration_s - start_s))) if duration_s > start_s else Stages(tuple(kept))
