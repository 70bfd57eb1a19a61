"""Who is probed, and for how long."""

from __future__ import annotations

from dataclasses import dataclass, replace

from upswarm.transfer.auth import Sign, unsigned
from upswarm.transfer.clock import Clock
from upswarm.transfer.dialect import UploadProtocol
from upswarm.transfer.failures import Failure, Interrupted
from upswarm.transfer.transport import DIRECT, Route, Timeouts

_TIMEOUTS = Timeouts()
REQUEST_S = 15.0
"""No request of a probe takes longer, however patient the scenario is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server, and how a scenario speaks to it. `url` is where the protocol begins; `protocol_name` is for people."""

    url: str
    protocol_name: str
    protocol: UploadProtocol
    clock: Clock
    sign: Sign = unsigned
    chunk_size_bytes: int | None = None
    digest: str | None = None
    timeouts: Timeouts = _TIMEOUTS
    route: Route = DIRECT

    def timeouts_within(self, total_s: float) -> Timeouts:
        """The scenario's, but no request takes longer than this."""
        return replace(
            self.timeouts,
            connect_s=min(self.timeouts.connect_s, total_s),
            idle_s=min(self.timeouts.idle_s, total_s),
            total_s=min(self.timeouts.total_s or total_s, total_s),
        )


@dataclass(frozen=True, slots=True)
class Watch:
    """The time that a probe has: nothing begins after `ends_s` on the clock; no word for `silence_s` is silence."""

    clock: Clock
    ends_s: float
    silence_s: float

    @classmethod
    def of(cls, clock: Clock, within_s: float, silence_s: float) -> Watch:
        """One that begins now."""
        return cls(clock, clock.now() + within_s, silence_s)

    @property
    def patience_s(self) -> float:
        """How long a server may refuse to tell what it holds: it may not have noticed yet that the client is gone."""
        return 2 * self.silence_s

    @property
    def over(self) -> bool:
        """Whether nothing new may begin."""
        return self.clock.now() >= self.ends_s

    def check(self) -> None:
        """Raise `Interrupted` when it is over."""
        if self.over:
            raise Interrupted(Failure.STOPPED, "the time of the probe was up")
