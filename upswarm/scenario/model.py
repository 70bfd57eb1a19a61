"""The types of a scenario. Each field's description stands in the JSON Schema and in `docs/scenarios.md`."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    Field,
    model_validator,
)

from upswarm.results.thresholds import Threshold
from upswarm.scenario.base import Mistake, Room, ShortRoom, all_mistaken, exactly_one, missing
from upswarm.scenario.contents import ContentRoom, PlainRoom
from upswarm.scenario.quantities import PositiveSizeBytes, SizeBytes
from upswarm.scenario.target import TargetRoom
from upswarm.scenario.transfer import DIGESTS, TransferRoom
from upswarm.scenario.workload import WorkloadRoom
from upswarm.transfer.dialect import InLanes, UploadProtocol
from upswarm.workload.kinds import Workload
from upswarm.workload.mix import FileClass, Mix
from upswarm.workload.replay import Replay
from upswarm.workload.sizes import Fixed, Listed, Lognormal, SizeDistribution, Uniform


def _threshold(text: str) -> str:
    return Threshold.parse(text).text


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
        mistakes: dict[tuple[str, ...], Mistake] = {}
        caps = self.build_protocol("").caps
        if self.transfer.parallel_chunks > 1 and caps.joined is None:
            reason = f"expected 1, for in {self.target.protocol} chunks come one after the other"
            found = f"found {self.transfer.parallel_chunks}"
            mistakes["transfer", "parallel_chunks"] = Mistake(f"{reason}, {found}")
        carried = caps.digests
        if DIGESTS[self.transfer.digest] not in {None, *carried}:
            words = [word for word, digest in DIGESTS.items() if digest in {None, *carried}]
            expected = f"expected {' or '.join(words)}, which is what chunks can carry in {self.target.protocol}"
            mistakes["transfer", "digest"] = Mistake(f"{expected}, found {self.transfer.digest!r}")
        if mistakes:
            raise all_mistaken(mistakes, self)
        return self

    def build_protocol(self, client_id: str) -> UploadProtocol:
        """The dialect of the client with this name, with lanes where the scenario asks for them and it has any."""
        protocol, lanes = self.target.protocol.build(client_id), self.transfer.parallel_chunks
        return protocol.in_lanes(lanes) if lanes > 1 and isinstance(protocol, InLanes) else protocol

    def build_mix(self) -> Mix:
        """The mix that files are drawn from."""
        return Mix(tuple(each.build() for each in self.files), self.seed)

    def build_workload(self, recorded: Replay | None = None) -> Workload:
        """How much, and when; `recorded` stands for a replay's file. Raises `ScenarioError` for mistakes in that."""
        return self.workload.build(self.seed, recorded)

    def build_thresholds(self) -> list[Threshold]:
        """The thresholds to judge."""
        return [Threshold.parse(text) for text in self.thresholds]

    def resolved(self, *, reveal_secrets: bool = False) -> dict[str, Any]:
        """The whole scenario, defaults included, in a form that the loader reads again; secrets only on demand."""
        document = self.model_dump(mode="json", exclude_none=True)
        if self.target.auth is not None and reveal_secrets:
            document["target"]["auth"] = self.target.auth.revealed()
        return document
