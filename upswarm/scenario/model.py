"""The types of a scenario. Each field's description stands in the JSON Schema and in `docs/scenarios.md`."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import (
    Field,
    model_validator,
)

from upswarm.results.threshold_grammar import EACH
from upswarm.results.thresholds import Needs, Threshold
from upswarm.scenario.audit import MaybeAudit
from upswarm.scenario.base import Mistake, Room, ShortRoom, all_mistaken, exactly_one, missing
from upswarm.scenario.contents import ContentRoom, PlainRoom
from upswarm.scenario.drill import DrillRoom
from upswarm.scenario.expectations import Abort, RunPath, ThresholdEntry, class_mistakes, line, warm_up_mistake
from upswarm.scenario.quantities import DurationS, PositiveSizeBytes, SizeBytes, written
from upswarm.scenario.target import TargetRoom
from upswarm.scenario.transfer import DIGESTS, TransferRoom
from upswarm.scenario.workload import WorkloadRoom
from upswarm.transfer.dialect import InLanes, UploadProtocol
from upswarm.workload.kinds import Workload
from upswarm.workload.mix import FileClass, Mix
from upswarm.workload.replay import Replay
from upswarm.workload.sizes import Fixed, Listed, Lognormal, SizeDistribution, Uniform


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
    name: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]*$",
        max_length=40,
        description="What thresholds and reports call this class; of several, one without has its place, `1`, `2` ….",
    )
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

    def build(self, name: str) -> FileClass:
        """The class that files are drawn from, under the name that it has among the others."""
        if self.size is not None:
            return FileClass(self.size.build(), self.content.build(), self.weight, name)
        return FileClass(Listed(self.content.own_sizes()), self.content.build(own_sizes=True), self.weight, name)


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
    warm_up: DurationS = written("0s", description="What ends in the first part of a run is shown, and not judged.")
    thresholds: tuple[ThresholdEntry, ...] = Field(
        ("upload.failed count == 0",),
        description="What must hold, such as `chunk.response_time p99 < 400ms` (see docs/metrics.md), by default "
        "that no upload fails; a mapping can say that the run ends early where it does not.",
    )
    baseline: RunPath | None = Field(
        None, description="The run that thresholds compare with (`< baseline * 1.1`): its folder, or its `run.json`."
    )
    audit: MaybeAudit = Field(
        None, description="After the run, is every acknowledged file there (see audit.md)? `true` asks for all of it."
    )
    drill: DrillRoom | None = Field(None, description="What is broken during the run (see drills.md).")

    @model_validator(mode="after")
    def _carried(self) -> Scenario:
        mistakes: dict[tuple[Any, ...], Mistake] = {}
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
        mistakes |= self._unjudgeable()
        if self.drill is not None:
            mistakes |= self.drill.mistakes(self.seed, self.target, self.workload)
        if mistakes:
            raise all_mistaken(mistakes, self)
        return self

    def _unjudgeable(self) -> dict[tuple[Any, ...], Mistake]:
        """Names that two classes have, thresholds on classes that are none, and a warm-up as long as the run."""
        names = self.class_names
        mistakes: dict[tuple[Any, ...], Mistake] = {
            ("files", place, "name"): Mistake(f"expected a name that no other class has, found {name!r}")
            for place, name in enumerate(names)
            if name == EACH or name in names[:place]
        }
        mistakes |= {("thresholds", place): each for place, each in class_mistakes(self.thresholds, names)}
        if self.warm_up and (self.workload.users or self.workload.arrivals) is not None:
            mistake = warm_up_mistake(self.warm_up, self.build_workload())
            mistakes |= {("warm_up",): Mistake(mistake)} if mistake else {}
        return mistakes

    def build_protocol(self, client_id: str) -> UploadProtocol:
        """The dialect of the client with this name, with lanes where the scenario asks for them and it has any."""
        protocol, lanes = self.target.protocol.build(client_id), self.transfer.parallel_chunks
        return protocol.in_lanes(lanes) if lanes > 1 and isinstance(protocol, InLanes) else protocol

    def build_mix(self) -> Mix:
        """The mix that files are drawn from."""
        named = zip(self.files, self.class_names, strict=True)
        return Mix(tuple(each.build(name) for each, name in named), self.seed)

    def build_workload(self, recorded: Replay | None = None) -> Workload:
        """How much, and when; `recorded` stands for a replay's file. Raises `ScenarioError` for mistakes in that."""
        return self.workload.build(self.seed, recorded)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes of files, in their order; "" for one that needs none, for it is the only one."""
        several = len(self.files) > 1
        return tuple(each.name or (f"{place}" if several else "") for place, each in enumerate(self.files, 1))

    @property
    def threshold_lines(self) -> tuple[str, ...]:
        """The thresholds, each as one line."""
        return tuple(map(line, self.thresholds))

    def build_thresholds(self) -> list[Threshold]:
        """The thresholds to judge."""
        return [Threshold.parse(text) for text in self.threshold_lines]

    def build_aborts(self) -> list[Abort]:
        """Those of them that may end the run early."""
        return [*Abort.all_of(self.thresholds)]

    def needs(self) -> Needs:
        """What has to be kept of a run to judge it."""
        return Needs.of(self.build_thresholds())

    def resolved(self, *, reveal_secrets: bool = False) -> dict[str, Any]:
        """The whole scenario, defaults included, in a form that the loader reads again; secrets only on demand."""
        document = self.model_dump(mode="json", exclude_none=True)
        if reveal_secrets:
            document["target"] |= self.target.revealed()
        return document
