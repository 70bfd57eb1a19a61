"""The types of a scenario. Each field's description stands in the JSON Schema and in `docs/scenarios.md`."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, SecretStr, WithJsonSchema, model_validator

from upswarm import plugins, units
from upswarm.errors import PluginError
from upswarm.results.thresholds import Threshold
from upswarm.scenario.base import Mistake, Room, ShortRoom, exactly_one
from upswarm.scenario.quantities import DurationS, PositiveDurationS, PositiveSizeBytes, SizeBytes, written
from upswarm.transfer.retry import Jitter, RetryPolicy
from upswarm.transfer.transport import Timeouts
from upswarm.transfer.uploader import UploadSettings
from upswarm.workload.mix import FileClass, Mix
from upswarm.workload.sizes import Fixed, Lognormal, SizeDistribution, Uniform
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


class AuthRoom(Room):
    """How requests are signed."""

    bearer: SecretStr = Field(description="A token, sent as `Authorization: Bearer …`; write `${NAME}`, never a token.")


class TargetRoom(ShortRoom):
    """The server under test. A URL alone may stand for the whole room."""

    shorthand: ClassVar[str] = "url"
    url: Annotated[str, AfterValidator(check_url)] = Field(
        EMBEDDED, description="The server's URL, or `embedded`: the reference server, started for this run alone."
    )
    protocol: Annotated[str, _plugin("protocol")] = Field(
        "chunked", description="The protocol it speaks: a name that is built in or installed, or `module:attribute`."
    )
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
    size: SizeRoom = Field(description="How large the files are.")
    weight: float = Field(1.0, gt=0, description="This class's share is its weight divided by the sum of all weights.")
    content: Annotated[str, _plugin("content")] = Field(
        "sparse", description="What the bytes are: `sparse` (zeros, a real sparse file), `random` (incompressible)."
    )

    def build(self) -> FileClass:
        """The class that files are drawn from."""
        return FileClass(self.size.build(), self.content, self.weight)


class TimeoutRoom(Room):
    """When to stop waiting."""

    connect: PositiveDurationS = written("5s", description="The longest time until a connection stands.")
    idle: PositiveDurationS = written("30s", description="The longest silence on a connection.")


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
    digest: Literal["none", "crc32c", "sha256"] = Field("none", description="A digest sent with each chunk.")
    timeout: TimeoutRoom = Field(TimeoutRoom(), description="When to stop waiting.")
    retry: RetryRoom = Field(RetryRoom(), description="When to try again.")

    def build(self) -> UploadSettings:
        """What uploaders follow."""
        size = None if self.chunk_size == "server" else self.chunk_size
        return UploadSettings(self.retry.build(), chunk_size_bytes=size, digest=_DIGESTS[self.digest])

    @property
    def timeouts(self) -> Timeouts:
        """What transports follow."""
        return Timeouts(self.timeout.connect, self.timeout.idle)


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
            document["target"]["auth"]["bearer"] = self.target.auth.bearer.get_secret_value()
        return document
