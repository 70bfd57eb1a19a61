"""The kinds of workload as a run sees them: how many users it needs at each moment, for how long, and of which files.

A closed load is its users. In an open load users are slots: each waits until an arrival calls it. Iterations are a
closed load that ends when its uploads are used up, and not when a time is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from upswarm.errors import UsageError
from upswarm.workload.arrivals import Arrivals
from upswarm.workload.iterations import Iterations
from upswarm.workload.mix import FileDraw
from upswarm.workload.rates import Ramp, Rates
from upswarm.workload.replay import Replay
from upswarm.workload.stages import Stages

USUAL_IN_FLIGHT = 500
_SLOTS_PER_WORKER = 64
_NOTHING = "nothing would be uploaded"


@dataclass(frozen=True, slots=True)
class Override:
    """What the command line or the web form wants otherwise; None leaves it to the scenario."""

    users: int | None = None
    spawn_rate_per_s: float | None = None
    duration_s: float | None = None
    rate_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class ClosedLoad:
    """People who each wait for their last upload, and rest `think_time_s`, before they begin the next."""

    stages: Stages
    think_time_s: float = 0.0

    @property
    def planned_s(self) -> float | None:
        """How long the run lasts."""
        return self.stages.duration_s

    @property
    def ends_s(self) -> float | None:
        """When it ends, at the latest."""
        return self.planned_s

    @property
    def peak_users(self) -> int:
        """The most users at any moment."""
        return self.stages.peak

    def slots(self, workers: int) -> int:
        """Into how many parts the numbers of the files are cut for so many workers: enough for some more to join."""
        return _SLOTS_PER_WORKER * workers

    def users_at(self, elapsed_s: float, workers: int) -> int | None:
        """How many users there should be on all workers together; None once the run is over."""
        return self.stages.users_at(elapsed_s)

    def sized(self, draw: FileDraw) -> FileDraw:
        """The file that is uploaded where the mix draws this one."""
        return draw

    def overridden(self, wish: Override) -> ClosedLoad | OpenLoad:
        """This load with other users, or for another time; raises `UsageError` where nothing is left of it.

        With a rate it becomes an open load of as many seconds.
        """
        if wish.rate_per_s is not None:
            if wish.users is not None:
                raise UsageError(
                    "expected --rate or --users, found both; one is when uploads arrive, one who makes them"
                )
            duration_s = self.stages.duration_s if wish.duration_s is None else wish.duration_s
            return OpenLoad(_steady(wish.rate_per_s, duration_s), USUAL_IN_FLIGHT).overridden(wish)
        stages = self.stages.overridden(
            users=wish.users, spawn_rate_per_s=wish.spawn_rate_per_s, duration_s=wish.duration_s
        )
        if stages.peak < 1 or stages.duration_s <= 0:
            raise UsageError(f"expected at least one user and a duration above 0; {_NOTHING}")
        return replace(self, stages=stages)

    def edited(self, elapsed_s: float, users: int, spawn_rate_per_s: float) -> ClosedLoad:
        """This load while it runs: from this moment on with so many users, who come or go at the spawn rate."""
        return replace(self, stages=self.stages.changed_at(elapsed_s, users, spawn_rate_per_s))

    def __str__(self) -> str:
        return _counted(self.peak_users, "user")


@dataclass(frozen=True, slots=True)
class OpenLoad:
    """Uploads that arrive by a schedule; at most `max_in_flight` at a time, and waiting at most `max_wait_s`."""

    schedule: Arrivals | Replay
    max_in_flight: int
    max_wait_s: float = 0.0

    @property
    def planned_s(self) -> float:
        """How long arrivals may come."""
        return self.schedule.duration_s

    @property
    def ends_s(self) -> float:
        """When the run ends, but for the uploads under way."""
        return self.planned_s

    @property
    def peak_users(self) -> int:
        """One for each slot."""
        return self.max_in_flight

    def slots(self, workers: int) -> int:
        """One for each upload that may be in flight."""
        return self.max_in_flight

    def users_at(self, elapsed_s: float, workers: int) -> int | None:
        """As many on each worker as the one with most slots needs; None once the run is over.

        A record whose arrivals are all due at once has no length, but needs them too.
        """
        over = elapsed_s >= self.planned_s > 0
        return None if over else -(-self.max_in_flight // workers) * workers

    def sized(self, draw: FileDraw) -> FileDraw:
        """The file that is uploaded where the mix draws this one: as large as recorded, where there is a record."""
        return self.schedule.resized(draw) if isinstance(self.schedule, Replay) else draw

    def overridden(self, wish: Override) -> OpenLoad:
        """This load at one rate, or for another time; raises `UsageError` for users, or where nothing is left of it."""
        if wish.users is not None:
            raise UsageError(
                f"expected no number of users, for uploads of this scenario arrive by a schedule, found {wish.users}",
                hint="change the rates, or max_in_flight, in the scenario",
            )
        if wish.spawn_rate_per_s is not None:
            raise UsageError(
                f"expected no spawn rate, for uploads arrive by a schedule, found {wish.spawn_rate_per_s:g} users/s"
            )
        schedule = self.schedule if wish.rate_per_s is None else self._at_rate(wish.rate_per_s)
        if wish.duration_s is not None:
            schedule = schedule.lasting(wish.duration_s)
        if schedule.count == 0:
            raise UsageError(f"expected a time in which something arrives, found {schedule.duration_s:g}s; {_NOTHING}")
        return replace(self, schedule=schedule)

    def _at_rate(self, rate_per_s: float) -> Arrivals:
        if isinstance(self.schedule, Replay):
            raise UsageError(f"expected no rate, for this scenario replays a recorded one, found {rate_per_s:g}/s")
        return replace(self.schedule, rates=_steady(rate_per_s, self.planned_s).rates)

    def __str__(self) -> str:
        slots = f"at most {self.max_in_flight:,} in flight"
        if isinstance(self.schedule, Replay):
            return f"{_counted(self.schedule.count, 'recorded arrival')}, {slots}"
        return f"up to {self.schedule.rates.peak_per_s:,.4g} arrivals/s, {slots}"


@dataclass(frozen=True, slots=True)
class FixedLoad:
    """So many uploads and no more, for as long as they take; `limit_s` ends the run earlier.

    Users come at once, or so many per second.
    """

    iterations: Iterations
    limit_s: float | None = None
    spawn_rate_per_s: float | None = None

    @property
    def planned_s(self) -> None:
        """Nobody knows."""
        return None

    @property
    def ends_s(self) -> float | None:
        """When the run ends, even if uploads are left; None where it goes on until none is."""
        return self.limit_s

    @property
    def peak_users(self) -> int:
        """The users who share the uploads; those who would find none are not needed."""
        return self.iterations.slots

    def slots(self, workers: int) -> int:
        """One for each user."""
        return self.iterations.slots

    def users_at(self, elapsed_s: float, workers: int) -> int | None:
        """As many on each worker as the one with most of them needs; None once the limit is reached."""
        if self.limit_s is not None and elapsed_s >= self.limit_s:
            return None
        rate_per_s = self.spawn_rate_per_s
        users = self.peak_users if rate_per_s is None else min(self.peak_users, 1 + int(rate_per_s * elapsed_s))
        return -(-users // workers) * workers

    def sized(self, draw: FileDraw) -> FileDraw:
        """The file that is uploaded where the mix draws this one."""
        return draw

    def overridden(self, wish: Override) -> FixedLoad:
        """This load with other users, or within a time; raises `UsageError` for a rate, or where there is no time."""
        if wish.rate_per_s is not None:
            raise UsageError(f"expected no rate, for this scenario is so many uploads, found {wish.rate_per_s:g}/s")
        users = self.iterations.users if wish.users is None else wish.users
        limit_s = self.limit_s if wish.duration_s is None else wish.duration_s
        if limit_s == 0:
            raise UsageError(f"expected a duration above 0; {_NOTHING}")
        return FixedLoad(replace(self.iterations, users=users), limit_s, wish.spawn_rate_per_s)

    def __str__(self) -> str:
        return f"{_counted(self.iterations.count, 'upload')} by {_counted(self.peak_users, 'user')}"


Workload = ClosedLoad | OpenLoad | FixedLoad


def _steady(rate_per_s: float, duration_s: float) -> Arrivals:
    if rate_per_s == 0:
        raise UsageError(f"expected a rate above 0/s; {_NOTHING}")
    return Arrivals(Rates((Ramp(duration_s, rate_per_s, rate_per_s),)))


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
