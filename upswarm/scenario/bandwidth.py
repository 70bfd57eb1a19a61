"""`transfer.bandwidth`: how fast bytes go out at most."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from upswarm.scenario.base import ShortRoom
from upswarm.scenario.quantities import BandwidthBytesPerS
from upswarm.transfer.bandwidth import Limit, Pace
from upswarm.transfer.clock import Clock


class BandwidthRoom(ShortRoom):
    """How fast bytes go out at most. A bandwidth alone is that of each upload."""

    shorthand: ClassVar[str] = "upload"
    upload: BandwidthBytesPerS | None = Field(
        None, description="How fast the bodies of one upload's requests go out at most, its parallel chunks together."
    )
    worker: BandwidthBytesPerS | None = Field(
        None, description="The same for all uploads of a worker together; a run without workers is one."
    )

    def worker_limit(self) -> Limit | None:
        """The limit that all uploads of this process share, if there is one."""
        return None if self.worker is None else Limit(self.worker)

    def pace(self, worker_limit: Limit | None, clock: Clock) -> Pace | None:
        """The pace of one upload at a time; None where nothing limits it."""
        upload_limit = None if self.upload is None else Limit(self.upload)
        limits = [limit for limit in (upload_limit, worker_limit) if limit]
        return Pace(limits, clock) if limits else None
