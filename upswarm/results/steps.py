"""One step of a search for a capacity: a load, what its run has measured, and what became of the objectives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from upswarm.results import generator, objectives
from upswarm.results.batches import settle
from upswarm.results.metrics import METRICS, Kind
from upswarm.results.objectives import Finding, Judgement
from upswarm.results.run_file import Run
from upswarm.results.thresholds import Threshold

USUAL_TIME = "chunk.response_time"


class By(StrEnum):
    """What a load is counted in."""

    USERS = "users"
    ARRIVALS = "arrivals"

    def amount(self, load: float) -> str:
        """`1 user`, `42 users`, `12.5 arrivals/s`."""
        if self is By.USERS:
            return f"{load:,.0f} user{'' if load == 1 else 's'}"
        return f"{load:,.4g} arrivals/s"


class Verdict(StrEnum):
    """What became of a step: only `HELD` counts as holding. A `FAILED` run has measured nothing."""

    HELD = "held"
    BROKEN = "broken"
    UNCLEAR = "unclear"
    GENERATOR = "generator"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One load. Times and goodput are those of the part that was judged, or of the whole run where there was none.

    `strain` are sentences on how the generator itself gave in; `run` is the run's folder beside the capacity's file.
    """

    load: float
    verdict: Verdict
    findings: tuple[Finding, ...]
    length_s: float
    settled: bool
    p50_s: float | None
    p99_s: float | None
    goodput_bytes_per_s: float
    dropped: int
    strain: tuple[str, ...]
    run: str = ""

    @property
    def gave_in(self) -> tuple[Finding, ...]:
        """The objectives that broke, or, where none did, those that stayed unclear."""
        broken = tuple(each for each in self.findings if each.judgement is Judgement.BROKEN)
        return broken or tuple(each for each in self.findings if each.judgement is Judgement.UNCLEAR)

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> Step:
        """What `dataclasses.asdict` made of a step, after it went through JSON."""
        findings = tuple(map(Finding.of_document, document["findings"]))
        verdict, strain = Verdict(document["verdict"]), tuple(document["strain"])
        return cls(**{**document, "findings": findings, "verdict": verdict, "strain": strain})

    @classmethod
    def failed(cls, load: float, message: str, length_s: float) -> Step:
        """A run that left nothing to judge."""
        return cls(load, Verdict.FAILED, (), length_s, False, None, None, 0.0, 0, (message,))

    @classmethod
    def of(cls, load: float, run: Run, wanted: tuple[Threshold, ...], length_s: float, place: str = "") -> Step:
        """Judge what a run of this length has measured at a load. What ended it early is broken, wanted or not."""
        measured_s = min(length_s, run.elapsed_s) if run.aborted_by else length_s
        part = settle(run.measurements.intervals, measured_s, [each.metric for each in wanted])
        judged = (objectives.judge(each, part) for each in wanted)
        findings = (*_aborted(run), *(each for each in judged if each.objective != run.aborted_by))
        strain, dropped = Strain.of(run), run.measurements.arrivals.dropped
        shown = METRICS[shown_time(wanted)]
        seen = run.summary if part is None else part.whole
        return cls(
            load=load,
            verdict=strain.verdict(findings, dropped),
            findings=findings,
            length_s=length_s,
            settled=part is not None and part.is_settled,
            p50_s=shown.read(seen, "p50"),
            p99_s=shown.read(seen, "p99"),
            goodput_bytes_per_s=METRICS["goodput"].read(seen, "mean") or 0.0,
            dropped=dropped,
            strain=(*strain.sentences, *([f"{dropped:,} arrivals found no room and were dropped"] if dropped else [])),
            run=place,
        )


def _aborted(run: Run) -> Iterator[Finding]:
    for verdict in run.verdicts:
        if verdict.threshold == run.aborted_by:
            yield Finding(verdict.threshold, Judgement.BROKEN, verdict.value, verdict.value, verdict.value)


def shown_time(wanted: Sequence[Threshold]) -> str:
    """The name of the times that stand beside a load: those of the first objective that is about times."""
    names = [each.metric.name for each in wanted if each.metric.kind is Kind.TIME]
    return names[0] if names else USUAL_TIME


@dataclass(frozen=True, slots=True)
class Strain:
    """How the generator fared in a run: whether its numbers say nothing, and by how much its times may be too long."""

    sentences: tuple[str, ...]
    void: bool
    lag_s: float

    @classmethod
    def of(cls, run: Run) -> Strain:
        """The strain of all workers of a run."""
        known = [(worker.worker_id, worker.health) for worker in run.workers]
        return cls(
            sentences=(*run.generator_faults, *generator.warnings(known, run.generator_faults)),
            void=bool(run.generator_faults) or any(health.saturated for _, health in known),
            lag_s=max((health.lag_p99_s or 0.0 for _, health in known if health.late), default=0.0),
        )

    def verdict(self, findings: tuple[Finding, ...], dropped: int) -> Verdict:
        """What has broken is broken even if arrivals were dropped, for that makes a load lighter.

        And what has held holds even if the generator was late, for that makes times longer.
        """
        judgements = {each.judgement for each in findings}
        if self.void:
            return Verdict.GENERATOR
        if any(each.is_broken_beyond(self.lag_s) for each in findings):
            return Verdict.BROKEN
        if dropped or (self.lag_s and judgements != {Judgement.HOLDS}):
            return Verdict.GENERATOR
        return Verdict.UNCLEAR if Judgement.UNCLEAR in judgements else Verdict.HELD
