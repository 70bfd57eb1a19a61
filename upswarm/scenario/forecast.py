"""What a scenario would do, before it does it. A closed load is as fast as its target, so only bounds can be said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from upswarm.scenario.model import Scenario
from upswarm.transfer.chunks import Grid
from upswarm.units import format_bandwidth, format_duration, format_size
from upswarm.workload.stages import Stages

_SAMPLE = 2000
_BANDWIDTHS_BYTES_PER_S = (10 << 20, 100 << 20, 1 << 30)


@dataclass(frozen=True, slots=True)
class Bound:
    """The most that can happen against a target that takes this many bytes per second in all."""

    bandwidth_bytes_per_s: int
    uploads: float
    size_bytes: float
    requests: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """Means are over the files that the seed draws first; `requests_per_upload` counts neither retries nor probes."""

    scenario: Scenario
    stages: Stages
    mean_size_bytes: float
    requests_per_upload: float

    @classmethod
    def of(cls, scenario: Scenario, stages: Stages) -> Forecast:
        """The forecast for a scenario with these stages, its own or overridden ones."""
        mix, wish = scenario.build_mix(), scenario.transfer.build().chunk_size_bytes
        sizes = [mix.draw(number).size_bytes for number in range(_SAMPLE)]
        chunks = sum(Grid(size, wish or _reference_chunk_size_bytes(size)).count for size in sizes)
        return cls(scenario, stages, sum(sizes) / _SAMPLE, 2 + chunks / _SAMPLE)

    def bounds(self) -> Iterator[Bound]:
        """For a slow, a usual and a fast target."""
        think_time_s = self.scenario.workload.users.think_time
        by_users = self.stages.user_seconds / think_time_s if think_time_s else float("inf")
        for bandwidth in _BANDWIDTHS_BYTES_PER_S:
            by_target = bandwidth * self.stages.duration_s / max(1.0, self.mean_size_bytes)
            uploads = min(by_users, by_target)
            yield Bound(bandwidth, uploads, uploads * self.mean_size_bytes, uploads * self.requests_per_upload)

    def lines(self) -> Iterator[str]:
        """The forecast for people."""
        users, size = self.scenario.workload.users, format_size(self.mean_size_bytes)
        yield f"target    {self.scenario.target.url}, protocol {self.scenario.target.protocol}"
        yield f"for       {format_duration(self.stages.duration_s)}, at most {self.stages.peak} users, "\
              f"{format_duration(users.think_time)} between two uploads of one user"  # fmt: skip
        yield f"upload    {size} in {self.requests_per_upload:.1f} requests on average (init, chunks, finalize)"
        for bound in self.bounds():
            target = f"if the target takes {format_bandwidth(bound.bandwidth_bytes_per_s)}"
            files = f"{bound.uploads:,.0f} uploads, {format_size(bound.size_bytes)}, {bound.requests:,.0f} requests"
            yield f"at most   {files} {target}"
        for threshold in self.scenario.thresholds:
            yield f"must hold {threshold}"


def _reference_chunk_size_bytes(size_bytes: int) -> int:
    """What the reference server answers by default (server/PROTOCOL.md); another server may answer otherwise."""
    return min(max(size_bytes // 500, 5 << 20), 20 << 20)
