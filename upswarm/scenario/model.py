"""The types of a scenario. Each field's description stands in the JSON Schema and in `docs/scenarios.md`."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from upswarm import plugins, units
from upswarm.errors import PluginError
from upswarm.protocols.http import Http
from upswarm.results.thresholds import Threshold
from upswarm.scenario.auth import AuthRoom
from upswarm.scenario.base import Mistake, Room, ShortRoom, exactly_one, missing, mistaken
from upswarm.scenario.contents import ContentRoom, PlainRoom
from upswarm.scenario.custom_http import HttpRoom
from upswarm.scenario.quantities import DurationS, PositiveDurationS, PositiveSizeBytes, SizeBytes, written
from upswarm.transfer.dialect import UploadProtocol
from upswarm.transfer.retry import Jitter, RetryPolicy
from upswarm.transfer.transport import Route, Timeouts, Transport
from upswarm.transfer.uploader import UploadSettings
from upswarm.workload.mix import FileClass, Mix
from upswarm.workload.sizes import Fixed, Listed, Lognormal, SizeDistribution, Uniform
from upswarm.workload.stages import Stage, Stages

EMBEDDED = "embedded"
_DIGESTS = {"none": None, "crc32c": "crc32c", "sha256": "sha-256"}


def check_url(text: str) -> str:
    """A target as it may be written; raises ValueError."""
    url = urlsplit(text)
    if url.username or url.password:
        raise Mistake("expected a URL without credentials, found some in it", "put them into target.auth")
    if text == EMBEDDED or (url.scheme in {"http", "https"} and url.hostname):
        return text
    raise ValueError(f"expected `{EMBEDDED}` or a URL such as http://127.0.0.1:8000, found {text!r}")


def _plugin(kind: str) -> AfterValidator:
    def check(name: str) -> str:
        try:
            plugins.find(kind, name)
        except PluginError as error:
            raise Mistake(error.message, error.hint) from error
        return name

    return AfterValidator(check)


def _chunk_size(value: object) -> int | Literal["server"]:
    if value == "server":
        return "server"
    size_bytes = units.parse_size(value)
    if size_bytes == 0:
        raise units.UnitError(f"`server` or {units.SIZE_EXAMPLES}", value)
    return size_bytes


def _threshold(text: str) -> str:
    return Threshold.parse(text).text


class ProtocolRoom(ShortRoom):
    """The protocol that a server speaks. A name alone may stand for the whole room."""

    shorthand: ClassVar[str] = "name"
    name: Annotated[str, _plugin("protocol")] = Field(
        "chunked", description="A name that is built in or installed, or `module:attribute` (see protocols.md)."
    )
    http: HttpRoom | None = Field(None, description="A service's own API, instead of a name (see custom-http.md).")

    @model_validator(mode="after")
    def _one(self) -> ProtocolRoom:
        if self.http is not None and "name" in self.model_fields_set:
            raise ValueError("expected a name or http, found both")
        return self

    @model_serializer
    def _short(self) -> str | dict[str, Any]:
        return self.name if self.http is None else {"http": self.http.model_dump(mode="json", exclude_unset=True)}

    def __str__(self) -> str:
        return self.name if self.http is None else "http"

    def build(self, client_id: str) -> UploadProtocol:
        """The dialect of the client with this name."""
        protocol: UploadProtocol = (
            plugins.find("protocol", self.name)(client_id) if self.http is None else Http(client_id, self.http.build())
        )
        return protocol


class TargetRoom(ShortRoom):
    """The server under test. A URL alone may stand for the whole room."""

    shorthand: ClassVar[str] = "url"
    url: Annotated[str, AfterValidator(check_url)] = Field(
        EMBEDDED, description="The server's URL, or `embedded`: the reference server, started for this run alone."
    )
    protocol: ProtocolRoom = Field(ProtocolRoom(), description="The protocol it speaks.")
    auth: AuthRoom | None = Field(None, description="Credentials, where the server wants any.")


class LognormalRoom(Room):
    """Many small files and a few large ones."""

    median: PositiveSizeBytes = Field(description="Half of the files are smaller.")
    p95: PositiveSizeBytes = Field(description="One file in twenty is larger.")

    @model_validator(mode="after")
    def _ordered(self) -> LognormalRoom:
        if self.p95 < self.median:
            raise ValueError("expected p95 to be at least the median")
        return self


class SizeRoom(ShortRoom):
    """How large files are. A size alone means that all have it."""

    shorthand: ClassVar[str] = "fixed"
    fixed: SizeBytes | None = Field(None, description="Every file has this size.")
    uniform: tuple[SizeBytes, SizeBytes] | None = Field(
        None, description="The smallest and the largest size; all between are equally likely."
    )
    lognormal: LognormalRoom | None = Field(None, description="A lognormal distribution by its median and p95.")

    @model_validator(mode="after")
    def _one(self) -> SizeRoom:
        exactly_one(self, ("fixed", "uniform", "lognormal"))
        if self.uniform is not None and self.uniform[0] > self.uniform[1]:
            raise ValueError("expected the smaller size first")
        return self

    def build(self) -> SizeDistribution:
        """The distribution that is drawn from."""
        if self.lognormal is not None:
            return Lognormal(self.lognormal.median, self.lognormal.p95)
        return Uniform(*self.uniform) if self.uniform is not None else Fixed(self.fixed or 0)


class FileRoom(ShortRoom):
    """One class of files. A size alone may stand for the whole room."""

    shorthand: ClassVar[str] = "size"
    size: SizeRoom | None = Field(
        None, description="How large the files are. Needed, but for a corpus, whose files have sizes of their own."
    )
    weight: float = Field(1.0, gt=0, description="This class's share is its weight divided by the sum of all weights.")
    content: ContentRoom = Field(
        ContentRoom(sparse=PlainRoom()),
        description="What the bytes are, by default `sparse`: one of these, or a plugin's name and its parameters.",
    )

    @model_validator(mode="after")
    def _sized(self) -> FileRoom:
        if self.size is None and self.content.corpus is None:
            raise missing("size", self)
        return self

    def build(self) -> FileClass:
        """The class that files are drawn from."""
        if self.size is not None:
            return FileClass(self.size.build(), self.content.build(), self.weight)
        return FileClass(Listed(self.content.own_sizes()), self.content.build(own_sizes=True), self.weight)


class TimeoutRoom(Room):
    """When to stop waiting."""

    connect: PositiveDurationS = written("5s", description="The longest time until a connection stands.")
    idle: PositiveDurationS = written("30s", description="The longest silence on a connection.")
    total: PositiveDurationS | None = Field(
        None, description="The longest time for a whole request, its answer included; without it, as long as it takes."
    )


class TlsRoom(Room):
    """Whom to believe behind `https`."""

    verify: bool = Field(True, description="Whether the server's certificate has to be the right one.")
    ca_file: str | None = Field(
        None, description="Certificates in PEM to believe instead of those that the machine believes."
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

    def build(self) -> RetryPolicy:
        """The policy that exchanges follow."""
        return RetryPolicy(
            self.attempts, self.base, self.cap, self.jitter, frozenset(self.statuses), self.honour_retry_after
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
    timeout: TimeoutRoom = Field(TimeoutRoom(), description="When to stop waiting.")
    retry: RetryRoom = Field(RetryRoom(), description="When to try again.")
    tls: TlsRoom = Field(TlsRoom(), description="Whom to believe behind `https`.")
    proxy: Literal["none", "environment"] = Field(
        "none", description="`environment` takes `http_proxy`, `https_proxy`, `no_proxy`; a proxy bends the figures."
    )
    transport: Annotated[str, _plugin("transport")] = Field(
        "socket", description="What carries requests: `socket`, our own, or `requests`, the slower witness."
    )

    @model_validator(mode="after")
    def _total_is_kept(self) -> TransferRoom:
        if self.transport == "requests" and self.timeout.total is not None:
            raise Mistake("expected no timeout.total with the transport `requests`", "take the transport `socket`")
        return self

    def build(self) -> UploadSettings:
        """What uploaders follow."""
        size = None if self.chunk_size == "server" else self.chunk_size
        return UploadSettings(self.retry.build(), chunk_size_bytes=size, digest=_DIGESTS[self.digest])

    @property
    def timeouts(self) -> Timeouts:
        """What transports follow."""
        return Timeouts(self.timeout.connect, self.timeout.idle, self.timeout.total)

    def open_transport(self, url: str) -> Transport:
        """A connection of its own to a URL."""
        route = Route(self.proxy == "environment", self.tls.verify, self.tls.ca_file)
        transport: Transport = plugins.find("transport", self.transport)(url, self.timeouts, route)
        return transport


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
        stages = self.build()
        if stages.peak < 1 or stages.duration_s <= 0:
            raise ValueError("expected at least one user and more than 0s; nothing would be uploaded")
        return self

    def build(self) -> Stages:
        """The stages."""
        return Stages(tuple(stage.build() for stage in self.stages))


class WorkloadRoom(Room):
    """How much, and when."""

    users: UsersRoom = Field(UsersRoom(), description="A closed load by users.")


class Scenario(Room):
    """A question to ask of a server."""

    name: str = Field("", pattern=r"^[A-Za-z0-9._-]*$", max_length=80, description="By default the file's name.")
    about: str = Field("", description="One or two sentences for the reader of the report.")
    seed: int = Field(0, ge=0, description="The same seed draws the same files, on any number of workers.")
    target: TargetRoom = Field(TargetRoom(), description="The server under test.")
    files: tuple[FileRoom, ...] = Field(
        (FileRoom(size=SizeRoom(fixed="16MiB")),), min_length=1, description="What is uploaded: a mix by weight."
    )
    transfer: TransferRoom = Field(TransferRoom(), description="How one file travels.")
    workload: WorkloadRoom = Field(WorkloadRoom(), description="How much, and when.")
    thresholds: tuple[Annotated[str, AfterValidator(_threshold)], ...] = Field(
        ("upload.failed count == 0",),
        description="What must hold, such as `chunk.response_time p99 < 400ms` (see docs/metrics.md).",
    )

    @model_validator(mode="after")
    def _carried(self) -> Scenario:
        caps = self.target.protocol.build("").caps
        if self.transfer.parallel_chunks > 1 and caps.joined is None:
            reason = f"expected 1, for in {self.target.protocol} chunks come one after the other"
            found = f"found {self.transfer.parallel_chunks}"
            raise mistaken(("transfer", "parallel_chunks"), Mistake(f"{reason}, {found}"), self)
        carried = caps.digests
        if _DIGESTS[self.transfer.digest] not in {None, *carried}:
            words = [word for word, digest in _DIGESTS.items() if digest in {None, *carried}]
            expected = f"expected {' or '.join(words)}, which is what chunks can carry in {self.target.protocol}"
            raise mistaken(("transfer", "digest"), Mistake(f"{expected}, found {self.transfer.digest!r}"), self)
        return self

    def build_mix(self) -> Mix:
        """The mix that files are drawn from."""
        return Mix(tuple(each.build() for each in self.files), self.seed)

    def build_thresholds(self) -> list[Threshold]:
        """The thresholds to judge."""
        return [Threshold.parse(text) for text in self.thresholds]

    def resolved(self, *, reveal_secrets: bool = False) -> dict[str, Any]:
        """The whole scenario, defaults included, in a form that the loader reads again; secrets only on demand."""
        document = self.model_dump(mode="json", exclude_none=True)
        if self.target.auth is not None and reveal_secrets:
            document["target"]["auth"] = self.target.auth.revealed()
        return document
