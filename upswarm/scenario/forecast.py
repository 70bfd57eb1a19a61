"""What a scenario would do, before it does it.

A closed load is as fast as its target, so only bounds can be said. Of an open load and of so many iterations it is
known how much comes, and not how long that takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from upswarm.scenario.model import Scenario
from upswarm.transfer.chunks import Grid
from upswarm.units import format_bandwidth, format_duration, format_ratio, format_size
from upswarm.workload.arrivals import Arrivals
from upswarm.workload.kinds import ClosedLoad, FixedLoad, OpenLoad, Workload

_SAMPLE = 2000
_BANDWIDTHS_BYTES_PER_S = (10 << 20, 100 << 20, 1 << 30)


@dataclass(frozen=True, slots=True)
class Bound:
    """The most that can happen against a target that takes this many bytes per second in all."""

    bandwidth_bytes_per_s: int
    uploads: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """Means are over the files that the seed draws first; `requests_per_upload` counts neither retries nor probes.

    It is the most: a protocol may have no init or no finalize, or larger chunks than the reference server.
    """

    scenario: Scenario
    workload: Workload
    mean_size_bytes: float
    requests_per_upload: float
    target: str

    @classmethod
    def of(cls, scenario: Scenario, workload: Workload, target: str | None = None) -> Forecast:
        """The forecast for a scenario with this workload and target, its own or others."""
        mix, wish = scenario.build_mix(), scenario.transfer.build().chunk_size_bytes
        known = min(_SAMPLE, total_uploads(workload) or _SAMPLE)
        sizes = [workload.sized(mix.draw(number)).size_bytes for number in range(known)]
        chunks = sum(Grid(size, wish or _reference_chunk_size_bytes(size)).count for size in sizes)
        return cls(scenario, workload, sum(sizes) / known, 2 + chunks / known, target or scenario.target.url)

    def bounds(self, load: ClosedLoad) -> Iterator[Bound]:
        """For a slow, a usual and a fast target."""
        by_users = load.stages.user_seconds / load.think_time_s if load.think_time_s else float("inf")
        for bandwidth in _BANDWIDTHS_BYTES_PER_S:
            by_target = bandwidth * load.stages.duration_s / max(1.0, self.mean_size_bytes)
            yield Bound(bandwidth, min(by_users, by_target))

    def lines(self) -> Iterator[str]:
        """The forecast for people."""
        yield f"target    {self.target}, protocol {self.scenario.target.protocol}{self._faults()}"
        yield f"for       {self._duration()}"
        requests = f"{self._at_most()}{self.requests_per_upload:.1f} requests on average (init, chunks, finalize)"
        yield f"upload    {format_size(self.mean_size_bytes)} in {requests}"
        yield from self._habits()
        yield from self._drill()
        yield from self._volumes()
        yield from self._audit()
        for threshold in self.scenario.threshold_lines:
            yield f"must hold {threshold}"
        if self.scenario.needs().baseline and self.scenario.baseline is None:
            yield "needs     --baseline RUN, which thresholds compare with"

    def _faults(self) -> str:
        settings = self.scenario.target.embedded
        count = len(settings.faults) if settings is not None else 0
        return f", fails on purpose by {count} rule{'s' * (count > 1)}" if count else ""

    def _duration(self) -> str:
        match self.workload:
            case ClosedLoad(_, think_time_s):
                load = f"at most {self.workload}, {format_duration(think_time_s)} between two uploads of one user"
            case FixedLoad(_, limit_s):
                as_long = "as long as it takes" if limit_s is None else f"at most {format_duration(limit_s)}"
                return f"{as_long}, {self.workload}"
            case OpenLoad():
                load = str(self.workload)
        return f"{format_duration(self.workload.planned_s or 0.0)}, {load}"

    def _habits(self) -> Iterator[str]:
        transfer = self.scenario.transfer
        if transfer.interrupt is not None:
            yield f"cut       {transfer.interrupt}"
        if transfer.abort:
            yield f"given up  {format_ratio(transfer.abort)} of the uploads, anywhere on the way"

    def _drill(self) -> Iterator[str]:
        if self.scenario.drill is not None:
            acts = self.scenario.drill.fit(self.scenario.seed, self.workload.planned_s)
            yield f"breaks    {', '.join(f'{act.kind} at {format_duration(act.at_s)}' for act in acts)}"

    def _audit(self) -> Iterator[str]:
        if self.scenario.audit is not None:
            terms = self.scenario.audit.build()
            files = "all files" if terms.sample_ratio == 1 else f"{format_ratio(terms.sample_ratio)} of the files"
            yield f"audits    {files} afterwards: {', '.join(terms.checks)}"

    def _volumes(self) -> Iterator[str]:
        match self.workload:
            case ClosedLoad() as load:
                for bound in self.bounds(load):
                    volume = self._volume(bound.uploads)
                    yield f"at most   {volume} if the target takes {format_bandwidth(bound.bandwidth_bytes_per_s)}"
            case OpenLoad(Arrivals() as schedule):
                peak = format_bandwidth(schedule.rates.peak_per_s * self.mean_size_bytes)
                yield f"in all    {self._volume(schedule.count)}, up to {peak}"
            case _:
                yield f"in all    {self._volume(total_uploads(self.workload) or 0)}"

    def _volume(self, uploads: float) -> str:
        size, requests = format_size(uploads * self.mean_size_bytes), uploads * self.requests_per_upload
        return f"{uploads:,.0f} uploads, {size}, {self._at_most()}{requests:,.0f} requests"

    def _at_most(self) -> str:
        return "" if str(self.scenario.target.protocol) == "chunked" else "at most "


def total_uploads(workload: Workload) -> int | None:
    """How many uploads there are, where that is known before."""
    match workload:
        case OpenLoad(schedule):
            return schedule.count
        case FixedLoad(iterations):
            return iterations.count
    return None


def _reference_chunk_size_bytes(size_bytes: int) -> int:
    """What the reference server answers by default (server/PROTOCOL.md); another server may answer otherwise."""
    return min(max(size_bytes // 500, 5 << 20), 20 << 20)
