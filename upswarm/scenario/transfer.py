"""The room `transfer`: how one file travels."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from upswarm import plugins, units
from upswarm.scenario.bandwidth import BandwidthRoom
from upswarm.scenario.base import Mistake, Room, plugin
from upswarm.scenario.interrupt import InterruptRoom
from upswarm.scenario.quantities import DurationS, PositiveDurationS, Share, written
from upswarm.scenario.tls import TlsRoom
from upswarm.transfer.habits import Habits
from upswarm.transfer.retry import Jitter, RetryPolicy
from upswarm.transfer.transport import Route, Timeouts, Transport
from upswarm.transfer.uploader import UploadSettings

DIGESTS = {"none": None, "crc32c": "crc32c", "sha256": "sha-256"}
"""What a scenario calls a digest, and what `upswarm.digests` does."""


def _chunk_size(value: object) -> int | Literal["server"]:
    if value == "server":
        return "server"
    try:
        size_bytes = units.parse_size(value)
    except units.UnitError:
        size_bytes = 0
    if size_bytes == 0:
        raise units.UnitError(f"`server` or {units.SIZE_EXAMPLES}", value)
    return size_bytes


class TimeoutRoom(Room):
    """When to stop waiting."""

    connect: PositiveDurationS = written("5s", description="The longest time until a connection stands.")
    idle: PositiveDurationS = written("30s", description="The longest silence on a connection.")
    total: PositiveDurationS | None = Field(
        None, description="The longest time for a whole request, its answer included; without it, as long as it takes."
    )


class RetryRoom(Room):
    """When to try again, and after how long."""

    attempts: int = Field(
        5, ge=1, le=100, description="How often one request is sent at most, the first time included."
    )
    base: DurationS = written(
        "200ms", description="The longest pause before the first retry; it doubles with each retry."
    )
    cap: DurationS = written("10s", description="No pause is longer, unless the server asks for more.")
    jitter: Jitter = Field(
        Jitter.FULL, description="How pauses are spread: `full` 0..pause, `equal` pause/2..pause, `none`."
    )
    statuses: tuple[Annotated[int, Field(ge=400, le=599)], ...] = Field(
        (429, 500, 502, 503, 504), description="HTTP statuses after which a request is sent again."
    )
    honour_retry_after: bool = Field(True, description="Whether to wait at least as long as `Retry-After` asks.")
    budget: Share | None = Field(
        None,
        description="Retries are at most this share of a worker's requests, and ten more; then requests fail at once.",
    )

    def build(self) -> RetryPolicy:
        """The policy that exchanges follow."""
        return RetryPolicy(
            self.attempts,
            self.base,
            self.cap,
            self.jitter,
            frozenset(self.statuses),
            self.honour_retry_after,
            self.budget,
        )


class TransferRoom(Room):
    """How one file travels."""

    chunk_size: Annotated[
        int | Literal["server"],
        PlainValidator(_chunk_size),
        PlainSerializer(lambda value: value if value == "server" else units.write_size(value)),
        WithJsonSchema({"type": ["string", "number"], "examples": ["server", "8MiB"]}),
    ] = Field("server", description="`server` takes what the server answers; a size is proposed to it.")
    parallel_chunks: int = Field(
        1,
        ge=1,
        le=64,
        description="How many chunks of one upload travel at the same time, each over a connection of its own.",
    )
    digest: Literal["none", "crc32c", "sha256"] = Field("none", description="A digest sent with each chunk.")
    bandwidth: BandwidthRoom = Field(BandwidthRoom(), description="How fast bytes go out at most.")
    timeout: TimeoutRoom = Field(TimeoutRoom(), description="When to stop waiting.")
    retry: RetryRoom = Field(RetryRoom(), description="When to try again.")
    interrupt: InterruptRoom | None = Field(
        None, description="Clients that lose their connections in the middle of a file, and come back."
    )
    abort: Share = written("0%", description="The share of uploads that are given up on the way, and aborted.")
    tls: TlsRoom = Field(TlsRoom(), description="Whom to believe behind `https`.")
    proxy: Literal["none", "environment"] = Field(
        "none", description="`environment` takes `http_proxy`, `https_proxy`, `no_proxy`; a proxy bends the figures."
    )
    transport: Annotated[str, plugin("transport")] = Field(
        "socket", description="What carries requests: `socket`, our own, or `requests`, the slower witness."
    )

    @model_validator(mode="after")
    def _total_is_kept(self) -> TransferRoom:
        if self.transport == "requests" and self.timeout.total is not None:
            raise Mistake("expected no timeout.total with the transport `requests`", "take the transport `socket`")
        return self

    def build(self, seed: int = 0) -> UploadSettings:
        """What uploaders follow; the seed decides which uploads are interrupted and aborted."""
        size = None if self.chunk_size == "server" else self.chunk_size
        habits = Habits(self.interrupt.build() if self.interrupt else None, self.abort, seed)
        return UploadSettings(self.retry.build(), size, DIGESTS[self.digest], habits)

    @property
    def timeouts(self) -> Timeouts:
        """What transports follow."""
        return Timeouts(self.timeout.connect, self.timeout.idle, self.timeout.total)

    @property
    def route(self) -> Route:
        """The way that transports take."""
        return Route(self.proxy == "environment", self.tls.verify, self.tls.ca_file)

    def open_transport(self, url: str) -> Transport:
        """A connection of its own to a URL."""
        transport: Transport = plugins.find("transport", self.transport)(url, self.timeouts, self.route)
        return transport
